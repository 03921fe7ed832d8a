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

"""Reports of `utt run` about its areas: lines, a live table on a terminal, JSON for programs."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from utt_ros.documents import load_json
from utt_ros.errors import DocumentError
from utt_ros.orchestration.output import ProcessEvent, RunListener
from utt_ros.orchestration.spec import UTT_PROGRAM, ProcessSpec
from utt_ros.orchestration.system_status import SILENT_SEC

REPORTER = 'status'  # name of the process that reads the topics of all areas
REPORT_SEC = 10.0  # between two lines, or objects, of an area
TABLE_SEC = 1.0  # between two contents of the table
MAX_REPORT_BYTES = 4 * 2**20
COLUMNS = ('area', 'people: by sensors, deviation', 'round', 'NMSE_var', 'p99', 'state')


def reporter(period_sec: float, *, as_json: bool) -> ProcessSpec:
    """Return the process that reports: `utt status`, which reads topics like anybody else."""
    words = ('status', '--follow', f'{period_sec:g}', *(['--json'] if as_json else []))
    return ProcessSpec(REPORTER, (*UTT_PROGRAM, *words), respawn=True)


class JsonReports(RunListener):
    """Writes an object per area, per federation and per event, each on a line of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def take_line(self, process: str, line: str) -> bool:
        content = read_report(line) if process == REPORTER else None
        if content is None:
            return False
        for area, state in content['areas'].items():
            self._print({'kind': 'area', **_now(), 'area': area, **state})
        if content['federation'] is not None:
            self._print({'kind': 'federation', **_now(), **content['federation']})
        return True

    def take_event(self, event: ProcessEvent) -> None:
        self._print({'kind': 'event', **_now(), 'event': event.kind, 'process': event.process,
                     'text': event.text})

    def _print(self, content: Mapping[str, Any]) -> None:
        if self.closed:
            return
        try:
            print(json.dumps(content), file=self._stream, flush=True)
        except (BrokenPipeError, ValueError):  # ValueError: closed
            self.closed = True


class TableReports(RunListener):
    """Shows the newest report as a table below the lines of the nodes."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def take_line(self, process: str, line: str) -> bool:
        content = read_report(line) if process == REPORTER else None
        if content is not None:
            self._live.update(status_table(content))
        return content is not None


@contextmanager
def table_reports() -> Iterator[TableReports]:
    """Show a table at the end of the terminal of stderr; lines printed meanwhile go above it."""
    waiting = Text('no area is heard yet', style='dim')
    with Live(waiting, console=Console(stderr=True), refresh_per_second=2.0,
              redirect_stdout=False, vertical_overflow='crop') as live:
        yield TableReports(live)


def can_show_table() -> bool:
    """Return whether stderr is a terminal that can move its cursor."""
    console = Console(stderr=True)
    return sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal


def read_report(line: str) -> dict[str, Any] | None:
    """Return the report in a line of the reporter; None for another line, such as a warning."""
    try:
        content = load_json(line, MAX_REPORT_BYTES)
    except DocumentError:
        return None
    keys = {'areas', 'federation'}
    return content if isinstance(content, dict) and set(content) == keys else None


def status_table(content: Mapping[str, Any]) -> Table:
    """Return a row per area: who is seen by what, deviation, round, error, delay, trouble."""
    table = Table(title='Ctrl-C stops all nodes', title_style='dim', title_justify='left')
    for name in COLUMNS:
        table.add_column(name, justify='right' if name in COLUMNS[2:5] else 'left')
    for area, state in content['areas'].items():
        table.add_row(*(Text(cell) for cell in _cells(area, state)))
    if content['federation'] is not None:
        table.caption = Text(_federation(content['federation']))
        table.caption_justify = 'left'
    return table


def _cells(area: str, state: Mapping[str, Any]) -> tuple[str, ...]:
    people = [f'nothing heard for {state["age_s"]:.0f} s'] if state['age_s'] > SILENT_SEC else [
        f'{name} by {person["sources"]}, {_number(person["std_m"])} m'
        for name, person in state['people'].items()]
    troubles = [f'{node}: {text}' for node, text in state['troubles'].items()
                if text != state['note']]
    return (area, '\n'.join(people) or 'nobody', _number(state['round'], 0),
            _number(state['nmse']), f'{_number(state["compute_p99_ms"], 1)} ms',
            '\n'.join(filter(None, [state['note'], *troubles])))


def _federation(state: Mapping[str, Any]) -> str:
    there = ', '.join(state['accepted']) or 'nobody yet'
    refused = ''.join(f'; refused {area}: {text}' for area, text in state['refused'].items())
    return f'federation: round {state["round"]} {state["state"]}, updates of {there}{refused}'


def _number(value: float | None, digits: int = 2) -> str:
    return '-' if value is None else f'{value:.{digits}f}'


def _now() -> dict[str, str]:
    return {'time': datetime.now(timezone.utc).isoformat(timespec='milliseconds')}
