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

"""report.html: the paper's Table I and Fig. 4, 5 and 6 from our rows, beside the paper's numbers.

One self-contained file, from the template `report.html.jinja`.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment

from utt_ros.evaluation.report.claims import paper_claims
from utt_ros.evaluation.report.figures import Bars, Curves, draw_bars, draw_curves
from utt_ros.evaluation.report.goals import (
    MIN_UNPREDICTABLE_NMSE,
    fewshot_goals,
    floor_goals,
    gate_goals,
    min_ratio,
    operation_goals,
    task_goals,
    withheld_goals,
    worst_case,
)
from utt_ros.evaluation.report.paper_figures import (
    PAPER_ENERGY,
    PAPER_SPECIFIC,
    PAPER_TABLE,
    PAPER_TASKS,
)
from utt_ros.evaluation.report.seed_statistics import (
    FIELDS,
    as_cell,
    seed_statistics,
    select_cells,
    single_cell,
)
from utt_ros.evaluation.results import INFORMATIVE, read_results
from utt_ros.files import write_atomically

REPORT = 'report.html'
TEMPLATE = Path(__file__).with_name('report.html.jinja')
LETTERS = {'camera': 'V', 'ftm': 'W', 'imu': 'S'}  # modalities in the paper
OPERATIONS = ('transfer', 'merge', 'split')
READINGS = {'camera': 'vision: the boxes of people in the camera image, and their depth',
            'ftm': 'Wi-Fi: fine time measurement, the range from phone to access point',
            'imu': 'inertial sensors of the phone, with its magnetometer'}
METHODS = {
    'utt': 'the unified twin of the paper, from the sources alone',
    'utt_past': 'the same, with the preceding window of the target',
    'utt_belief': 'the unified twin, from all that the sources measured before, by the belief',
    'scratch': 'trained in a new area alone, on its first windows',
    'transferred': 'the unified twin of other areas; with windows, after the new one joined',
    'fine_tuned': 'the unified twin of other areas, trained on in the new one alone',
    'specific': 'a model trained for that kind of operation alone',
    'direct': 'direct mapping: extrapolates the past of the target, one model per target',
    'direct_reconstruct': 'an autoencoder that reads its target, for reference only',
    'ridge, ridge_past, ridge_both': 'ridge regression on features by hand, of the sources, the '
    'past of the target, or both',
    'mean, last_value': 'predict the mean, or the last value that was measured'}
TASK_METRICS = {'trajectory': ('ade_m', 'nmse_var'), 'position': ('median_m', 'nmse_var'),
                'imu': ('nmse_var', 'step_frequency_error_hz')}
WINDOWS = '_windows'  # after their number in operations of the fewshot suite
MAX_WINDOWS = 10**9
Panels = dict[str, tuple[Sequence[str], Bars]]


def write_report(folder: Path) -> Path:
    """Write the report of the results in a folder; return its path. Raises UttError."""
    rows = read_results(folder)
    about, statistics = rows.attrs['about'], seed_statistics(rows)
    template = Environment(autoescape=True, trim_blocks=True).from_string(
        TEMPLATE.read_text(encoding='utf-8'))
    page = template.render(
        about=[(name, value) for name, value in about.items() if value not in (None, [], '')],
        data=about.get('data', ''), methods=METHODS.items(), goals=_goals(statistics),
        letters=[(LETTERS[name], text) for name, text in READINGS.items()],
        **_claims(statistics), unpredictable_note=_unpredictable_note(statistics),
        times=_times(statistics), fusors=_figure(_fusors(statistics), 'NMSE_var'),
        energies=_energies(statistics),
        specific=_figure(_specific(statistics), 'NMSE_var'), paper_specific=PAPER_SPECIFIC,
        operations=_figure(_operations(statistics), 'NMSE_var'),
        fewshot=_few_shot_figure(statistics),
        has_tasks=len(select_cells(statistics, suite='tasks')) > 0,
        tasks=_figure(_tasks(statistics), ''), paper_tasks=PAPER_TASKS,
        fields=FIELDS, rows=_all_rows(statistics))
    path = folder / REPORT
    write_atomically(path, page.encode())
    return path


def _claims(statistics: pd.DataFrame) -> dict[str, Any]:
    """Rows of the claims of the paper, how many were measured and how many hold."""
    claims = paper_claims(statistics)
    verdicts = [claim.verdict for claim in claims]
    return {'claims': [(claim.text, claim.place, claim.verdict, _number(claim.paper),
                        _number(claim.found.value)) for claim in claims],
            'held': verdicts.count('yes'),
            'compared': len(verdicts) - verdicts.count('not measured')}


def _goals(statistics: pd.DataFrame) -> list[tuple[str, ...]]:
    goals = [*floor_goals(statistics), *gate_goals(statistics), *withheld_goals(statistics),
             *fewshot_goals(statistics),
             *operation_goals(statistics), *task_goals(statistics)]
    return [(goal.text, goal.verdict, _number(goal.value),
             f'{"≤" if goal.at_most else "≥"} {goal.limit:g}') for goal in goals]


def _unpredictable_note(statistics: pd.DataFrame) -> str:
    """Sentence on channels that no method predicts; empty where a ratio has no value."""
    ratios = {name: min_ratio(statistics, name) for name in ('merge', 'split')}
    if not all(map(isfinite, ratios.values())):
        return ''
    bounds = ', '.join(f'{name} {_number(ratio)}' for name, ratio in ratios.items())
    return (f'Some channels have an NMSE_var of at least {MIN_UNPREDICTABLE_NMSE} whatever the '
            'method. With those at their best and all others perfect, the ratios to direct '
            f'mapping would be: {bounds}.')


def _times(statistics: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows of Table I."""
    return [
        (method.removesuffix('_single'), operation,
         *(_number(worst_case(statistics, method, operation, metric))
           for metric in ('time_s', 'compute_s', 'bytes', 'nmse_var')),
         f'{seconds:g}', f'{error:g}')
        for (method, operation), (seconds, error) in PAPER_TABLE.items()]


def _energies(statistics: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows of the directions for which the paper prints an NMSE."""
    return [
        (operation, _direction(sources, target),
         *(str(single_cell(statistics, suite='fusors', operation=operation, sources=sources,
                           target=target, fusor='gating', metric=metric))
           for metric in ('nmse_energy', 'nmse_var')), f'{number:g}')
        for (operation, sources, target), number in PAPER_ENERGY.items()]


def _fusors(statistics: pd.DataFrame) -> Panels:
    """Panels by operation: groups are directions, series are fusors."""
    return _panels(select_cells(statistics, suite='fusors', metric='nmse_var'), 'fusor')


def _specific(statistics: pd.DataFrame) -> Panels:
    cells = select_cells(statistics, suite='operations', metric='nmse_var')
    panels = _panels(cells, 'method', reference='specific', series=('utt', 'specific'))
    names = {'utt': 'unified', 'specific': 'function-specific'}
    return {operation: (groups, {names[name]: values for name, values in bars.items()})
            for operation, (groups, bars) in panels.items()}


def _operations(statistics: pd.DataFrame) -> Panels:
    cells = select_cells(statistics, suite='operations')
    methods = sorted(set(cells['method']) - {'specific'})
    return _panels(select_cells(cells, metric='nmse_var'), 'method', reference='utt',
                   series=methods)


def _panels(
    cells: pd.DataFrame, field: str, reference: str = '', series: Sequence[str] = (),
) -> Panels:
    """Panels by operation: groups are the directions of `reference`, series by `field`."""
    panels: Panels = {}
    for operation in OPERATIONS:
        part = select_cells(cells, operation=operation)
        base = select_cells(part, **{field: reference}) if reference else part
        directions = sorted(set(zip(base['sources'], base['target'], strict=True)))
        names = series or sorted(set(part[field]))
        if directions:
            panels[operation] = ([_direction(*direction) for direction in directions], {
                name: [_bar(part, sources=sources, target=target, **{field: name})
                       for sources, target in directions] for name in names})
    return panels


def _tasks(statistics: pd.DataFrame) -> Panels:
    """Panels by operation: groups are targets, series are methods."""
    cells = select_cells(statistics, suite='tasks')
    panels: Panels = {}
    for operation in sorted(set(cells['operation'])):
        part = select_cells(cells, operation=operation)
        metric = next((name for name in TASK_METRICS.get(operation, ('median_m', 'ade_m'))
                       if name in set(part['metric'])), None)
        if metric is None:
            continue
        part = select_cells(part, metric=metric)
        targets = sorted(set(part['target']))
        panels[f'{operation}: {metric}'] = (targets, {
            method: [_bar(part, method=method, target=target) for target in targets]
            for method in sorted(set(part['method']))})
    return panels


def _few_shot_figure(statistics: pd.DataFrame) -> str:
    """Curves over the windows of a new area, in base 64; empty without results."""
    cells = select_cells(statistics, suite='fewshot', metric=INFORMATIVE)
    names = {name for name in cells['operation'] if name.endswith(WINDOWS)}
    sizes = sorted(names, key=lambda name: int(name.removesuffix(WINDOWS).replace('all', '-1'))
                   % MAX_WINDOWS)
    panels: dict[str, tuple[Sequence[str], Curves]] = {}
    for sources, target in sorted(set(zip(cells['sources'], cells['target'], strict=True))):
        part = select_cells(cells, sources=sources, target=target)
        panels[_direction(sources, target)] = (
            [name.removesuffix(WINDOWS) for name in sizes],
            {method: [_interval(select_cells(part, method=method, operation=name))
                      for name in sizes] for method in sorted(set(part['method']))})
    return b64encode(draw_curves(panels, 'NMSE_var, informative')).decode() if panels else ''


def _interval(cells: pd.DataFrame) -> tuple[float, float, float]:
    """Mean and interval of the first cell."""
    for row in cells.itertuples():
        cell = as_cell(row)
        return cell.mean, cell.low, cell.high
    return nan, nan, nan


def _bar(cells: pd.DataFrame, **fields: str) -> tuple[float, float]:
    """Mean and standard deviation of the first cell with these values."""
    for row in select_cells(cells, **fields).itertuples():
        cell = as_cell(row)
        return cell.mean, cell.std
    return nan, 0.0


def _all_rows(statistics: pd.DataFrame) -> list[tuple[str, ...]]:
    rows: Iterable[Any] = statistics.sort_values(list(FIELDS)).itertuples()
    return [(*(getattr(row, name) for name in FIELDS), str(as_cell(row)), str(row.n_windows))
            for row in rows]


def _direction(sources: str, target: str) -> str:
    """Name of a direction in the paper, such as 'V+W→S'."""
    read, written = (
        '+'.join(LETTERS.get(name, name) for name in names.split('+'))
        for names in (sources, target))
    return f'{read}→{written}'


def _number(value: float) -> str:
    return f'{value:.4g}' if isfinite(value) else '-'


def _figure(panels: Panels, ylabel: str) -> str:
    """PNG of the panels in base 64; empty without panels."""
    return b64encode(draw_bars(panels, ylabel)).decode() if panels else ''
