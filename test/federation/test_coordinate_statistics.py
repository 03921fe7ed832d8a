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

"""Medians of coordinates are those of numpy, whatever the number of updates and their shape."""

import numpy as np
import pytest

from utt_ros.federation.coordinate_statistics import coordinate_medians, sorted_coordinates


@pytest.mark.parametrize('updates', [1, 2, 3, 4, 7, 64, 65])
@pytest.mark.parametrize('shape', [(), (5,), (3, 4), (0,), (2049,)])
def test_medians_equal_those_of_numpy(updates: int, shape: tuple[int, ...]) -> None:
    rows = np.random.default_rng(updates).normal(size=(updates, *shape)).astype(np.float32)
    rows[: updates // 2] = np.round(rows[: updates // 2])  # ties
    medians = coordinate_medians(rows)
    np.testing.assert_array_equal(medians, np.median(rows, axis=0))
    assert medians.dtype == np.float32
    assert medians.shape == shape


def test_sorted_coordinates_are_columns_in_order_and_rows_stay() -> None:
    rows = np.array([[3.0, -1.0], [1.0, 5.0], [2.0, 0.0]], np.float32)
    before = rows.copy()
    assert sorted_coordinates(rows).tolist() == [[1.0, 2.0, 3.0], [-1.0, 0.0, 5.0]]
    np.testing.assert_array_equal(rows, before)
