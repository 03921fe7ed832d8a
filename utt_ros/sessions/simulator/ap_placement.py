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

"""Places of the access points of a simulated area."""

import numpy as np
from numpy.random import Generator

from utt_ros.access_point_list import DEFAULT_AP_POSITION, AccessPoint
from utt_ros.sessions.simulator.trajectories import random_positions
from utt_ros.types import Array

MAX_SIMULATED_APS = 8
CANDIDATES = 600
WALKED_PLACES = 300
DISTANCES_M = (8.0, 25.0)  # between two of them, while there is room
HEIGHT_M = DEFAULT_AP_POSITION[2]
MIN_DISTANCE_M = 0.5  # from a place to an access point, where it has a direction


def place_access_points(rng: Generator, area: int, count: int) -> tuple[AccessPoint, ...]:
    """Place access points where ranges tell most about where people walk, the first as always.

    One after the other maximises the mean log determinant of the information of unit ranges.
    """
    walked, candidates = random_positions(rng, WALKED_PLACES), random_positions(rng, CANDIDATES)
    candidates = candidates.round(1)
    chosen = [np.array(DEFAULT_AP_POSITION[:2])]
    information = _information(walked, chosen[0]) + 1e-3 * np.eye(2)
    while len(chosen) < count:
        apart = np.linalg.norm(candidates[:, None] - np.array(chosen), axis=2)
        fits = (apart.min(1) >= DISTANCES_M[0]) & (apart.min(1) <= DISTANCES_M[1])
        if not fits.any():
            fits = apart.min(1) == apart.min(1).max()
        gains = [np.linalg.slogdet(information + _information(walked, place))[1].mean()
                 for place in candidates[fits]]
        chosen.append(candidates[fits][int(np.argmax(gains))])
        information = information + _information(walked, chosen[-1])
    return tuple(AccessPoint(ap_address(area, number), (float(x), float(y), HEIGHT_M))
                 for number, (x, y) in enumerate(chosen))


def ap_address(area: int, number: int) -> str:
    """Return the BSSID of an access point of an area."""
    return f'02:00:00:00:{number:02x}:{area % 256:02x}'


def _information(places: Array, access_point: Array) -> Array:
    """Fisher information (N, 2, 2) of a range of unit variance at places (N, 2)."""
    line = places - access_point
    line = line / np.maximum(np.linalg.norm(line, axis=1), MIN_DISTANCE_M)[:, None]
    return np.asarray(line[:, :, None] * line[:, None, :])
