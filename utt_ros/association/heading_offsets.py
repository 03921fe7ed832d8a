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

"""Heading offset of each phone from its carrier's direction of travel, learned while worn [D]."""

from collections.abc import Sequence

import numpy as np

from utt_ros.association.candidates import Candidates
from utt_ros.association.track_kinematics import MIN_SPEED_MPS, estimate_kinematics
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, FloatArray, MaskArray

FORGETTING_S = 60.0  # time constant: a phone may be taken into the other hand
PHONE_PRIOR_TICKS = 30.0  # weight of the area's mean offset in that of a phone [R]
AREA_PRIOR_TICKS = 300.0  # weight of offset 0, a correct magnetic yaw, in that of an area [R]


class HeadingOffsets:
    """Circular means of heading minus course over confident matches, per phone.

    The prior of a phone is the mean of the area, the prior of the area is 0. Sums are of unit
    vectors, one per tick, and decay exponentially.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._sums: dict[str, complex] = {}
        self._area_sum = 0j

    def of(self, phones: Sequence[str]) -> Array:
        """Return the offsets (P,) [rad], counter-clockwise."""
        common = np.angle(AREA_PRIOR_TICKS + self._area_sum)
        own = np.array([self._sums.get(name, 0j) for name in phones], complex)
        return np.asarray(
            np.angle(PHONE_PRIOR_TICKS * np.exp(1j * common) + own), np.float64)

    def learn(
        self, candidates: Candidates, area: AreaSettings, compass: tuple[FloatArray, MaskArray],
        pairs: Sequence[tuple[int, int]], ticks: int,
    ) -> None:
        """Add the last ticks of confident matches, rows (track, phone).

        `compass`: headings of the phones (P, T) without any offset removed, and their validity.
        """
        decay = float(np.exp(-ticks * candidates.period / FORGETTING_S))
        self._sums = {name: decay * total for name, total in self._sums.items()
                      if abs(total) > 1.0}
        self._area_sum *= decay
        if not pairs:
            return
        rows = [track for track, _ in pairs]
        velocity = estimate_kinematics(candidates.select_tracks(rows), area).velocity
        velocities = velocity[:, -ticks:, 0] + 1j * velocity[:, -ticks:, 1]
        for track_velocity, (_, phone) in zip(velocities, pairs, strict=True):
            angles, valid = (part[phone, -ticks:] for part in compass)
            use = valid & (np.abs(np.nan_to_num(track_velocity)) > MIN_SPEED_MPS)
            turn = complex(np.exp(1j * (angles[use] - np.angle(track_velocity[use]))).sum())
            name = candidates.phones[phone]
            self._sums[name] = self._sums.get(name, 0j) + turn
            self._area_sum += turn
