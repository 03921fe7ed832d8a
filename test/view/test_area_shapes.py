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

"""Shapes of areas from their settings."""

from utt_ros.settings import AreaSettings
from utt_ros.view.area_shapes import area_outline


def test_field_of_view_is_that_of_a_camera_where_there_is_one():
    hall = area_outline(AreaSettings(area='hall', ap_position=(1.0, 2.0, 2.5)))
    assert hall.access_points.tolist() == [[1.0, 2.0, 2.5]]
    assert hall.view[:, 0].max() > 10.0
    blind = area_outline(AreaSettings(area='hall', modalities=('ftm', 'imu')))
    assert blind.view.shape == (0, 2)
