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

from utt_ros.training.columns import concatenate_columns, is_measured


def test_access_points_that_a_part_does_not_have_are_masked_zeros() -> None:
    one = {'ftm': np.ones((2, 3, 2))}
    three = {'ftm': np.ones((1, 3, 2)), 'further_ftm': np.ones((1, 3, 2, 2)),
             'further_ftm_mask': np.ones((1, 3, 2), bool)}
    two = {'ftm': np.ones((1, 3, 2)), 'further_ftm': np.ones((1, 3, 1, 2)),
           'further_ftm_mask': np.ones((1, 3, 1), bool)}
    joined = concatenate_columns([one, three, two])
    assert joined['ftm'].shape == (4, 3, 2)
    assert joined['further_ftm'].shape == (4, 3, 2, 2)
    assert joined['further_ftm_mask'].dtype == bool
    assert joined['further_ftm_mask'].any(1).tolist() == [
        [False, False], [False, False], [True, True], [True, False]]


@pytest.mark.parametrize(('first', 'further', 'expected'), [
    (False, False, False), (True, False, True), (False, True, True)])
def test_ranges_are_measured_by_any_access_point(
    first: bool, further: bool, expected: bool,
) -> None:
    columns = {'ftm_mask': np.array([[False, first]]), 'imu_mask': np.array([[False, False]]),
               'further_ftm_mask': np.array([[[False, further], [False, False]]])}
    assert is_measured(columns, 'ftm').tolist() == [expected]
    assert is_measured(columns, 'imu').tolist() == [False]
