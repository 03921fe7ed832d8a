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

"""Goals compared with results."""

from math import isnan, nan

import pandas as pd
import pytest

from utt_ros.evaluation.report.goals import (
    Goal,
    fewshot_goals,
    floor_goals,
    gate_goals,
    gate_win_share,
    min_ratio,
    operation_goals,
    task_goals,
    withheld_goals,
    worst_case,
)
from utt_ros.evaluation.report.seed_statistics import seed_statistics

COLUMNS = ('suite', 'method', 'operation', 'sources', 'target', 'fusor', 'seed', 'metric', 'value',
           'n_windows', 'low', 'high')


def row(**given: object) -> dict[str, object]:
    return {'suite': 'operations', 'method': 'utt', 'operation': 'merge', 'sources': 'ftm+imu',
            'target': 'camera', 'fusor': 'gating', 'seed': 0, 'metric': 'nmse_var', 'value': 1.0,
            'n_windows': 5, **given}


def statistics(*rows: dict[str, object]) -> pd.DataFrame:
    return seed_statistics(pd.DataFrame(list(rows), columns=COLUMNS))


def fusors(**values: float | list[float]) -> pd.DataFrame:
    return statistics(*(
        row(suite='fusors', fusor=name, seed=seed, value=value)
        for name, given in values.items()
        for seed, value in enumerate(given if isinstance(given, list) else [given])))


def test_ratios_give_every_target_the_same_weight() -> None:
    table = statistics(
        row(value=0.2), row(target='ftm', sources='camera', value=0.3),
        row(target='ftm', sources='imu', value=0.5),
        row(method='direct', value=0.4), row(method='direct', target='ftm', value=0.8))
    merge = next(
        goal for goal in operation_goals(table) if goal.text.startswith('merge, utt / direct'))
    assert merge.value == pytest.approx(0.3 / 0.6)
    assert merge.verdict == 'reached'


def test_a_goal_without_rows_is_not_measured() -> None:
    assert {goal.verdict for goal in operation_goals(statistics())} == {'not measured'}


def test_the_worst_direction_at_its_worse_end_counts() -> None:
    ratios = [row(metric='nmse_var_to_ridge', value=0.8, low=0.7, high=0.85),
              row(metric='nmse_var_to_ridge', value=0.85, low=0.8, high=0.95, target='imu')]
    goal = next(goal for goal in floor_goals(statistics(*ratios)) if goal.text.startswith('utt /'))
    assert (goal.value, goal.verdict) == (0.95, 'missed')
    unknown = row(metric='nmse_var_to_ridge', target='ftm')
    assert floor_goals(statistics(*ratios, unknown))[0].verdict == 'not measured'


def test_a_withheld_sensor_is_compared_with_its_best_rival_at_the_worse_end() -> None:
    ratio = {'suite': 'withheld', 'method': 'utt_belief', 'operation': 'withheld_6s',
             'metric': 'nmse_var_to_best_rival'}
    goals = {goal.text.partition(':')[0]: goal for goal in withheld_goals(statistics(
        row(**ratio, value=0.3, low=0.28, high=0.34),
        row(**ratio, target='ftm', value=0.1, low=0.08, high=0.13),
        row(**ratio | {'method': 'utt'}, target='imu', value=0.1, low=0.1, high=0.1)))}
    assert len(goals) == 12
    box, other, field = (goals[f'{name} withheld for 6 s'] for name in ('camera', 'ftm', 'imu'))
    assert (box.value, box.limit, box.verdict) == (0.34, 0.35, 'reached')
    assert (other.value, other.limit, other.verdict) == (0.13, 0.12, 'missed')
    assert (field.limit, field.verdict) == (0.35, 'not measured')
    assert goals['imu withheld for 0 s'].limit == 0.9


def test_a_new_area_is_judged_in_its_worst_direction_at_the_worse_end() -> None:
    given = {'suite': 'fewshot', 'method': 'transferred'}
    zero = given | {'operation': '0_windows', 'metric': 'nmse_var_to_all_windows'}
    needed = given | {'operation': 'windows_needed', 'metric': 'windows_to_scratch'}
    goals = fewshot_goals(statistics(
        row(**zero, value=1.0, low=0.9, high=1.1), row(**zero, target='ftm', value=1.1, high=1.2),
        row(**needed, value=0.02, low=0.0, high=0.08),
        row(**needed | {'method': 'fine_tuned'}, value=1.0, low=1.0, high=1.0)))
    assert [(goal.value, goal.limit, goal.verdict) for goal in goals] == [
        (1.2, 1.15, 'missed'), (0.08, 0.1, 'reached')]


def test_gates_are_judged_with_corrupted_sources_and_by_those_trained_with_them() -> None:
    gate = {'suite': 'fusors', 'method': 'utt_corrupted', 'operation': 'merge_corrupted_ftm'}
    to_source, to_average = (
        f'nmse_var_informative_to_{other}' for other in ('best_source', 'average'))
    goals = gate_goals(statistics(
        row(**gate, metric=to_source, value=0.9, low=0.8, high=0.99),
        row(**gate | {'operation': 'merge'}, metric=to_source, value=2.0, low=2.0, high=2.0),
        row(**gate | {'method': 'utt'}, metric=to_source, value=2.0, low=2.0, high=2.0),
        row(**gate, fusor='max', metric=to_source, value=2.0, low=2.0, high=2.0),
        row(**gate, metric=to_average, value=0.8, low=0.7, high=0.95),
        row(suite='federation', method='mixed_gated', value=1.0, low=0.99, high=1.005,
            metric='nmse_var_informative_to_fedavg')))
    assert [(goal.value, goal.verdict) for goal in goals[:2]] == [
        (0.99, 'reached'), (0.95, 'missed')]
    assert goals[2].verdict == 'not measured'
    assert (goals[3].value, goals[3].verdict) == (1.005, 'reached')


def test_goal_can_be_a_minimum() -> None:
    assert Goal('', 0.7, 0.8, at_most=False).verdict == 'missed'
    assert Goal('', nan, 0.8).verdict == 'not measured'


def test_gate_wins_within_one_deviation_of_the_best() -> None:
    assert gate_win_share(fusors(gating=0.6, gating_sum=0.5, max=0.5)) == 1.0
    assert gate_win_share(fusors(gating=[0.52, 0.5], max=[0.44, 0.56])) == 1.0
    assert gate_win_share(fusors(gating=0.6, max=0.5)) == 0.0


def test_a_split_is_its_transfers_and_no_direction_of_its_own() -> None:
    table = statistics(*(row(suite='fusors', operation=operation, fusor=fusor, value=value)
                         for operation, values in (('merge', (0.5, 0.6)), ('split', (0.6, 0.5)))
                         for fusor, value in zip(('gating', 'max'), values, strict=True)))
    assert gate_win_share(table) == 1.0


@pytest.mark.filterwarnings('error')
def test_direction_whose_gates_have_no_value_is_lost() -> None:
    assert gate_win_share(fusors(gating=nan, concat=0.5)) == 0.0
    assert gate_win_share(fusors(gating=nan, gating_sum=nan)) == 0.0


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('unmeasured', ['gating', 'gating_sum', 'max'])
def test_share_of_wins_is_not_measured_if_a_fusor_has_no_value(unmeasured: str) -> None:
    values = {'max': 0.5, 'gating': 0.4, 'gating_sum': 0.6} | {unmeasured: nan}
    assert isnan(gate_win_share(fusors(**values)))


def test_worst_case_is_the_maximum_over_configurations() -> None:
    table = statistics(*(
        row(suite='federation', method='utt_single', sources=name, metric='time_s', value=value)
        for name, value in (('a', 2.0), ('b', 5.0))))
    assert worst_case(table, 'utt_single', 'merge', 'time_s') == 5.0


@pytest.mark.parametrize('values', [(nan, 5.0), (5.0, nan)])
def test_worst_case_is_not_measured_if_a_configuration_has_no_value(
    values: tuple[float, float],
) -> None:
    table = statistics(*(
        row(suite='federation', method='utt_single', sources=name, metric='time_s', value=value)
        for name, value in zip('ab', values, strict=True)))
    assert isnan(worst_case(table, 'utt_single', 'merge', 'time_s'))


def test_unpredictable_channels_bound_the_ratio() -> None:
    table = statistics(
        row(metric='nmse_var_depth_m', value=0.1), row(metric='nmse_var_width_px', value=1.1),
        row(method='direct', metric='nmse_var_depth_m', value=0.3),
        row(method='direct', metric='nmse_var_width_px', value=1.0),
        row(method='direct', value=0.65),
        row(method='direct_reconstruct', metric='nmse_var_width_px', value=0.1))
    assert min_ratio(table, 'merge') == pytest.approx((0.0 + 1.0) / 2 / 0.65)


def test_bound_of_the_ratio_is_not_measured_if_a_channel_has_no_value() -> None:
    channels = [row(metric='nmse_var_depth_m', value=1.0),
                row(metric='nmse_var_width_px', value=nan)]
    assert isnan(min_ratio(
        statistics(*channels, row(method='direct', value=0.65)), 'merge'))
    channels.append(row(method='utt_past', metric='nmse_var_width_px', value=0.9))
    assert min_ratio(statistics(*channels, row(method='direct', value=0.5)),
                     'merge') == pytest.approx((1.0 + 0.9) / 2 / 0.5)
    channels.append(row(method='direct', target='ftm', value=nan))
    assert isnan(min_ratio(statistics(*channels, row(method='direct', value=0.5)), 'merge'))


def task_row(
    method: str, operation: str, target: str, metric: str, value: float,
) -> dict[str, object]:
    return row(suite='tasks', method=method, operation=operation, sources='camera', target=target,
               fusor='none', metric=metric, value=value)


def test_task_goals_are_reached_missed_or_not_measured() -> None:
    goals = task_goals(statistics(
        task_row('utt', 'position', 'camera', 'median_m', 0.1),
        task_row('utt', 'position', 'camera', 'p90_m', 0.5),
        task_row('utt', 'trajectory', '1s', 'ade_m', 0.3),
        task_row('kalman_camera', 'trajectory', '1s', 'ade_m', 0.5),
        task_row('utt', 'interval', 'camera', 'coverage_90', 0.97)))
    verdicts = [goal.verdict for goal in goals]
    assert verdicts[:4] == ['reached', 'missed', 'not measured', 'not measured']
    path, later = (goal for goal in goals if goal.text.startswith('ADE'))
    assert path.value == 0.6
    assert path.verdict == 'reached'
    assert isnan(later.value)
    assert verdicts[6:8] == ['reached', 'missed']  # too wide
