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

from utt_ros.sensor_limits import (
    MAX_BOX_PX,
    MAX_DEPTH_M,
    MAX_SUBJECT_NAME_LENGTH,
    ROS_STAMP_END_NS,
    check_boxes,
    is_name,
    is_ros_stamp,
)
from utt_ros.types import NS_PER_S


@pytest.mark.parametrize(('stamp_ns', 'is_stamp'), [
    (-1, False), (0, False), (1, True), (ROS_STAMP_END_NS - 1, True), (ROS_STAMP_END_NS, False)])
def test_a_stamp_is_positive_and_fits_a_message(stamp_ns: int, is_stamp: bool) -> None:
    assert is_ros_stamp(stamp_ns) is is_stamp
    if is_stamp:
        assert stamp_ns // NS_PER_S < 2**31


@pytest.mark.parametrize('name', ['a', 'anna_2', 'a' * MAX_SUBJECT_NAME_LENGTH])
def test_a_name_that_can_be_part_of_a_topic_is_accepted(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    'name', ['', '2a', 'a b', 'a/b', 'a__b', 'ä', 'a' * (MAX_SUBJECT_NAME_LENGTH + 1)])
def test_a_name_that_cannot_be_part_of_a_topic_is_refused(name: str) -> None:
    assert not is_name(name)


def test_boxes_are_checked_for_finite_numbers_and_for_limits() -> None:
    good = [600.0, 300.0, 5.0, 50.0, 100.0]
    boxes = np.tile(np.float32(good), (6, 1))
    boxes[1, 2] = np.nan  # unknown depth
    boxes[2, 0] = np.nan
    boxes[3, 0] = 2 * MAX_BOX_PX
    boxes[4, 2] = 2 * MAX_DEPTH_M
    boxes[5, 3] = 0.0
    is_finite, is_within = check_boxes(boxes)
    assert is_finite.tolist() == [True, True, False, True, True, True]
    assert is_within.tolist() == [True, True, False, False, False, False]
