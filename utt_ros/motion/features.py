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

"""Input features of the motion head. Training and the live twin share this code.

Vectors are in the heading frame.
"""

import numpy as np

from utt_ros.geometry.compass import estimate_heading
from utt_ros.motion.gait import GAIT_FEATURES, gait_features
from utt_ros.motion.velocity import VELOCITY_FEATURES
from utt_ros.types import FloatArray, MaskArray

CONTEXT = ('heading_valid', 'course_valid',
           *(f'{name}_{axis}' for name in VELOCITY_FEATURES for axis in 'xy'), *GAIT_FEATURES)
VELOCITY_COLUMNS = slice(2, 4)  # of CONTEXT
MAX_SPEED_MPS = 5.0  # a faster person is a fault
_VELOCITIES, _POSITIONS, _TURNS, _STRENGTHS = (0.5,) * 6, (0.1,) * 4, (0.3,) * 6, (2.0,) * 3
CONTEXT_SCALES = (1.0, 1.0, *_VELOCITIES, *_POSITIONS, *_TURNS, *_STRENGTHS, 1.0, 1.0)
MIRROR_SIGNS = np.array([  # -1: changes its sign when left and right are exchanged
    -1.0 if name.endswith('_y') or name.startswith('turn_') else 1.0 for name in CONTEXT],
    np.float32)
MAX_SCALED_CONTEXT = 5.0  # a feature divided by its scale is clamped to +-this


def heading_frame(
    heading: FloatArray, heading_valid: MaskArray, features: FloatArray,
) -> FloatArray:
    """Return directions (N,) [rad] of the heading frame: of the phone or else of the velocity.

    `features` are VELOCITY_FEATURES (N, 5, 2).
    """
    along = np.arctan2(features[:, 0, 1], features[:, 0, 0])
    return np.asarray(np.where(heading_valid, heading, along))


def make_context(
    heading_valid: MaskArray, velocity_valid: MaskArray, features: FloatArray, gait: FloatArray,
) -> FloatArray:
    """Assemble CONTEXT (N, C) from VELOCITY_FEATURES (N, 5, 2) and GAIT_FEATURES (N, G).

    Velocity features that are not valid become 0.
    """
    velocity = np.where(velocity_valid[:, None, None], features, 0.0)
    velocity = velocity.reshape(len(features), 2 * len(VELOCITY_FEATURES))
    return np.column_stack([heading_valid, velocity_valid, velocity, gait]).astype(np.float32)


def phone_context(
    imu: FloatArray, mask: MaskArray, row_period_s: float, heading_valid: MaskArray,
    turns: FloatArray | None = None,
) -> FloatArray:
    """Compute CONTEXT (N, C) of phones that no camera sees, from their windows (N, R, 9).

    `turns` (N, R) are those of `estimate_heading`, computed here when None.
    """
    count = len(imu)
    if turns is None:
        turns = estimate_heading(imu, mask, row_period_s, 0.0).turns
    no_velocity = np.zeros((count, len(VELOCITY_FEATURES), 2), np.float32)
    return make_context(heading_valid, np.zeros(count, bool), no_velocity,
                        gait_features(imu, mask, turns, row_period_s))
