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

"""Goals of the evaluation, compared with the results."""

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import pandas as pd

from utt_ros.evaluation.report.seed_statistics import (
    mean_over_targets,
    select_cells,
    single_cell,
)
from utt_ros.evaluation.results import (
    MERGE_TO_BEST_SOURCE,
    OF_WINDOWS_FROM_SCRATCH,
    TO_ALL_WINDOWS,
    TO_BEST_RIVAL,
    TO_BEST_SOURCE,
    TO_FEDAVG,
    TO_FUSORS,
    TO_RIDGE,
)

GATES = ('gating', 'gating_sum')
MIN_UNPREDICTABLE_NMSE = 0.85  # NMSE_var of a channel that hardly depends on the measurements
CAMERA_GOALS_M = {'median_m': 0.15, 'p90_m': 0.45}
CAMERA_GONE_GOALS_M = {'median_m': 1.2, 'p90_m': 3.5}
BELOW_CONSTANT_VELOCITY = 0.8
BELOW_FLOOR = 0.9
WITHHELD_GOALS = {  # ratios to the best rival, by target and seconds since the sensor was seen
    'camera': {0: BELOW_FLOOR, 3: 0.45, 6: 0.35, 12: 0.30},
    'ftm': {0: BELOW_FLOOR, 3: 0.30, 6: 0.12, 12: 0.08},
    'imu': {0: BELOW_FLOOR, 3: 0.35, 6: 0.35, 12: 0.35}}
NEW_AREA_GOALS = {
    TO_ALL_WINDOWS: (
        'zero-shot / transferred with all windows, NMSE_var of informative channels', 1.15),
    OF_WINDOWS_FROM_SCRATCH: ('windows needed transferred / from scratch', 0.1)}
COVERAGE = (0.85, 0.95)
NO_WORSE_THAN_FEDAVG = 1.01


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal; `value` is NaN where a suite that it needs was not run."""

    text: str
    value: float
    limit: float
    at_most: bool = True

    @property
    def verdict(self) -> str:
        """Return 'reached', 'missed' or 'not measured'."""
        if not isfinite(self.value):
            return 'not measured'
        met = self.value <= self.limit if self.at_most else self.value >= self.limit
        return 'reached' if met else 'missed'


def operation_goals(statistics: pd.DataFrame) -> list[Goal]:
    """Evaluate the goals of the operations, fusors and federation suites."""
    goals = [Goal(f'{operation}, {method} / direct, NMSE_var, mean over targets',
                  error_ratio(statistics, operation, method, 'direct', 'operations'), limit)
             for operation, limit in (('merge', 0.51), ('split', 0.76))
             for method in ('utt', 'utt_past')]
    goals += [
        Goal('unified / function-specific, NMSE_var',
             mean_error_ratio(statistics, 'operations', 'utt', 'specific'), 1.05),
        Goal('federated / centralised, NMSE_var',
             mean_error_ratio(statistics, 'federation', 'utt', 'centralised'), 1.02),
        Goal('directions in which a gate is best, or within one deviation of the best',
             gate_win_share(statistics), 0.8, at_most=False)]
    for other, limit in (('direct_single', 0.585), ('centralised_single', 0.88)):
        name = other.removesuffix('_single')
        goals += [Goal(f'{operation}, time to map all twins, utt / {name}',
                       worst_case(statistics, 'utt_single', operation, 'time_s')
                       / worst_case(statistics, other, operation, 'time_s'), limit)
                  for operation in ('split', 'merge')]
    return goals


def floor_goals(statistics: pd.DataFrame) -> list[Goal]:
    """Evaluate the goals against ridge regression and single sources, at the worse end."""
    goals = [
        Goal(f'{method} / ridge on the same inputs, NMSE_var, worst direction, upper end of 95 %',
             worst_upper_end(statistics, suite='operations', method=method, metric=TO_RIDGE),
             limit)
        for method, limit in (
            ('utt', BELOW_FLOOR), ('utt_past', 1.0), ('direct', 1.0))]
    return [*goals, Goal(
        'boxes: merge / its best single source, NMSE_var, upper end of 95 %',
        worst_upper_end(statistics, suite='operations', method='utt', metric=TO_BEST_SOURCE,
                        target='camera'),
        BELOW_FLOOR)]


def gate_goals(statistics: pd.DataFrame) -> list[Goal]:
    """Evaluate the goals of corrupted sources and of mixed sensors, at the worse end."""
    suite = select_cells(statistics, suite='fusors', method='utt_corrupted', fusor='gating')
    corrupted = suite[suite['operation'].str.startswith('merge_corrupted_').to_numpy(bool)]
    text = 'one source corrupted in 20 % of windows, merge by the gate'
    end = 'NMSE_var of informative channels, worst direction, upper end of 95 %'
    return [
        Goal(f'{text} / its best single source, {end}',
             worst_upper_end(corrupted, metric=MERGE_TO_BEST_SOURCE), 1.0),
        *(Goal(f'{text} / {fusor}, {end}', worst_upper_end(corrupted, metric=metric), BELOW_FLOOR)
          for fusor, metric in TO_FUSORS.items()),
        Goal(f'areas with different sensors, gated aggregation / FedAvg, {end}',
             worst_upper_end(statistics, suite='federation', method='mixed_gated',
                             metric=TO_FEDAVG), NO_WORSE_THAN_FEDAVG)]


def withheld_goals(statistics: pd.DataFrame) -> list[Goal]:
    """Evaluate the goals of the withheld suite, at the worse end."""
    return [
        Goal(f'{target} withheld for {gap_s} s: utt_belief / the best rival, NMSE_var of '
             'informative channels, upper end of 95 %',
             worst_upper_end(statistics, suite='withheld', method='utt_belief',
                             operation=f'withheld_{gap_s}s', target=target,
                             metric=TO_BEST_RIVAL), limit)
        for target, limits in WITHHELD_GOALS.items() for gap_s, limit in limits.items()]


def fewshot_goals(statistics: pd.DataFrame) -> list[Goal]:
    """Evaluate the goals in new areas, at the worse end."""
    return [
        Goal(f'new area: {text}, worst direction, upper end of 95 %',
             worst_upper_end(statistics, suite='fewshot', method='transferred', metric=metric),
             limit)
        for metric, (text, limit) in NEW_AREA_GOALS.items()]


def worst_upper_end(statistics: pd.DataFrame, **fields: str) -> float:
    """Maximum of the upper ends of intervals; NaN without any or if a cell has none or no mean."""
    cells = select_cells(statistics, **fields)
    return float(cells['high'].where(cells['mean'].notna()).max(skipna=False))


def task_goals(statistics: pd.DataFrame) -> list[Goal]:
    """Evaluate the goals of the tasks suite."""
    goals = [
        Goal(f'{text}, 2-D error, {metric}',
             _task(statistics, 'utt', 'position', target, metric), limit)
        for target, text, limits in (
            ('camera', 'camera present', CAMERA_GOALS_M),
            ('camera_gone', 'camera gone > 0.5 s', CAMERA_GONE_GOALS_M))
        for metric, limit in limits.items()]
    goals += [
        Goal(f'ADE {horizon} / constant velocity on Kalman-filtered observations',
             _task(statistics, 'utt', 'trajectory', horizon, 'ade_m')
             / _task(statistics, 'kalman_camera', 'trajectory', horizon, 'ade_m'),
             BELOW_CONSTANT_VELOCITY)
        for horizon in ('1s', '3s')]
    for target in ('camera', 'camera_gone'):
        covered = _task(statistics, 'utt', 'interval', target, 'coverage_90')
        text = f'{target}: share of the truth inside 90 % ellipses'
        goals += [Goal(text, covered, COVERAGE[0], at_most=False),
                  Goal(text, covered, COVERAGE[1])]
    return goals


def min_ratio(statistics: pd.DataFrame, operation: str) -> float:
    """Lower bound of the ratio to direct mapping, given channels that no method can predict.

    Channels with NMSE_var of at least MIN_UNPREDICTABLE_NMSE for every method keep their best
    value; all others are perfect. An autoencoder, which reads its target, is not a method here.
    NaN if a channel has no value of any method.
    """
    cells = select_cells(statistics, suite='operations', operation=operation)
    cells = cells[cells['metric'].str.startswith('nmse_var_').to_numpy(bool)
                  & (cells['method'] != 'direct_reconstruct').to_numpy(bool)]
    best = cells.groupby(['target', 'metric'], sort=False, as_index=False)['mean'].min()
    best['mean'] = best['mean'].mask(best['mean'] < MIN_UNPREDICTABLE_NMSE, 0.0)
    direct = mean_over_targets(
        statistics, suite='operations', method='direct', operation=operation, metric='nmse_var')
    return mean_over_targets(best) / direct


def worst_case(
    statistics: pd.DataFrame, method: str, operation: str, metric: str,
) -> float:
    """Maximum over the configurations of an operation; NaN without any or if one has none."""
    return float(select_cells(
        statistics, suite='federation', method=method, operation=operation,
        metric=metric)['mean'].max(skipna=False))


def gate_win_share(statistics: pd.DataFrame) -> float:
    """Share of directions in which the better gate is best or within one std of the best.

    A split is its transfers, and not a direction of its own.
    A direction whose gates have no value is lost; NaN if another fusor has none.
    """
    cells = select_cells(statistics, suite='fusors', metric='nmse_var')
    cells = cells[(cells['operation'] != 'split').to_numpy(bool)]
    wins = [_gate_wins(fusors)
            for _, fusors in cells.groupby(['operation', 'sources', 'target'])]
    return float(np.mean(wins)) if wins else nan


def _gate_wins(fusors: pd.DataFrame) -> float:
    gates = fusors[fusors['fusor'].isin(GATES)]
    if gates['mean'].isna().all():
        return 0.0
    if fusors['mean'].isna().any():
        return nan
    best, gate = (part.loc[part['mean'].idxmin()] for part in (fusors, gates))
    return float(gate['mean'] <= best['mean'] + max(best['std'], gate['std']))


def error_ratio(
    statistics: pd.DataFrame, operation: str, method: str, reference: str, suite: str,
) -> float:
    means = [mean_over_targets(statistics, suite=suite, method=name, operation=operation,
                               metric='nmse_var') for name in (method, reference)]
    return means[0] / means[1]


def mean_error_ratio(
    statistics: pd.DataFrame, suite: str, method: str, reference: str,
) -> float:
    """Mean over operations of the ratio of means over directions."""
    cells = select_cells(statistics, suite=suite, method=reference, metric='nmse_var')
    ratios = [error_ratio(statistics, operation, method, reference, suite)
              for operation in sorted(set(cells['operation']))]
    return float(np.mean(ratios)) if ratios else nan


def _task(
    statistics: pd.DataFrame, method: str, operation: str, target: str, metric: str,
) -> float:
    return single_cell(statistics, suite='tasks', method=method, operation=operation,
                       target=target, metric=metric).mean
