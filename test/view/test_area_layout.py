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

"""Areas lie where the map says; those at one place lie side by side."""

from utt_ros.map_pose import MapPose
from utt_ros.view.area_layout import SPACING_M, lay_out_areas


def test_areas_of_a_building_are_one_floor_at_their_poses():
    poses = {'hall': MapPose(1.0, 2.0), 'yard': MapPose(9.0, 2.0, 0.0, 0.5)}
    assert lay_out_areas(poses) == {'hall': (0, poses['hall']), 'yard': (0, poses['yard'])}


def test_areas_at_one_place_are_floors_of_their_own_side_by_side():
    places = lay_out_areas({'a': MapPose(), 'b': MapPose(), 'c': MapPose(20.0), 'd': MapPose()})
    assert [places[name].floor for name in 'abcd'] == [0, 1, 0, 2]
    assert [places[name].pose.x for name in 'abcd'] == [0.0, SPACING_M, 20.0, 2 * SPACING_M]
