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

"""The drawn floor plan of a simulated building is read as map_server reads it."""

from pathlib import Path

import numpy as np

from utt_ros.building.floor_plan import FREE, OCCUPIED, UNKNOWN, read_floor_plan
from utt_ros.sessions.simulator.crossing import crossing_pose
from utt_ros.sessions.simulator.drawn_plan import write_floor_plan
from utt_ros.settings import AreaSettings


def test_rooms_have_walls_around_them_and_openings_between_them(tmp_path: Path) -> None:
    poses = [crossing_pose(index) for index in range(3)]
    plan = read_floor_plan(write_floor_plan(
        [AreaSettings(area=f'a{index}', map_pose=(pose.x, pose.y, pose.yaw))
         for index, pose in enumerate(poses)], tmp_path / 'new'))

    def cell(x: float, y: float) -> int:
        column, row = np.rint(
            (np.array([x, y]) - (plan.origin.x, plan.origin.y)) / plan.resolution_m).astype(int)
        return int(plan.cells[row, column])

    for y in (0.0, 7.0, 14.0, 21.0, 28.0):  # from room to room
        assert cell(6.0, y) == FREE
        assert cell(-3.0, y) == cell(16.0, y) == OCCUPIED
    assert cell(-2.5, 7.0) == cell(15.5, 21.0) == OCCUPIED  # ends of the walls between rooms
    assert cell(6.0, -7.0) == cell(6.0, 35.0) == OCCUPIED
    assert cell(6.0, -7.8) == cell(16.8, 10.0) == UNKNOWN
