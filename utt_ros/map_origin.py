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

"""Geographic origin of the frame `map`: a local tangent plane of the WGS84 ellipsoid."""

from collections.abc import Sequence
from math import cos, radians, sin, sqrt
from typing import NamedTuple

import numpy as np

from utt_ros.errors import SettingsError
from utt_ros.types import Array

SEMI_MAJOR_M = 6_378_137.0  # of WGS84
FLATTENING = 1 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1 - FLATTENING)
ECCENTRICITY_2 = FLATTENING * (2 - FLATTENING)
SECOND_ECCENTRICITY_2 = ECCENTRICITY_2 / (1 - ECCENTRICITY_2)
MAX_LATITUDE_DEG = 89.9  # at a pole there is no east
MAX_LONGITUDE_DEG = 180.0
MAX_HEADING_DEG = 360.0


class MapOrigin(NamedTuple):
    """Place of the origin of `map`, and heading of its x axis, clockwise from true north."""

    latitude: float  # [deg]
    longitude: float
    heading: float

    def to_geodetic(self, points_m: Array) -> Array:
        """Transform points (N, 2) of `map`, on the tangent plane, to latitude, longitude [deg].

        East, north and zero height to ECEF, and back to the ellipsoid by Bowring's formula [S:
        Bowring, *Transformation from spatial to geographical coordinates*, 1976], whose error is
        below a millimetre within 100 km.
        """
        phi, lam, heading = map(radians, self)
        x, y = np.asarray(points_m, np.float64).T
        east = x * sin(heading) - y * cos(heading)
        north = x * cos(heading) + y * sin(heading)
        normal = SEMI_MAJOR_M / sqrt(1 - ECCENTRICITY_2 * sin(phi) ** 2)
        outward = normal * cos(phi) - sin(phi) * north  # from the axis, in the origin's meridian
        ecef_x = outward * cos(lam) - east * sin(lam)
        ecef_y = outward * sin(lam) + east * cos(lam)
        ecef_z = normal * (1 - ECCENTRICITY_2) * sin(phi) + cos(phi) * north
        distance = np.hypot(ecef_x, ecef_y)
        reduced = np.arctan2(ecef_z * SEMI_MAJOR_M, distance * SEMI_MINOR_M)
        latitude = np.arctan2(
            ecef_z + SECOND_ECCENTRICITY_2 * SEMI_MINOR_M * np.sin(reduced) ** 3,
            distance - ECCENTRICITY_2 * SEMI_MAJOR_M * np.cos(reduced) ** 3)
        places = np.stack([latitude, np.arctan2(ecef_y, ecef_x)], axis=1)
        return np.asarray(np.rad2deg(places))


def read_map_origin(values: Sequence[float]) -> MapOrigin | None:
    """Read latitude, longitude and heading [deg]; None for an empty list. Raises SettingsError."""
    if not len(values):
        return None
    if len(values) != 3 or any(isinstance(value, bool) or not isinstance(value, int | float)
                               for value in values):
        raise SettingsError(f'map_origin is {list(values)!r:.200}: it must hold 3 numbers '
                            '(latitude, longitude, heading) [deg]')
    origin = MapOrigin(*map(float, values))
    limits = (MAX_LATITUDE_DEG, MAX_LONGITUDE_DEG, MAX_HEADING_DEG)
    for name, value, limit in zip(MapOrigin._fields, origin, limits, strict=True):
        if not abs(value) <= limit:
            raise SettingsError(f'map_origin has the {name} {value:g}: it must be within '
                                f'{limit:g} degrees')
    return origin
