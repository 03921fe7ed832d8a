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

"""Shapes of an area from its settings: field of view and access points."""

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.view_outline import view_outline
from utt_ros.settings import AreaSettings
from utt_ros.view.scene_messages import AreaOutline


def area_outline(area: AreaSettings) -> AreaOutline:
    """Return the shapes that the twin of an area publishes as markers."""
    view = (view_outline(CameraModel(area)).astype(np.float64)
            if 'camera' in area.modalities else np.empty((0, 2)))
    return AreaOutline(view, np.array(area.ap_positions, np.float64).reshape(-1, 3))
