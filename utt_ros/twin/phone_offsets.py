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

"""Offsets of phones from the trends of access points: those that are known, and what is learned.

Offsets that were known at the start are taken off ranges. What is learned from people whom the
camera sees is for the next start: it changes nothing before.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from utt_ros.twin.range_offsets import PhoneOffset, RangeOffsets
from utt_ros.types import Array, Indices

PHONE_OFFSET_STD_M = 0.3  # of phones of which nothing is known [R]
MIN_PHONE_ERROR_M = 0.05  # below which an offset is not known from an earlier run
MAX_LEARNED_ERROR_M = 0.25  # of an offset that is kept
MAX_KEPT_PHONES = 200


class PhoneRangeOffsets:
    """Offsets of the phones in the rows of a filter, from the trends of A access points."""

    def __init__(self, rows: int, addresses: Sequence[str], known: RangeOffsets | None) -> None:
        self._addresses, self._known = tuple(addresses), known or RangeOffsets()
        self.applied = np.zeros((rows, len(addresses)))  # [m]
        self._sums = np.zeros((rows, 2, len(addresses)))  # precision, and precision times offset
        self._names = [''] * rows
        self._learned: dict[str, Array] = {}  # by name, of those who left; (2, A)

    def start(self, row: int, name: str) -> None:
        """Begin with what is known of a phone, which takes the row of another one."""
        self._store(row)
        known = [self._known.of_phone(name, address) for address in self._addresses]
        self.applied[row] = [0.0 if each is None else each.offset for each in known]
        stds = np.array([PHONE_OFFSET_STD_M if each is None else
                         max(each.error, MIN_PHONE_ERROR_M) for each in known])
        fresh = np.stack([stds**-2, stds**-2 * self.applied[row]])
        self._sums[row] = self._learned.pop(name, fresh)
        self._names[row] = name

    def learn(self, number: int, rows: Indices, residuals: Array, weight: float) -> None:
        """Learn from residuals (S,) [m] of ranges to an access point, without what is applied."""
        self._sums[rows, 0, number] += weight
        self._sums[rows, 1, number] += weight * (residuals + self.applied[rows, number])

    def kept(self) -> Iterator[PhoneOffset]:
        """Yield the offsets that are known well enough, those of this run first."""
        for row in range(len(self._names)):
            self._store(row)
        seen = set()
        for name, (precision, weighted) in reversed(self._learned.items()):
            errors = precision**-0.5
            for address, offset, error in zip(
                    self._addresses, weighted / precision, errors, strict=True):
                if error <= MAX_LEARNED_ERROR_M:
                    seen.add((name, address.lower()))
                    yield PhoneOffset(name, address, round(float(offset), 4),
                                      round(float(error), 4))
        for known in self._known.phones:
            if (known.phone, known.ap.lower()) not in seen:
                yield known

    def _store(self, row: int) -> None:
        if self._names[row]:
            self._learned.pop(self._names[row], None)
            self._learned[self._names[row]] = self._sums[row].copy()
            while len(self._learned) > MAX_KEPT_PHONES:
                del self._learned[next(iter(self._learned))]
