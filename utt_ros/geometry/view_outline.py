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

"""Outline of the floor that a camera sees."""

import numpy as np

from utt_ros.geometry.camera import DEPTH_LIMITS_M, CameraModel
from utt_ros.types import FloatArray


def view_outline(camera: CameraModel) -> FloatArray:
    """Return a closed polygon (K, 2) [m] around the visible floor; empty when none is visible."""
    distance = np.arange(0.1, 1.5 * DEPTH_LIMITS_M[1], 0.1)
    bearing = np.linspace(-np.pi / 2, np.pi / 2, 91)
    direction = np.stack([np.cos(bearing), np.sin(bearing)], axis=-1)  # (B, 2)
    seen = camera.in_view(direction[:, None] * distance[:, None])  # (B, D)
    direction, seen = direction[seen.any(1)], seen[seen.any(1)]
    near = direction * distance[seen.argmax(1)][:, None]
    far = direction * distance[::-1][seen[:, ::-1].argmax(1)][:, None]
    return np.asarray(np.concatenate([near, far[::-1], near[:1]]), np.float32)
