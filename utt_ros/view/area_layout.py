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

"""Places of areas in a view: those of `map`; areas that lie at one place are drawn side by side.

Simulated areas and those without a `map_pose` all have their origin at (0, 0). They are separate
floors then, and a person of one of them is not a person of the other.
"""

from collections.abc import Mapping
from typing import NamedTuple

from utt_ros.map_pose import MapPose

SPACING_M = 24.0  # along x between areas side by side: a field of view and some floor


class AreaPlace(NamedTuple):
    """Floor on which an area is drawn, and its pose there."""

    floor: int  # people of the areas of one floor are the same people
    pose: MapPose


def lay_out_areas(poses: Mapping[str, MapPose]) -> dict[str, AreaPlace]:
    """Return the places of areas by name; the first of coinciding ones is where it says."""
    places: dict[str, AreaPlace] = {}
    floors: list[list[MapPose]] = []
    for name, pose in sorted(poses.items()):
        floor = next((number for number, taken in enumerate(floors)
                      if not any(pose.is_at(other) for other in taken)), len(floors))
        if floor == len(floors):
            floors.append([])
        floors[floor].append(pose)
        places[name] = AreaPlace(floor, pose._replace(x=pose.x + SPACING_M * floor))
    return places
