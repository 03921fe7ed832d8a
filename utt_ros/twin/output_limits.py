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

"""Physical limits of what models predict: people, phones and their sensors keep to them."""

import numpy as np

from utt_ros.sensor_limits import MAX_ACCEL_MPS2, MAX_GYRO_RADPS, MAX_MAGNETIC_T
from utt_ros.twin.onnx_model import ImuOutput, MotionOutput
from utt_ros.types import FloatArray, MaskArray

MAX_PERSON_SPEED_MPS = 15.0  # above the fastest sprinters; each component
VELOCITY_STD_LIMITS_MPS = (0.01, 100.0)  # trained models: 0.018 to 7.4
FUTURE_STD_LIMITS_M = (1e-4, 1e5)
MAX_CADENCE_HZ = 10.0
VECTOR_LIMITS = (MAX_ACCEL_MPS2, MAX_GYRO_RADPS, MAX_MAGNETIC_T)  # of lengths, as in the IMU
RMS_LIMITS = np.repeat(np.array(VECTOR_LIMITS[:2], np.float32), 3)[:, None]


def plausible_motion(output: MotionOutput, horizon_s: FloatArray) -> MaskArray:
    """Return which of S subjects have motion that a person can have; `horizon_s` (H,) ahead."""
    low, high = VELOCITY_STD_LIMITS_MPS
    low_m, high_m = FUTURE_STD_LIMITS_M
    reach_m = MAX_PERSON_SPEED_MPS * horizon_s[:, None]
    return np.asarray(
        (np.abs(output.velocity) <= MAX_PERSON_SPEED_MPS).all(axis=1)
        & ((output.velocity_std >= low) & (output.velocity_std <= high)).all(axis=1)
        & (np.abs(output.future) <= reach_m).all(axis=(1, 2))
        & ((output.future_std >= low_m) & (output.future_std <= high_m)).all(axis=(1, 2)))


def plausible_imu(output: ImuOutput) -> MaskArray:
    """Return which of S subjects have an IMU and a gait that a phone can measure."""
    return np.asarray(
        plausible_rows(output.imu)
        & (output.cadence >= 0.0) & (output.cadence <= MAX_CADENCE_HZ)
        & (output.swing <= RMS_LIMITS).all(axis=(1, 2)))


def plausible_rows(imu: FloatArray) -> MaskArray:
    """Return which of S subjects have IMU rows (S, C, 9) that a phone can measure."""
    vectors = imu.astype(np.float64).reshape(*imu.shape[:2], 3, 3)
    return np.asarray((np.linalg.norm(vectors, axis=-1) <= VECTOR_LIMITS).all(axis=(1, 2)))
