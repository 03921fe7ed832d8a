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

"""Array rows of subjects that come and go, and their random generators."""

from collections.abc import Mapping
from hashlib import sha256

import numpy as np

from utt_ros.types import FloatArray, Indices, SyncedBatch


class SubjectSlots:
    """Rows for a bounded number of subjects.

    A subject that was absent for longer than `max_gap_s` loses its row; a new epoch, or a stamp
    that goes back, frees all rows.
    """

    def __init__(self, rows: int, max_gap_s: float) -> None:
        self._max_gap_ns = round(max_gap_s * 1e9)
        self._rows: dict[str, int] = {}
        self._free = list(range(rows))[::-1]
        self._epoch = -1
        self.stamps_ns = np.zeros(rows, np.int64)  # of the last tick in which each row took part
        self.refused = 0  # subjects times ticks for which no row was left

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows by subject."""
        return self._rows

    def assign(self, batch: SyncedBatch) -> tuple[Indices, FloatArray, list[tuple[str, int]]]:
        """Return rows (S,), times (S,) since the subjects' last ticks [s], and new subjects.

        A row is -1 when none is left. New subjects are pairs of name and row.
        """
        self._release(batch)
        rows = np.full(len(batch.subjects), -1, np.intp)
        new = []
        for index, name in enumerate(batch.subjects):
            if name not in self._rows and self._free:
                self._rows[name] = self._free.pop()
                self.stamps_ns[self._rows[name]] = batch.stamp_ns
                new.append((name, self._rows[name]))
            rows[index] = self._rows.get(name, -1)
        served = rows[rows >= 0]
        self.refused += len(rows) - len(served)
        elapsed = (batch.stamp_ns - self.stamps_ns[rows]) / 1e9
        self.stamps_ns[served] = batch.stamp_ns
        return rows, elapsed.astype(np.float32), new

    def _release(self, batch: SyncedBatch) -> None:
        oldest = batch.stamp_ns - self._max_gap_ns
        for name, row in list(self._rows.items()):
            recent = oldest <= self.stamps_ns[row] <= batch.stamp_ns
            if batch.epoch != self._epoch or not recent:
                self._free.append(self._rows.pop(name))
        self._epoch = batch.epoch


def subject_generator(name: str, epoch: int) -> np.random.Generator:
    """Return a generator seeded by name and epoch alone, whatever other subjects do."""
    seed = sha256(f'{name} {epoch}'.encode()).digest()[:16]
    return np.random.Generator(np.random.SFC64(int.from_bytes(seed, 'big')))
