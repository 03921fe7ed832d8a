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

"""Reports of `utt run`: objects for programs, and the table of a terminal."""

import io
import json
from datetime import datetime
from typing import Any

import pytest
from rich.console import Console

from utt_ros.cli.run_reports import (
    REPORTER,
    JsonReports,
    can_show_table,
    read_report,
    reporter,
    status_table,
)
from utt_ros.orchestration.output import ProcessEvent

STATE: dict[str, Any] = {
    'age_s': 0.2, 'round': 3, 'people': {'ann': {'sources': 'camera+imu', 'std_m': 0.125}},
    'ticks_lost': 0, 'compute_p99_ms': 4.5, 'nmse': 0.61, 'note': '', 'troubles': {}}
REPORT: dict[str, Any] = {
    'areas': {'hall': STATE, 'stairs': {**STATE, 'people': {}, 'round': None, 'nmse': None,
                                        'note': 'no camera', 'troubles': {
                                            'twin': 'no camera', 'imu': '[red]lost[/red]'}}},
    'federation': {'round': 4, 'state': 'open', 'accepted': ['hall'],
                   'refused': {'stairs': 'stale'}, 'suspected': {}}}


def table_text(report: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(status_table(report))
    return console.file.getvalue()


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_report_gives_an_object_per_area_and_one_of_the_federation() -> None:
    stream = io.StringIO()
    assert JsonReports(stream).take_line(REPORTER, json.dumps(REPORT))
    hall, stairs, federation = objects(stream)
    assert datetime.fromisoformat(hall.pop('time')).utcoffset().total_seconds() == 0
    assert hall == {'kind': 'area', 'area': 'hall', **STATE}
    assert (stairs['kind'], stairs['area'], stairs['round']) == ('area', 'stairs', None)
    assert (federation['kind'], federation['refused']) == ('federation', {'stairs': 'stale'})


def test_an_event_is_an_object() -> None:
    stream = io.StringIO()
    JsonReports(stream).take_event(ProcessEvent('hall/twin', 'restarting', 'hall/twin ended'))
    event, = objects(stream)
    del event['time']
    assert event == {'kind': 'event', 'event': 'restarting', 'process': 'hall/twin',
                     'text': 'hall/twin ended'}


@pytest.mark.parametrize(('process', 'line'), [
    ('hall/twin', json.dumps(REPORT)), (REPORTER, '[WARN] no such thing'), (REPORTER, '{"a": 1}')])
def test_other_lines_are_left_to_the_output(process: str, line: str) -> None:
    stream = io.StringIO()
    assert not JsonReports(stream).take_line(process, line)
    assert stream.getvalue() == ''


def test_a_reader_that_has_ended_closes_the_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, 'write', lambda _: (_ for _ in ()).throw(BrokenPipeError))
    reports = JsonReports(stream)
    reports.take_event(ProcessEvent('', 'stopping', 'stopping 2 processes'))
    assert reports.closed
    assert reports.take_line(REPORTER, json.dumps(REPORT))


def test_the_table_tells_people_deviation_round_and_trouble_of_each_area() -> None:
    text = table_text(REPORT)
    rows = {line.split()[1]: line for line in text.splitlines() if line.startswith('│')}
    assert 'ann by camera+imu, 0.12 m' in rows['hall']
    assert [word for word in ('3', '0.61', '4.5 ms') if word in rows['hall']] == [
        '3', '0.61', '4.5 ms']
    assert 'nobody' in rows['stairs']
    assert text.count('no camera') == 1
    assert 'imu: [red]lost[/red]' in text, 'markup of others is text'
    assert 'federation: round 4 open, updates of hall; refused stairs: stale' in text


def test_the_table_tells_an_area_that_is_silent() -> None:
    text = table_text({'areas': {'hall': {**STATE, 'age_s': 12.0}}, 'federation': None})
    assert 'nothing heard for 12 s' in text
    assert 'ann' not in text


def test_the_reporter_is_the_status_command() -> None:
    assert reporter(10.0, as_json=True).command[-4:] == ('status', '--follow', '10', '--json')
    assert read_report(json.dumps(REPORT)) == REPORT


def test_no_table_is_shown_where_there_is_no_terminal() -> None:
    assert not can_show_table()
