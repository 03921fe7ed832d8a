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

"""Statistics of rows over seeds."""

from math import isnan

import pandas as pd
import pytest

from utt_ros.evaluation.report.seed_statistics import (
    MISSING,
    mean_over_targets,
    seed_statistics,
    single_cell,
)

ROW = {'suite': 's', 'method': 'utt', 'operation': 'merge', 'sources': 'ftm', 'target': 'camera',
       'fusor': 'max', 'seed': 0, 'metric': 'nmse_var', 'value': 1.0, 'n_windows': 5}


def statistics(*changes: dict[str, object]) -> pd.DataFrame:
    return seed_statistics(pd.DataFrame([ROW | change for change in changes]))


def test_cell_has_mean_and_deviation_over_seeds() -> None:
    cell = single_cell(statistics({'value': 1.0}, {'seed': 1, 'value': 3.0}), metric='nmse_var')
    assert (cell.mean, cell.std, cell.seeds) == (2.0, pytest.approx(2.0**0.5), 2)
    assert str(cell) == '2 ± 1.4'


def test_cell_shows_the_interval_over_walks() -> None:
    cell = single_cell(statistics({'low': 0.5, 'high': 2.0}, {'seed': 1, 'low': 0.7, 'high': 3.0}),
                       metric='nmse_var')
    assert (cell.low, cell.high) == pytest.approx((0.6, 2.5))
    assert str(cell) == '1 ± 0 [0.6, 2.5]'


def test_missing_value_of_one_seed_is_missing_over_all() -> None:
    table = statistics({'value': None}, {'seed': 1})
    assert isnan(single_cell(table, metric='nmse_var').mean)


def test_cell_that_is_absent_or_ambiguous_is_missing() -> None:
    table = statistics({}, {'method': 'direct'})
    assert single_cell(table, metric='nmse_var') is MISSING
    assert single_cell(table, method='other') is MISSING


def test_every_target_has_the_same_weight() -> None:
    table = statistics({'value': 1.0}, {'target': 'imu', 'value': 2.0},
                       {'target': 'imu', 'sources': 'camera', 'value': 4.0})
    assert mean_over_targets(table, method='utt') == pytest.approx(2.0)
    assert isnan(mean_over_targets(table, method='other'))


@pytest.mark.parametrize('place', [0, 1, 2])
def test_mean_over_targets_is_missing_if_a_direction_has_no_value(place: int) -> None:
    rows: list[dict[str, object]] = [
        {'value': 1.0}, {'target': 'imu'}, {'target': 'imu', 'sources': 'camera'}]
    rows[place] |= {'value': None}
    assert isnan(mean_over_targets(statistics(*rows), method='utt'))


def test_row_without_fusor_is_kept() -> None:
    assert seed_statistics(pd.DataFrame([ROW | {'fusor': None}]))['mean'].tolist() == [1.0]
