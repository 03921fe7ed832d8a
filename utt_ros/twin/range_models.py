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

"""Models of the ranges to all access points of an area, and what they learn of their offsets."""

import numpy as np

from utt_ros.settings import AreaSettings
from utt_ros.twin.ftm_model import FtmRangeModel
from utt_ros.twin.phone_offsets import PhoneRangeOffsets
from utt_ros.twin.range_offsets import RangeOffsets
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import Array, Indices


class AreaRangeModels:
    """Range models of A access points, and offsets of the phones in the rows of a filter."""

    def __init__(
        self, area: AreaSettings, settings: ParticleFilterSettings, offsets: RangeOffsets | None,
    ) -> None:
        """`offsets`: of ranges, as an earlier run or a survey found them."""
        self.models = tuple(
            FtmRangeModel(area, settings, number,
                          offsets.of_access_point(area, number) if offsets else None)
            for number in range(len(area.ap_positions)))
        self._addresses = area.ap_addresses or ('',)
        self._phones = PhoneRangeOffsets(settings.max_subjects, self._addresses, offsets)

    @property
    def trends(self) -> Array:
        """Learned offsets [m] and slopes [m/m] of ranges to A access points, (A, 2)."""
        return np.stack([model.trend for model in self.models])

    def known_offsets(self) -> RangeOffsets:
        """Return offsets of ranges that were given or learned, for a later start."""
        rows = [model.known_offset(address)
                for model, address in zip(self.models, self._addresses, strict=True)]
        return RangeOffsets(tuple(row for row in rows if row), tuple(self._phones.kept()))

    def start_phone(self, row: int, name: str) -> None:
        """Begin with what is known of a phone, which takes the row of another one."""
        self._phones.start(row, name)

    def without_phones(self, number: int, rows: Indices, ranges: Array) -> Array:
        """Take known offsets of phones off their ranges (S,) [m] to an access point."""
        return np.asarray(ranges - self._phones.applied[rows, number])

    def learn(self, number: int, rows: Indices, ranges: Array, positions: Array) -> None:
        """Learn from ranges (S,) [m] of `without_phones` at known positions (S, 2) [m]."""
        model = self.models[number]
        model.update_trend(ranges, positions)
        self._phones.learn(
            number, rows, model.residuals(ranges, positions), model.repeated_precision)
