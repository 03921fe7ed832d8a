"""Bounded time series in preallocated arrays: one kind of stream for all phones."""

from collections.abc import Sequence
from enum import Enum

import numpy as np
import numpy.typing as npt

from utt_ros.types import FloatArray, MaskArray

NEVER = -(2**63) // 2  # before every stamp, and far enough from overflow to subtract from


class Added(Enum):
    """What became of a message."""

    IN_ORDER = 'in order'
    REORDERED = 'reordered'
    DUPLICATED = 'duplicated'
    TOO_OLD = 'too old'


class Rings:
    """One series per slot, stamps increasing, at least the newest `capacity` messages of each.

    A row of twice the capacity is filled from the left and moved back when it is full, so a series
    is always contiguous and numpy can search it.
    """

    def __init__(self, width: int, capacity: int) -> None:
        self._capacity = capacity
        self._stamps: npt.NDArray[np.int64] = np.zeros((0, 2 * capacity), np.int64)
        self._values: FloatArray = np.zeros((0, 2 * capacity, width), np.float32)
        self._first: list[int] = []
        self._end: list[int] = []
        self._dropped: list[int] = []  # newest stamp that had to make room
        self.newest: list[int] = []  # per slot, NEVER when empty
        self.needed_ns = NEVER  # younger messages than this one are still needed
        self.lost = 0  # of these, messages that had to make room

    def grow(self, slots: int) -> None:
        """Make room for as many slots as that."""
        added = slots - len(self.newest)
        self._stamps = np.pad(self._stamps, ((0, added), (0, 0)))
        self._values = np.pad(self._values, ((0, added), (0, 0), (0, 0)))
        self._first += [0] * added
        self._end += [0] * added
        self._dropped += [NEVER] * added
        self.newest += [NEVER] * added

    def clear(self, slot: int) -> None:
        """Forget the series of one slot."""
        self._first[slot] = self._end[slot] = 0
        self._dropped[slot] = self.newest[slot] = NEVER

    def add(self, slot: int, stamp_ns: int, values: Sequence[float]) -> Added:
        """Insert a message where its stamp belongs; of two with one stamp the first stays."""
        end = self._end[slot]
        if end == self._stamps.shape[1]:
            end = self._move_back(slot)
        if stamp_ns <= self.newest[slot]:
            return self._insert(slot, stamp_ns, values)
        self._stamps[slot, end] = stamp_ns
        self._values[slot, end] = values
        self._end[slot] = end + 1
        self.newest[slot] = stamp_ns
        return Added.IN_ORDER

    def _insert(self, slot: int, stamp_ns: int, values: Sequence[float]) -> Added:
        first, end = self._first[slot], self._end[slot]
        stamps, rows = self._stamps[slot], self._values[slot]
        at = first + int(stamps[first:end].searchsorted(stamp_ns))
        if stamps[at] == stamp_ns:
            return Added.DUPLICATED
        if stamp_ns <= self._dropped[slot]:
            return Added.TOO_OLD
        stamps[at + 1:end + 1] = stamps[at:end]
        rows[at + 1:end + 1] = rows[at:end]
        stamps[at] = stamp_ns
        rows[at] = values
        self._end[slot] = end + 1
        return Added.REORDERED

    def _move_back(self, slot: int) -> int:
        end, keep = self._end[slot], self._capacity - 1
        dropped = self._stamps[slot, self._first[slot]:end - keep]
        self.lost += int(len(dropped) - dropped.searchsorted(self.needed_ns, 'right'))
        self._dropped[slot] = int(dropped[-1])
        self._stamps[slot, :keep] = self._stamps[slot, end - keep:end]
        self._values[slot, :keep] = self._values[slot, end - keep:end]
        self._first[slot], self._end[slot] = 0, keep
        return keep

    def latest(self, slot: int, limit_ns: int) -> int:
        """Stamp of the newest message no later than `limit_ns`; NEVER when there is none."""
        newest = self.newest[slot]
        if newest <= limit_ns:
            return newest
        count = self._count_until(slot, limit_ns)
        return int(self._stamps[slot, self._first[slot] + count - 1]) if count else NEVER

    def following(self, slot: int, limit_ns: int) -> int:
        """Stamp of the oldest message later than `limit_ns`; -NEVER when there is none."""
        if self.newest[slot] <= limit_ns:
            return -NEVER
        return int(self._stamps[slot, self._first[slot] + self._count_until(slot, limit_ns)])

    def value(self, slot: int, limit_ns: int) -> FloatArray:
        """Values (F,) of that message, which must be there."""
        at = self._first[slot] + self._count_until(slot, limit_ns) - 1
        values: FloatArray = self._values[slot, at]
        return values

    def _count_until(self, slot: int, limit_ns: int) -> int:
        """How many messages are no later than `limit_ns`."""
        series = self._stamps[slot, self._first[slot]:self._end[slot]]
        return int(series.searchsorted(limit_ns, 'right'))

    def interpolate(
        self, slots: Sequence[int], instants_ns: npt.NDArray[np.int64], max_gap_ns: int
    ) -> tuple[FloatArray, MaskArray]:
        """Values (S, C, F) and mask (S, C) at C instants.

        Between the last message before an instant and the first one after it, values are linear.
        Where these are further apart than `max_gap_ns`, or one is missing, nothing was measured.
        """
        rows = np.array(slots, np.intp)[:, None]  # (S, 1)
        first = np.array([self._first[slot] for slot in slots], np.intp)[:, None]
        end = np.array([self._end[slot] for slot in slots], np.intp)[:, None]
        after: npt.NDArray[np.intp]  # (S, C) columns
        after = np.empty((len(slots), len(instants_ns)), np.intp)
        for index, slot in enumerate(slots):
            series = self._stamps[slot, self._first[slot]:self._end[slot]]
            after[index] = series.searchsorted(instants_ns)
        after += first
        present = after < end
        after = np.minimum(after, self._stamps.shape[1] - 1)
        after_ns = self._stamps[rows, after]
        before = after - (after_ns > instants_ns)
        present &= before >= first
        before = np.maximum(before, 0)
        before_ns = self._stamps[rows, before]
        span_ns = after_ns - before_ns
        mask = present & (span_ns <= max_gap_ns)
        weight = (instants_ns - before_ns) / np.maximum(span_ns, 1)
        left, right = self._values[rows, before], self._values[rows, after]
        values = left + (right - left) * weight.astype(np.float32)[:, :, None]
        values[~mask] = 0.0
        return values, mask

