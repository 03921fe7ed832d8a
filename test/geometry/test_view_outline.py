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

"""The outline of the floor that a camera sees."""

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.view_outline import view_outline
from utt_ros.settings import AreaSettings


def test_outline_separates_visible_from_hidden_floor():
    camera = CameraModel(AreaSettings(area='hall'))
    outline = view_outline(camera)
    np.testing.assert_array_equal(outline[0], outline[-1])
    inward = outline.mean(0) - outline
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    assert camera.in_view(outline + 0.3 * inward).mean() > 0.9
    assert camera.in_view(outline - 0.5 * inward).mean() < 0.05  # but for a pointed corner
