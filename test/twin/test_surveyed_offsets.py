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

"""Offsets that a twin begins with, from the result of a survey."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.geometry.range_survey import RangeSurvey
from utt_ros.twin.surveyed_offsets import surveyed_offsets

NONE = np.zeros(0)
SURVEY = RangeSurvey(
    addresses=('one', 'two'), positions_m=np.array([[0.0, 0.0, 2.5], [8.0, 3.0, 2.5]]),
    position_errors_m=np.zeros(2), offsets_m=np.array([-0.4, 0.4]),
    offset_errors_m=np.array([0.03, 0.04]), names=('a', 'b'),
    phone_offsets_m=np.array([0.2, -0.2]), phone_errors_m=np.array([0.05, 0.05]),
    line=np.array([-0.5, 0.1]), line_covariance=np.array([[0.0016, -0.0004], [-0.0004, 0.0004]]),
    counts=np.array([80, 90]), spans=np.array([9, 9]), spreads_m=np.ones(2),
    access_points=np.zeros(0, np.int64), distances_m=NONE, excess_m=NONE, fitted_m=NONE)


def test_a_trend_is_the_common_line_and_the_offset_of_its_access_point() -> None:
    first, second = surveyed_offsets(SURVEY).access_points
    assert (first.ap, first.position) == ('one', (0.0, 0.0, 2.5))
    assert first.trend == pytest.approx([-0.9, 0.1])
    assert second.trend == pytest.approx([-0.1, 0.1])
    assert first.offset_error == pytest.approx(0.05)  # hypot of 0.04 and 0.03
    assert first.covariance[0, 1] == pytest.approx(-0.0004, rel=0.02)


def test_the_offset_of_a_single_phone_is_part_of_the_line() -> None:
    assert [(row.phone, row.offset) for row in surveyed_offsets(SURVEY).phones] == [
        ('a', 0.2), ('b', -0.2)]
    alone = replace(
        SURVEY, names=('a',), phone_offsets_m=np.zeros(1), phone_errors_m=np.zeros(1))
    assert not surveyed_offsets(alone).phones
