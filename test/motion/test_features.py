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

from utt_ros.motion.features import (
    CONTEXT,
    CONTEXT_SCALES,
    VELOCITY_COLUMNS,
    heading_frame,
    make_context,
    phone_context,
)
from utt_ros.motion.gait import GAIT_FEATURES
from utt_ros.motion.velocity import VELOCITY_FEATURES

VALID, INVALID = np.array([True]), np.array([False])
VELOCITY = np.ones((1, len(VELOCITY_FEATURES), 2), np.float32)
GAIT = np.full((1, len(GAIT_FEATURES)), 0.5, np.float32)


def test_every_feature_has_a_name_and_a_scale() -> None:
    assert len(CONTEXT_SCALES) == len(CONTEXT)
    assert make_context(VALID, VALID, VELOCITY, GAIT).shape == (1, len(CONTEXT))
    assert CONTEXT[VELOCITY_COLUMNS] == ('velocity_x', 'velocity_y')


def test_velocity_features_that_are_not_valid_are_zero() -> None:
    row = make_context(VALID, INVALID, VELOCITY, GAIT)[0].tolist()
    context = dict(zip(CONTEXT, row, strict=True))
    assert not any(context[f'{name}_{axis}'] for name in VELOCITY_FEATURES for axis in 'xy')
    assert all(context[name] == 0.5 for name in GAIT_FEATURES)


def test_without_a_compass_the_heading_frame_follows_the_velocity() -> None:
    heading = np.array([0.3], np.float32)
    assert heading_frame(heading, VALID, VELOCITY) == np.float32(0.3)
    np.testing.assert_allclose(heading_frame(heading, INVALID, VELOCITY), np.pi / 4)


def test_context_without_phones_is_empty_and_without_imu_zero() -> None:
    imu, mask = np.zeros((2, 150, 9), np.float32), np.zeros((2, 150), bool)
    assert not phone_context(imu, mask, 0.02, np.zeros(2, bool)).any()
    assert phone_context(imu[:0], mask[:0], 0.02, np.zeros(0, bool)).shape == (0, len(CONTEXT))
