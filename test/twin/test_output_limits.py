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

from dataclasses import fields

import numpy as np
import pytest

from utt_ros.twin.onnx_model import ImuOutput, MotionOutput
from utt_ros.twin.output_limits import plausible_imu, plausible_motion

HORIZON_S = np.array([0.1, 0.2], np.float32)


def outputs() -> dict[str, np.ndarray]:
    """Two people who walk."""
    return {
        'velocity': np.array([[1.2, 0.0], [5.0, -1.0]], np.float32),
        'velocity_std': np.full((2, 2), 0.3, np.float32),
        'future': np.full((2, 2, 2), 0.12, np.float32),
        'future_std': np.full((2, 2, 2), 0.05, np.float32),
        'imu': np.tile(np.float32([0, 0, 9.8, 0, 0, 0, 0, 0, -3e-5]), (2, 5, 1)),
        'cadence': np.array([0.0, 2.0], np.float32), 'swing': np.ones((2, 6, 5), np.float32)}


def plausible(values: dict[str, np.ndarray]) -> list[bool]:
    """Return who is plausible in both outputs."""
    parts = [kind(*(values[item.name] for item in fields(kind)))
             for kind in (MotionOutput, ImuOutput)]
    return (plausible_motion(parts[0], HORIZON_S) & plausible_imu(parts[1])).tolist()


def test_walkers_are_plausible():
    assert plausible(outputs()) == [True, True]


@pytest.mark.parametrize(('name', 'value'), [
    ('velocity', 15.1), ('velocity', -1e8), ('velocity', 3e38), ('velocity_std', 0.0),
    ('velocity_std', 2e-9), ('velocity_std', 1e26), ('future', 1.6), ('future', -1e30),
    ('future_std', 0.0), ('future_std', 1e20), ('imu', 600.0), ('imu', -1e30), ('cadence', -0.1),
    ('cadence', 1e6), ('swing', 501.0), ('swing', 1e30), ('velocity', np.nan), ('imu', np.nan)])
def test_one_value_beyond_its_limits_concerns_its_subject_alone(name, value):
    values = outputs()
    values[name][(1,) + (0,) * (values[name].ndim - 1)] = value
    assert plausible(values) == [True, False]
