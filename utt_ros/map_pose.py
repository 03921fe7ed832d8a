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

"""Pose of an area in the frame of its building (REP-105)."""

from collections.abc import Sequence
from math import cos, pi, sin
from typing import NamedTuple

import numpy as np

from utt_ros.errors import SettingsError
from utt_ros.types import Array

MAP_FRAME = 'map'
MAX_MAP_COORDINATE_M = 1e5
MAX_YAW_RAD = 2 * pi
SAME_PLACE_M = 0.01  # between areas


class MapPose(NamedTuple):
    """Pose of the area frame in the frame `map` of the building; yaw is about z."""

    x: float = 0.0  # [m]
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0  # [rad], counter-clockwise

    @property
    def position_m(self) -> tuple[float, float, float]:
        """Origin of the area in `map`."""
        return self.x, self.y, self.z

    def to_map(self, points_m: Array) -> Array:
        """Transform points (N, 2) of the area to `map`."""
        return points_m @ self.rotation().T + (self.x, self.y)

    def rotate_covariances(self, covariances: Array) -> Array:
        """Transform covariances (N, 2, 2) of the area to `map`."""
        rotation = self.rotation()
        return np.asarray(rotation @ covariances @ rotation.T)

    def is_at(self, other: 'MapPose') -> bool:
        """Whether two areas have their origins at the same place."""
        return all(abs(own - its) <= SAME_PLACE_M
                   for own, its in zip(self.position_m, other.position_m, strict=True))

    def inverse(self) -> 'MapPose':
        """Return the pose of `map` in the area frame."""
        x, y = -self.rotation().T @ (self.x, self.y)
        return MapPose(float(x), float(y), -self.z, -self.yaw)

    def rotation(self) -> Array:
        """Return the rotation (2, 2) from the area frame to `map`."""
        c, s = cos(self.yaw), sin(self.yaw)
        return np.array([[c, -s], [s, c]])


def read_map_pose(values: Sequence[float]) -> MapPose:
    """Read x, y and yaw, or x, y, z and yaw. Raises SettingsError."""
    if len(values) not in (3, 4):
        raise SettingsError(f'map_pose has {len(values)} numbers: it must have 3 (x, y, yaw) or 4 '
                            '(x, y, z, yaw)')
    x, y, *z, yaw = map(float, values)
    if not abs(yaw) <= MAX_YAW_RAD:
        raise SettingsError(f'map_pose has the yaw {yaw:g} rad: it must be within '
                            f'{MAX_YAW_RAD:.2f} rad')
    return MapPose(x, y, z[0] if z else 0.0, yaw)
