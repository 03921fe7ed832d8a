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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.sessions.simulator.magnetic_field import random_field

YAW = 0.8  # magnetic_yaw


def test_the_field_points_north_and_down(rng: np.random.Generator) -> None:
    earth = replace(random_field(rng, YAW), strengths_t=np.zeros((20, 3)))
    value = earth.at(np.zeros((1, 2)))[0]
    east, north = np.array([np.cos(-YAW), np.sin(-YAW)]), np.array([np.sin(YAW), np.cos(YAW)])
    assert value[:2] @ east == pytest.approx(0, abs=1e-12)
    assert value[:2] @ north == pytest.approx(24e-6, rel=0.01)
    assert value[2] == pytest.approx(-41.6e-6, rel=0.01)


def test_disturbances_are_fixed_in_space_and_smooth(rng: np.random.Generator) -> None:
    disturbed = random_field(rng, 0.0)
    places = rng.uniform(-5, 15, (50, 2))
    assert np.array_equal(disturbed.at(places), disturbed.at(places))
    near = disturbed.at(places) - disturbed.at(places + 0.01)
    assert np.abs(near).max() < 0.2e-6
    assert 0.5e-6 < disturbed.at(places)[:, 0].std() < 10e-6
