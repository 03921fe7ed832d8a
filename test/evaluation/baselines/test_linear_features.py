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

"""Features for linear regression."""

import numpy as np
import pytest

from utt_ros.evaluation.baselines.linear_features import row_statistics, window_features
from utt_ros.settings import WindowSettings
from utt_ros.training.columns import Columns

WINDOW = WindowSettings()


def test_mean_slope_and_last_value_are_of_measured_rows() -> None:
    values = np.array([[[1.0], [2.0], [99.0], [4.0], [99.0]]])
    mask = np.array([[True, True, False, True, False]])
    mean, slope, last = row_statistics(values, mask)
    assert mean.item() == pytest.approx(7 / 3)
    assert slope.item() == pytest.approx(2.0)  # 1 per row, 2 rows in half a window
    assert last.item() == 4.0


def test_one_row_has_no_slope() -> None:
    mask = np.arange(5)[None] == 1
    _, slope, _ = row_statistics(np.ones((1, 5, 1)), mask)
    assert slope.item() == 0.0


def test_ranges_with_a_heading_have_products() -> None:
    columns = {**ranges(), **level_phone()}
    together = window_features(columns, ('ftm', 'imu'), WINDOW)
    apart = [window_features(columns, (name,), WINDOW) for name in ('ftm', 'imu')]
    assert together.shape == (1, sum(part.shape[1] for part in apart) + 12)
    assert np.isfinite(together).all()
    products = together[0, -6:].reshape(2, 3)  # cosine and sine times mean, slope, their product
    assert products[0] == pytest.approx([0.0, 0.0, 0.0], abs=1e-3)  # it points along y
    assert products[1] == pytest.approx([-2 / 7, 1 / 7, -2 / 49], abs=1e-3)


def ranges() -> Columns:
    """Check ranges of 7 to 9 m; features of ranges are (range - 10 m) / 7 m."""
    values = np.stack([np.linspace(7.0, 9.0, WINDOW.ticks), np.full(WINDOW.ticks, 0.5)], axis=1)
    return {'ftm': values[None].astype(np.float32),
            'ftm_mask': np.ones((1, WINDOW.ticks), bool)}


def level_phone() -> Columns:
    """A phone that lies flat, its y axis to the north."""
    rows = WINDOW.ticks * WINDOW.imu_rows
    row = [0.0, 0.0, 9.81, 0.0, 0.0, 0.0, 0.0, 2e-5, -4e-5]
    return {'imu': np.tile(np.array(row, np.float32), (1, rows, 1)),
            'imu_mask': np.ones((1, rows), bool)}
