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

from utt_ros.training.columns import concatenate_columns, join_access_points


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


def test_ranges_to_all_access_points_are_joined_and_one_alone_stays() -> None:
    one = {'ftm': np.ones((2, 4, 2)), 'ftm_mask': np.ones((2, 4), bool)}
    assert join_access_points(one) is one
    further = np.arange(2 * 4 * 3 * 2).reshape(2, 4, 3, 2)
    joined = join_access_points(
        one | {'further_ftm': further, 'further_ftm_mask': further[..., 0] > 8})
    assert joined['ftm'].shape == (2, 4, 4, 2)
    assert np.array_equal(joined['ftm'][:, 2], further[:, :, 1])
    assert np.array_equal(joined['ftm_mask'][:, 2], further[:, :, 1, 0] > 8)
