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

from utt_ros.settings import AreaSettings
from utt_ros.twin.ftm_model import TREND, FtmRangeModel
from utt_ros.twin.settings import ParticleFilterSettings

AREA = AreaSettings(area='hall', ap_position=(1.0, 2.0, 2.2), phone_height=1.0)


def model():
    return FtmRangeModel(AREA, ParticleFilterSettings())


def test_expected_range_is_the_slant_with_its_trend():
    offset, growth = TREND
    slant = np.sqrt(3**2 + 4**2 + 1.2**2)
    assert model().expected_range(np.array(4.0), np.array(6.0)) == pytest.approx(
        slant * (1 + growth) + offset)


def test_distance_inverts_the_expected_range():
    ranging = model()
    x = np.array([3.0, 8.0, 25.0])
    ranges = ranging.expected_range(x, np.full(3, 2.0)).astype(np.float64)
    np.testing.assert_allclose(ranging.floor_distance(ranges), x - 1.0, rtol=1e-5)


def test_a_range_shorter_than_the_height_of_the_access_point_is_right_below_it():
    np.testing.assert_allclose(model().floor_distance(np.array([-3.0, 0.0, 0.9])), 0.5)


def test_heavy_tails_bound_the_influence_of_an_outlier():
    likelihood, gain = model().likelihood(
        np.array([[0.0, 3.0, 30.0]], np.float32), np.ones((1, 1), np.float32))
    assert likelihood[0, 0] == 1
    assert likelihood[0, 2] > 1e-6  # a normal one has 1e-98
    assert gain[0, 0] > gain[0, 1] > gain[0, 2] > 0


def test_the_trend_approaches_that_of_many_ranges_despite_outliers(rng):
    ranging = model()
    for _ in range(300):
        positions = rng.uniform(-15, 15, (10, 2))
        slant = np.sqrt(((positions - [1, 2])**2).sum(1) + 1.2**2)
        ranges = 1.2 * slant - 1.0 + rng.normal(0, 1, 10) + 40.0 * (rng.random(10) < 0.02)
        ranging.update_trend(ranges, positions)
    np.testing.assert_allclose(ranging.trend @ [[1, 1], [5, 15]], [0.0, 2.0], atol=0.3)


def test_few_ranges_hardly_change_the_trend(rng):
    ranging = model()
    ranging.update_trend(np.full(3, 20.0), np.full((3, 2), 8.0))
    np.testing.assert_allclose(ranging.trend, TREND, atol=0.1)
