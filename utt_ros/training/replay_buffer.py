"""A bounded memory of what an area saw, and which part of it is never trained on."""

from collections.abc import Iterable

import numpy as np

from utt_ros.training.dataset import Columns, take
from utt_ros.types import MaskArray, Stamps


class ReplayBuffer:
    """The newest examples, up to a capacity; memory is allocated once."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.added = 0
        self._columns: Columns = {}

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, columns: Columns) -> None:
        """Copy examples in, over the oldest ones when there is no room."""
        count = len(next(iter(columns.values())))
        rows = (self.added + np.arange(count))[-self.capacity:]
        for name, values in columns.items():
            if name not in self._columns:
                shape = (self.capacity, *values.shape[1:])
                self._columns[name] = np.zeros(shape, values.dtype)
            self._columns[name][rows % self.capacity] = values[-self.capacity:]
        self.added += count

    def all(self) -> Columns:
        """Views of all examples."""
        return take(self._columns, slice(len(self)))

    def draw(
        self, count: int, rng: np.random.Generator, names: Iterable[str] = (),
    ) -> Columns:
        """Copies of examples drawn uniformly, with replacement; of all columns or of these."""
        chosen = {name: self._columns[name] for name in names} or self._columns
        return take(chosen, rng.integers(0, len(self), count))


def hold_out(
    last_ns: Stamps, length_ns: int, guard_ns: int, block_ns: int, every: int,
) -> tuple[MaskArray, MaskArray]:
    """Which windows (N,) are for training and which are held out; some are neither.

    Time is cut into blocks and the last of every `every` blocks is held out. A window that lies
    in one such block is held out; one that stays `guard_ns` away from all of them is for training.
    So no sample is in both, not even nearly. `last_ns` are the stamps of the last ticks and
    `length_ns` is from a window's first tick to its last.
    """
    cycle = every * block_ns
    begin, end = cycle - block_ns, cycle  # of the held-out block within a cycle
    first = (last_ns - length_ns) % cycle
    last = first + length_ns
    held = (first >= begin) & (last < end)
    apart = (first >= guard_ns) & (last < begin - guard_ns)
    return apart, held
