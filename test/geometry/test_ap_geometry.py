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

import numpy as np
import pytest

from utt_ros.access_point_list import AccessPoint
from utt_ros.geometry.ap_geometry import ap_geometry
from utt_ros.settings import AreaSettings

POINTS = (AccessPoint('a', (0.0, 0.0, 2.5)), AccessPoint('b', (9.0, -4.0, 3.0)))


def test_geometry_is_the_position_from_the_camera() -> None:
    area = AreaSettings(camera_height=2.4, access_points=POINTS)
    np.testing.assert_allclose(ap_geometry(area, 2), [[0, 0, 0.1], [9, -4, 0.6]], atol=1e-6)


@pytest.mark.parametrize('area', [
    AreaSettings(ap_position=(3.0, 2.0, 2.5)), AreaSettings(access_points=POINTS)])
def test_one_access_point_counts_as_the_one_beside_the_camera(area: AreaSettings) -> None:
    assert ap_geometry(area, 1).tolist() == [[0.0, 0.0, 0.0]]
