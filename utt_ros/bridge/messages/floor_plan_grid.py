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

"""Floor plan -> OccupancyGrid."""

from array import array
from math import cos, sin

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion
from nav_msgs.msg import MapMetaData, OccupancyGrid
from std_msgs.msg import Header

from utt_ros.building.floor_plan import FloorPlan
from utt_ros.map_pose import MAP_FRAME


def floor_plan_to_message(plan: FloorPlan, stamp: Time) -> OccupancyGrid:
    """Convert a floor plan, in the frame `map`."""
    rows, columns = plan.cells.shape
    x, y, z = plan.origin.position_m
    half = plan.origin.yaw / 2
    origin = Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(z=sin(half), w=cos(half)))
    return OccupancyGrid(
        header=Header(stamp=stamp, frame_id=MAP_FRAME),
        info=MapMetaData(map_load_time=stamp, resolution=plan.resolution_m, width=columns,
                         height=rows, origin=origin),
        data=array('b', plan.cells.tobytes()))
