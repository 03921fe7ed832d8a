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

"""A floor plan becomes an OccupancyGrid."""

from math import pi

import numpy as np
import pytest
from builtin_interfaces.msg import Time

from utt_ros.bridge.messages.floor_plan_grid import floor_plan_to_message
from utt_ros.building.floor_plan import FloorPlan
from utt_ros.map_pose import MapPose


def test_grid_has_the_cells_row_by_row_from_the_origin() -> None:
    cells = np.array([[0, 100, -1], [-1, 50, 0]], np.int8)
    message = floor_plan_to_message(
        FloorPlan(0.05, MapPose(-3.0, -7.0, 0.0, pi / 2), cells), Time(sec=5))
    assert (message.header.frame_id, message.header.stamp.sec) == ('map', 5)
    info = message.info
    assert (info.width, info.height, info.resolution) == (3, 2, pytest.approx(0.05))
    assert (info.origin.position.x, info.origin.position.y) == (-3.0, -7.0)
    assert (info.origin.orientation.z, info.origin.orientation.w) == pytest.approx(
        (np.sqrt(0.5), np.sqrt(0.5)))
    assert list(message.data) == [0, 100, -1, -1, 50, 0]
