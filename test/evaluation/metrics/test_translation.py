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

"""Metrics of translated windows."""

import numpy as np
import pytest

from utt_ros.evaluation.metrics.translation import (
    TranslationLabel,
    TranslationWindows,
    last_value,
    make_prediction,
    metric_rows,
    worst_row,
)
from utt_ros.evaluation.results import Row

LABEL = TranslationLabel('s', 'm', 'transfer', 'camera', 'ftm', 'max', 0)


@pytest.fixture
def windows() -> TranslationWindows:
    """Four windows of three ticks; the past of the last one is unknown."""
    ftm = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    mask, known = np.ones((4, 3), bool), np.array([True, True, True, False])
    columns = {'camera': np.zeros((4, 3, 5), np.float32), 'camera_mask': mask,
               'ftm': ftm, 'ftm_mask': mask, 'ftm_past': ftm - 6,
               'ftm_past_mask': mask & known[:, None]}
    names = np.array(['a'] * 4)
    return TranslationWindows(
        columns, names, names, np.arange(4), {'ftm': ftm.mean((0, 1)).astype(np.float64)})


def test_only_windows_with_all_inputs_are_evaluated(windows: TranslationWindows) -> None:
    assert windows.rows_for(('camera',), 'ftm').tolist() == [0, 1, 2]


def test_mean_predictor_has_an_error_of_one(windows: TranslationWindows) -> None:
    rows = np.arange(4)
    mean = np.broadcast_to(windows.means['ftm'], (4, 3, 2)).astype(np.float32)
    assert windows.nmse_var(rows, 'ftm', mean) == pytest.approx(1.0)


def test_last_value_is_the_last_row_of_the_past(windows: TranslationWindows) -> None:
    predicted = last_value(windows.columns, 'ftm')
    assert predicted[1].tolist() == [windows.columns['ftm_past'][1, -1].tolist()] * 3


def test_rows_hold_all_metrics_of_a_direction(windows: TranslationWindows) -> None:
    rows = np.arange(3)
    prediction = make_prediction(windows, rows, windows.columns['ftm'][rows] + 1.0, LABEL)
    values = {row.metric: row.value for row in metric_rows(prediction, LABEL)}
    assert values['range_mae_m'] == pytest.approx(1.0)
    assert set(values) == {
        'nmse_var', 'nmse_energy', 'nmse_var_range_m', 'nmse_var_std_m', 'range_mae_m'}
    assert prediction.name == 's-m-transfer-camera-ftm-max-seed0'


def ratio_of(value: float, low: float, high: float) -> Row:
    return Row('s', 'm', 'merge', 'camera', 'ftm', 'max', 0, 'ratio', value, 4, low, high)


def test_worst_of_ratios_has_the_worst_ends_of_all_and_hides_none_that_is_unknown() -> None:
    worst = worst_row([ratio_of(0.85, 0.78, 0.88), ratio_of(0.84, 0.60, 0.95)])
    assert (worst.value, worst.low, worst.high) == (0.85, 0.78, 0.95)
    unknown = ratio_of(np.nan, np.nan, np.nan)
    assert np.isnan([worst_row([worst, unknown]).value, worst_row([unknown, worst]).high]).all()
