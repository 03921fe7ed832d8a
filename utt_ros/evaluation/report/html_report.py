"""report.html: the paper's Table I and Fig. 4, 5 and 6 from our rows, beside the paper's numbers.

One file without any reference to another.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

from utt_ros.evaluation.report.figures import Bars, bars
from utt_ros.evaluation.report.goals import UNTOLD, goals, least_ratio, worst
from utt_ros.evaluation.report.paper_figures import (
    PAPER_ENERGY,
    PAPER_SPECIFIC,
    PAPER_TABLE,
    PAPER_TASKS,
)
from utt_ros.evaluation.report.results_table import FIELDS, Cell, Key, Table, read_results
from utt_ros.evaluation.report.task_targets import task_goals
from utt_ros.files import write_atomically

REPORT = 'report.html'
LETTERS = {'camera': 'V', 'ftm': 'W', 'imu': 'S'}  # as the paper calls its modalities
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; } th, td { padding: .2em .8em; text-align: left;
border-bottom: 1px solid #ddd; } img { max-width: 100%; } .missed { color: #b00; }
.reached { color: #070; } .note { color: #555; } details { font-size: 12px; }
"""


def write_report(folder: Path) -> Path:
    """Write the report of the results in a folder; returns its path. Raises UttError."""
    table, about = read_results(folder)
    parts = [_about(about), _goals(table), _table_one(table), _figure_four(table),
             _figure_five(table), _operations(table), _figure_six(table), _rows(table)]
    page = ('<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>utt evaluate</title>'
            f'<style>{STYLE}</style><body><h1>Unified Twin Transformation, evaluated</h1>'
            f'{"".join(parts)}</body></html>')
    path = folder / REPORT
    write_atomically(path, page.encode())
    return path


def _about(about: dict[str, Any]) -> str:
    lines = [f'{name}: {value}' for name, value in about.items() if value not in (None, [], '')]
    return '<p class="note">' + '<br>'.join(escape(line) for line in lines) + '</p>'


def _goals(table: Table) -> str:
    rows = [(goal.text, _number(goal.value), f'{"≤" if goal.at_most else "≥"} {goal.limit:g}',
             goal.verdict) for goal in [*goals(table), *task_goals(table)]]
    least = ', '.join(f'{name} {_number(least_ratio(table, name))}' for name in ('merge', 'split'))
    text = (f'<p class="note">Some channels have an NMSE_var of at least {UNTOLD} whatever the '
            f'method. With those at their best and all others perfect the ratio to direct mapping '
            f'would be: {least}.</p>')
    return '<h2>Goals</h2>' + _html_table(('what', 'reached', 'goal', ''), rows) + text


def _table_one(table: Table) -> str:
    rows = []
    for (method, operation), (seconds, error) in PAPER_TABLE.items():
        ours = [worst(table, method, operation, metric)
                for metric in ('time_s', 'compute_s', 'bytes', 'nmse_var')]
        rows.append((method.removesuffix('_single'), operation, *map(_number, ours),
                     f'{seconds:g}', f'{error:g}'))
    text = ('<p class="note">Time to map all twins by one kind of operation: computation with '
            'areas at once, and transfers at the link rate in the rows. Direct mapping builds '
            'them by one pipeline after the other.</p>')
    head = ('method', 'operation', 'time [s]', 'compute [s]', 'bytes', 'NMSE_var',
            'paper: time [s]', 'paper: NMSE')
    return '<h2>Table I: time and error</h2>' + text + _html_table(head, rows)


def _figure_four(table: Table) -> str:
    panels: dict[str, tuple[Sequence[str], Bars]] = {}
    for operation in ('transfer', 'merge', 'split'):
        cells = table.find(suite='fusors', operation=operation, metric='nmse_var')
        panels |= {operation: _by_fusor(cells)} if cells else {}
    if not panels:
        return _absent('Fig. 4: fusors', 'fusors')
    rows = [(operation, _direction(sources, target), str(table.one(
                suite='fusors', operation=operation, sources=sources, target=target,
                fusor='gating', metric='nmse_energy')), str(table.one(
                suite='fusors', operation=operation, sources=sources, target=target,
                fusor='gating', metric='nmse_var')), f'{number:g}')
            for (operation, sources, target), number in PAPER_ENERGY.items()]
    head = ('operation', 'direction', 'gating: NMSE_energy [%]', 'gating: NMSE_var',
            'paper: gating, NMSE')
    return ('<h2>Fig. 4: fusors</h2>' + _image(bars(panels, 'NMSE_var'))
            + _html_table(head, rows))


def _by_fusor(cells: Mapping[Key, Cell]) -> tuple[Sequence[str], Bars]:
    """Groups are directions, series are fusors."""
    directions = sorted({(key[3], key[4]) for key in cells})
    of = {(key[3], key[4], key[5]): cell for key, cell in cells.items()}
    series = {fusor: [_pair(of.get((*direction, fusor))) for direction in directions]
              for fusor in sorted({key[5] for key in cells})}
    return [_direction(*direction) for direction in directions], series


def _figure_five(table: Table) -> str:
    panels: dict[str, tuple[Sequence[str], Bars]] = {}
    for operation in ('transfer', 'merge', 'split'):
        cells = table.find(suite='operations', method='specific', operation=operation,
                           metric='nmse_var')
        directions = sorted((key[3], key[4]) for key in cells)
        series = {label: [_pair(table.one(
                      suite='operations', method=method, operation=operation, sources=sources,
                      target=target, metric='nmse_var')) for sources, target in directions]
                  for label, method in (('unified', 'utt'), ('function-specific', 'specific'))}
        if directions:
            panels[operation] = ([_direction(*each) for each in directions], series)
    if not panels:
        return _absent('Fig. 5: unified and function-specific', 'operations')
    text = (f'<p class="note">The paper, V→W: function-specific {PAPER_SPECIFIC["specific"]}, '
            f'unified {PAPER_SPECIFIC["unified"]}.</p>')
    return ('<h2>Fig. 5: unified and function-specific</h2>' + _image(bars(panels, 'NMSE_var'))
            + text)


def _operations(table: Table) -> str:
    panels: dict[str, tuple[Sequence[str], Bars]] = {}
    methods = [name for name in table.values('method', suite='operations') if name != 'specific']
    for operation in ('transfer', 'merge', 'split'):
        cells = table.find(suite='operations', method='utt', operation=operation,
                           metric='nmse_var')
        directions = sorted((key[3], key[4]) for key in cells)
        if directions:
            panels[operation] = ([_direction(*each) for each in directions], {
                method: [_pair(table.one(
                    suite='operations', method=method, operation=operation, sources=sources,
                    target=target, metric='nmse_var')) for sources, target in directions]
                for method in methods})
    if not panels:
        return _absent('Operations beside direct mapping', 'operations')
    return ('<h2>Operations beside direct mapping</h2>' + _image(bars(panels, 'NMSE_var'))
            + '<p class="note">1.0 is what predicting the mean of the training data gives.</p>')


def _figure_six(table: Table) -> str:
    cells = table.find(suite='tasks')
    if not cells:
        return _absent('Fig. 6: downstream tasks', 'tasks')
    metrics = {'trajectory': ('ade_m', 'nmse_var'), 'position': ('median_m', 'nmse_var'),
               'imu': ('nmse_var', 'step_frequency_error_hz')}
    panels: dict[str, tuple[Sequence[str], Bars]] = {}
    for operation in sorted({key[2] for key in cells}):
        wanted = next((metric for metric in metrics.get(operation, ('median_m', 'ade_m'))
                       if table.find(suite='tasks', operation=operation, metric=metric)), None)
        found = table.find(suite='tasks', operation=operation, metric=wanted) if wanted else {}
        groups = sorted({key[4] for key in found})
        if groups:
            panels[f'{operation}: {wanted}'] = (groups, {
                method: [_pair(next((cell for key, cell in found.items()
                                     if (key[1], key[4]) == (method, group)), None))
                         for group in groups] for method in sorted({key[1] for key in found})})
    text = (f'<p class="note">The paper, trajectory prediction, normalised MSE: from real '
            f'measurements {PAPER_TASKS["real"]}, from the twin {PAPER_TASKS["twin"]}.</p>')
    image = _image(bars(panels, '')) if panels else ''
    return '<h2>Fig. 6: downstream tasks</h2>' + image + text


def _rows(table: Table) -> str:
    rows = [(*key, str(cell), str(cell.n_windows)) for key, cell in sorted(table.cells.items())]
    return (f'<h2>All rows</h2><details><summary>{len(rows)} rows, mean ± deviation over '
            f'seeds</summary>{_html_table((*FIELDS, "value", "windows"), rows)}</details>')


def _pair(cell: Cell | None) -> tuple[float, float]:
    return (cell.mean, cell.std) if cell is not None else (float('nan'), 0.0)


def _direction(sources: str, target: str) -> str:
    """Such as 'V+W→S'."""
    names = [LETTERS.get(name, name) for name in sources.split('+')]
    made = [LETTERS.get(name, name) for name in target.split('+')]
    return f'{"+".join(names)}→{"+".join(made)}'


def _absent(title: str, suite: str) -> str:
    return f'<h2>{title}</h2><p class="note">Suite {suite} was not run.</p>'


def _number(value: float) -> str:
    return f'{value:.4g}' if isfinite(value) else '-'


def _image(png: bytes) -> str:
    return f'<img alt="" src="data:image/png;base64,{b64encode(png).decode()}">'


def _html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return '<tr>' + ''.join(
            f'<{tag}{_class(cell)}>{escape(cell)}</{tag}>' for cell in cells) + '</tr>'
    return f'<table>{line(head, "th")}{"".join(line(row, "td") for row in rows)}</table>'


def _class(text: str) -> str:
    return f' class="{text}"' if text in ('reached', 'missed') else ''
