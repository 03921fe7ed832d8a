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

"""Command line of `utt demo --live`, with the run of the nodes replaced."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from utt_ros.cli import demo_live
from utt_ros.cli.main import main
from utt_ros.demo.live_scores import LiveSession
from utt_ros.demo.live_stage import LiveRun
from utt_ros.errors import UttError
from utt_ros.orchestration.launch_plan import read_area_plan

SUMMARY: dict[str, Any] = {
    'streams': {'camera/tracks': {'made': 200, 'heard': 199, 'rate_hz': 10.0, 'late_ms': 25.0}},
    'drivers': {'imu': {'source': 'sensor_logger', 'dropped': 0, 'reopened': 1, 'refused': {}}},
    'clocks': {}, 'position_error_m': {'camera': None, 'no_camera': None},
    'identity': {'tracked': 9, 'given': 8, 'right': 7, 'idp': 0.78, 'right_of_given': 0.88},
    'latency_ms': {'p50': 20.0, 'p99': 40.0, 'n': 9}}


def utt_demo_live(out: Path, *words: str) -> int:
    return main(['demo', '--live', '--no-view', '--out', str(out), *words])


def test_simulated_walk_is_compared_with_the_recorded_bag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    begin_ns, compared = time.time_ns(), list[tuple[Path, LiveSession]]()

    def run(live_run: LiveRun, watch: Callable[[], None]) -> None:
        assert read_area_plan(live_run.file).drivers == ('camera', 'ftm', 'imu')
        watch()
        live_run.begin.write_text(str(begin_ns), encoding='ascii')
        watch()

    def summarize(bag: Path, live: LiveSession) -> dict[str, Any]:
        compared.append((bag, live))
        return SUMMARY

    for name in demo_live.QUIET:
        monkeypatch.setenv(name, 'as before')
    monkeypatch.setattr(demo_live, 'run_live', run)
    monkeypatch.setattr(demo_live, 'live_summary', summarize)
    out = tmp_path / 'out'
    assert utt_demo_live(out, '--seconds', '20', '--seed', '3') == 0
    (bag, live), = compared
    assert bag == out / 'heard'
    assert (live.begin_ns, live.seed) == (begin_ns, 3)
    assert live.at(begin_ns) == live.session.truth['walker1'].stamps_ns[0]
    assert json.loads((out / 'summary.json').read_bytes()) == SUMMARY
    printed = capsys.readouterr()
    assert 'people walk for 20 s' in printed.err
    assert 'camera/tracks' in printed.out
    assert printed.out.splitlines()[-1] == str(out / 'summary.json')
    assert {os.environ[name] for name in demo_live.QUIET} == {'as before'}


def test_node_that_ends_early_leaves_an_error_and_no_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    def run(live_run: LiveRun, watch: Callable[[], None]) -> None:
        raise UttError(f'area0/imu ended; its log is in {live_run.out / "log"}')

    for name in demo_live.QUIET:
        monkeypatch.setenv(name, 'as before')
    monkeypatch.setattr(demo_live, 'run_live', run)
    assert utt_demo_live(tmp_path / 'out', '--seconds', '20') == 2
    assert f'its log is in {tmp_path / "out" / "log"}' in capsys.readouterr().err
    assert not (tmp_path / 'out' / 'summary.json').exists()


@pytest.mark.parametrize(('words', 'error'), [
    (['--seconds', '3'], '--seconds is 3: 20..3600'),
    (['--seconds', '4000'], '--seconds is 4000: 20..3600'),
    (['--sessions', '.'], '--live excludes --sessions')])
def test_wrong_arguments_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], error: str,
) -> None:
    assert utt_demo_live(tmp_path / 'out', *words) == 2
    assert error in capsys.readouterr().err
