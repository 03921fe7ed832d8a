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

"""Ranges at known places, and how they differ from distances.

A range is the distance, plus a trend that all access points of an area share and that grows with
the distance (multipath), plus a detour while the carrier's back is turned on the access point,
plus constant offsets of the access point and of the phone, plus errors with heavy tails that last
for seconds [D].
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from utt_ros.types import Array

BEND_M = 12.0  # distance at which the slope of the trend may change [R]
BACK_COSINE = -0.5  # of the angle from the course to the access point, behind which is a detour
RANGE_NOISE = (0.6, 0.07)  # scale of errors [m], and per metre [R]
REPEATS = 12.0  # ranges with the information of one, at 3 Hz [R]
MIN_DISTANCE_M = 1e-3
TREND_MEAN, TREND_STD = (0.1, 0.0, 1.0), (0.1, 0.1, 1.0)  # of a RangeTrend, before a survey [R]


class RangeTrend(NamedTuple):
    """Mean excess of ranges over distances."""

    slope: float = TREND_MEAN[0]  # [m/m]
    bend: float = TREND_MEAN[1]  # change of the slope at BEND_M
    detour_m: float = TREND_MEAN[2]  # of ranges that pass the carrier's body


@dataclass(frozen=True, slots=True)
class RangeSamples:
    """N ranges of P phones to A access points."""

    ranges_m: Array  # (N,)
    access_points: npt.NDArray[np.int64]  # (N,)
    phones: npt.NDArray[np.int64]  # (N,)
    positions_m: Array  # (N, 2) area frame
    velocities_mps: Array  # (N, 2)
    times_s: Array  # (N,)
    walks: npt.NDArray[np.int64]  # (N,)
    addresses: tuple[str, ...]  # A, in lower case
    names: tuple[str, ...]  # P

    def __getitem__(self, rows: npt.NDArray[np.generic]) -> 'RangeSamples':
        return RangeSamples(
            self.ranges_m[rows], self.access_points[rows], self.phones[rows],
            self.positions_m[rows], self.velocities_mps[rows], self.times_s[rows],
            self.walks[rows], self.addresses, self.names)

    @property
    def noise_m(self) -> Array:
        """Scale of the errors (N,)."""
        return np.asarray(RANGE_NOISE[0] + RANGE_NOISE[1] * np.maximum(self.ranges_m, 0.0))


def range_features(
    positions_m: Array, velocities_mps: Array, places_m: Array, rise_m: Array | float,
) -> tuple[Array, Array]:
    """Compute distances (N,) [m] to places (N, 2) and features (N, 3) that a RangeTrend weights.

    `rise_m`: height of the access point above the phone.
    """
    towards = places_m - positions_m
    floor = np.maximum(np.linalg.norm(towards, axis=-1), MIN_DISTANCE_M)
    speed = np.maximum(np.linalg.norm(velocities_mps, axis=-1), MIN_DISTANCE_M)
    cosine = (towards * velocities_mps).sum(-1) / (floor * speed)
    distance = np.sqrt(floor**2 + np.square(rise_m))
    return distance, np.stack(
        [distance, np.maximum(distance - BEND_M, 0.0), cosine < BACK_COSINE], axis=-1)
