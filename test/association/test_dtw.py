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

from utt_ros.association.dtw import compact, dtw_distance


def whole(local):
    local = np.asarray(local, float)[None]
    return dtw_distance(local, np.array([local.shape[1]]), np.array([local.shape[2]]))[0]


def between(first, second):
    return whole(np.abs(np.subtract.outer(np.array(first, float), np.array(second, float))))


def test_equal_sequences_have_distance_0() -> None:
    assert between([1, 2, 3], [1, 2, 3]) == 0


def test_repeated_elements_cost_nothing() -> None:
    assert between([1, 2, 3], [1, 2, 2, 2, 3]) == 0


def test_distance_is_that_of_the_cheapest_path_divided_by_both_lengths() -> None:
    # 0-1, 4-1 would cost 1 + 3; 0-1, 4-5 costs 1 + 1; the last 5 has 5 to match: 2 in all
    assert between([0, 4, 5], [1, 5]) == pytest.approx(2 / 5)


def test_one_element_is_matched_to_all_of_the_other_sequence() -> None:
    assert between([2], [1, 2, 4]) == pytest.approx(3 / 4)
    assert between([1, 2, 4], [2]) == pytest.approx(3 / 4)


def test_elements_beyond_the_lengths_are_ignored() -> None:
    local = np.abs(np.subtract.outer([1.0, 2.0, 99.0], [1.0, 2.0, -50.0]))[None]
    assert dtw_distance(local, np.array([2]), np.array([2]))[0] == 0


def test_distance_of_an_empty_sequence_is_nan() -> None:
    assert np.isnan(dtw_distance(np.zeros((1, 2, 2)), np.array([0]), np.array([2]))[0])


def test_distance_agrees_with_the_textbook_recursion() -> None:
    rng = np.random.default_rng(0)
    for rows, columns in ((1, 1), (4, 7), (9, 3)):
        local = rng.random((2, rows, columns))
        table = np.full((2, rows + 1, columns + 1), np.inf)
        table[:, 0, 0] = 0
        for i in range(1, rows + 1):
            for j in range(1, columns + 1):
                table[:, i, j] = local[:, i - 1, j - 1] + np.minimum.reduce(
                    [table[:, i - 1, j], table[:, i, j - 1], table[:, i - 1, j - 1]])
        found = dtw_distance(local, np.full(2, rows), np.full(2, columns))
        assert found == pytest.approx(table[:, -1, -1] / (rows + columns))


def test_compact_moves_masked_elements_to_the_front_in_order() -> None:
    values, numbers = compact(
        np.array([[7.0, 1.0, 8.0, 2.0]]), np.array([[False, True, False, True]]))
    assert values[0, :2].tolist() == [1.0, 2.0]
    assert numbers.tolist() == [2]
