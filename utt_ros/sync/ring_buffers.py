# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Ring buffers: bounded time series in preallocated arrays, one kind of stream for all phones."""

from collections.abc import Sequence
from enum import Enum

import numpy as np

from utt_ros.types import NEVER_NS, FloatArray, Indices, MaskArray, Stamps


class Insertion(Enum):
    """Outcome of adding a message."""

    IN_ORDER = 'in order'
    REORDERED = 'reordered'
    DUPLICATE = 'duplicate'
    TOO_OLD = 'too old'


class RingBuffers:
    """One series per slot with increasing stamps and at least its newest `capacity` messages.

    A row of twice the capacity is filled from the left and compacted when it is full, so a series
    is always contiguous and numpy can search it.
    """

    def __init__(self, width: int, capacity: int) -> None:
        self._capacity = capacity
        self._stamps: Stamps = np.zeros((0, 2 * capacity), np.int64)
        self._values: FloatArray = np.zeros((0, 2 * capacity, width), np.float32)
        self._first: list[int] = []
        self._end: list[int] = []
        self._dropped: list[int] = []  # newest overwritten stamp
        self.newest: list[int] = []  # per slot, NEVER_NS when empty
        self.needed_ns = NEVER_NS  # messages after this stamp are still needed
        self.lost = 0  # number of needed messages overwritten

    def grow(self, slots: int) -> None:
        """Extend the buffers to `slots` slots."""
        added = slots - len(self.newest)
        self._stamps = np.pad(self._stamps, ((0, added), (0, 0)))
        self._values = np.pad(self._values, ((0, added), (0, 0), (0, 0)))
        self._first += [0] * added
        self._end += [0] * added
        self._dropped += [NEVER_NS] * added
        self.newest += [NEVER_NS] * added

    def clear(self, slot: int) -> None:
        """Drop the series of one slot."""
        self._first[slot] = self._end[slot] = 0
        self._dropped[slot] = self.newest[slot] = NEVER_NS

    def add(self, slot: int, stamp_ns: int, values: Sequence[float]) -> Insertion:
        """Insert a message in order of stamps; of two with one stamp the first is kept."""
        end = self._end[slot]
        if end == self._stamps.shape[1]:
            end = self._compact(slot)
        if stamp_ns <= self.newest[slot]:
            return self._insert(slot, stamp_ns, values)
        self._stamps[slot, end] = stamp_ns
        self._values[slot, end] = values
        self._end[slot] = end + 1
        self.newest[slot] = stamp_ns
        return Insertion.IN_ORDER

    def _insert(self, slot: int, stamp_ns: int, values: Sequence[float]) -> Insertion:
        first, end = self._first[slot], self._end[slot]
        stamps, rows = self._stamps[slot], self._values[slot]
        at = first + int(stamps[first:end].searchsorted(stamp_ns))
        if stamps[at] == stamp_ns:
            return Insertion.DUPLICATE
        if stamp_ns <= self._dropped[slot]:
            return Insertion.TOO_OLD
        stamps[at + 1:end + 1] = stamps[at:end]
        rows[at + 1:end + 1] = rows[at:end]
        stamps[at] = stamp_ns
        rows[at] = values
        self._end[slot] = end + 1
        return Insertion.REORDERED

    def _compact(self, slot: int) -> int:
        end, keep = self._end[slot], self._capacity - 1
        dropped = self._stamps[slot, self._first[slot]:end - keep]
        self.lost += int(len(dropped) - dropped.searchsorted(self.needed_ns, 'right'))
        self._dropped[slot] = int(dropped[-1])
        self._stamps[slot, :keep] = self._stamps[slot, end - keep:end]
        self._values[slot, :keep] = self._values[slot, end - keep:end]
        self._first[slot], self._end[slot] = 0, keep
        return keep

    def latest(self, slot: int, limit_ns: int) -> int:
        """Return the newest stamp up to `limit_ns`; NEVER_NS when there is none."""
        newest = self.newest[slot]
        if newest <= limit_ns:
            return newest
        count = self._count_until(slot, limit_ns)
        return int(self._stamps[slot, self._first[slot] + count - 1]) if count else NEVER_NS

    def following(self, slot: int, limit_ns: int) -> int:
        """Return the oldest stamp after `limit_ns`; -NEVER_NS when there is none."""
        if self.newest[slot] <= limit_ns:
            return -NEVER_NS
        return int(self._stamps[slot, self._first[slot] + self._count_until(slot, limit_ns)])

    def value(self, slot: int, limit_ns: int) -> FloatArray:
        """Return values (F,) of the newest message up to `limit_ns`, which must exist."""
        at = self._first[slot] + self._count_until(slot, limit_ns) - 1
        values: FloatArray = self._values[slot, at]
        return values

    def _count_until(self, slot: int, limit_ns: int) -> int:
        """Count the messages up to `limit_ns`."""
        series = self._stamps[slot, self._first[slot]:self._end[slot]]
        return int(series.searchsorted(limit_ns, 'right'))

    def interpolate(
        self, slots: Sequence[int], instants_ns: Stamps, max_gap_ns: int
    ) -> tuple[FloatArray, MaskArray]:
        """Interpolate values (S, C, F) and mask (S, C) of S slots at C instants.

        Interpolation is linear between the messages on either side of an instant; masked where
        they are more than `max_gap_ns` apart or one is missing.
        """
        rows = np.array(slots, np.intp)[:, None]  # (S, 1)
        first = np.array([self._first[slot] for slot in slots], np.intp)[:, None]
        end = np.array([self._end[slot] for slot in slots], np.intp)[:, None]
        after: Indices  # (S, C) columns
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

