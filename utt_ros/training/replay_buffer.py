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

"""Replay memory: a bounded store of an area's training and held-out windows."""

from collections.abc import Iterable

import numpy as np

from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.columns import RANGE_SETS, Columns, take
from utt_ros.training.dataset import make_examples
from utt_ros.training.settings import LearningSettings
from utt_ros.types import CHANNELS, NS_PER_S, Indices, MaskArray, Stamps, Windows


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
        """Return views of all examples."""
        return take(self._columns, slice(len(self)))

    def rows_by_age(self) -> Indices:
        """Return the rows of `all`, oldest first."""
        count = len(self)
        return (self.added - count + np.arange(count)) % self.capacity

    def draw(
        self, count: int, rng: np.random.Generator, names: Iterable[str] = (),
    ) -> Columns:
        """Copy examples drawn uniformly, with replacement; all columns, or those of `names`.

        RANGE_SETS are left out where there is one access point.
        """
        chosen = {name: self._columns[name] for name in names
                  if name in self._columns or name not in RANGE_SETS} or self._columns
        return take(chosen, rng.integers(0, len(self), count))


class ReplayMemory:
    """Examples of one area: a buffer for training and one that is held out."""

    def __init__(self, learning: LearningSettings) -> None:
        self.training = ReplayBuffer(learning.capacity)
        self.held_out = ReplayBuffer(learning.held_out)
        self._learning = learning

    def observe(self, windows: Windows, area: AreaSettings, window: WindowSettings) -> None:
        """Add windows of T + H ticks to the buffer that `hold_out` selects.

        Windows without any measurement in their first T ticks are discarded.
        """
        period_ns = round(window.period * NS_PER_S)
        train, held = hold_out(
            windows.stamps_ns,
            length_ns=(window.ticks + window.horizon - 1) * period_ns,
            guard_ns=window.ticks * period_ns,
            block_ns=round(self._learning.holdout_block * NS_PER_S),
            every=self._learning.holdout_every)
        examples = make_examples(windows, area, window)
        measured = np.any([examples[f'{name}_mask'].any(1) for name in CHANNELS], axis=0)
        for buffer, chosen in ((self.training, train & measured),
                               (self.held_out, held & measured)):
            if chosen.any():
                buffer.add(take(examples, np.flatnonzero(chosen)))


def hold_out(
    last_ns: Stamps, length_ns: int, guard_ns: int, block_ns: int, every: int,
) -> tuple[MaskArray, MaskArray]:
    """Return masks (N,) of windows for training and of held-out windows; some are neither.

    Time is cut into blocks and the last of every `every` blocks is held out. A window within such
    a block is held out; one at least `guard_ns` away from all of them is for training. So neither
    a sample nor its neighbour is in both. `last_ns` are the stamps of the last ticks and
    `length_ns` is from a window's first tick to its last. Blocks of length 0 hold out nothing.
    """
    if block_ns == 0:
        return np.ones(len(last_ns), bool), np.zeros(len(last_ns), bool)
    cycle = every * block_ns
    begin, end = cycle - block_ns, cycle  # of the held-out block within a cycle
    first = (last_ns - length_ns) % cycle
    last = first + length_ns
    held = (first >= begin) & (last < end)
    train = (first >= guard_ns) & (last < begin - guard_ns)
    return train, held
