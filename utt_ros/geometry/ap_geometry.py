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

"""Positions of access points as models read them."""

import numpy as np

from utt_ros.settings import AreaSettings
from utt_ros.types import FloatArray


def ap_geometry(area: AreaSettings, count: int) -> FloatArray:
    """Return the positions (A, 3) of the first `count` access points from the camera [m].

    0 for one alone, which models take for the one beside the camera.
    """
    positions = np.array(area.ap_positions[:count], np.float32)
    if len(positions) == 1:
        return np.zeros((1, 3), np.float32)
    return positions - np.array([0.0, 0.0, area.camera_height], np.float32)
