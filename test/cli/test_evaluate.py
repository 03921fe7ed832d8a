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

"""Command line of `utt evaluate`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from utt_ros.cli.main import main
from utt_ros.evaluation import runner
from utt_ros.evaluation.report import html_report
from utt_ros.evaluation.runner import EvaluationRequest, FinishedUnit
from utt_ros.orchestration.environment import CHECKOUT

UTT = [sys.executable, '-c', 'import sys; from utt_ros.cli.main import main; sys.exit(main())']


def test_terminated_evaluation_keeps_complete_units_and_leaves_no_process(
    sessions: Path, trained: tuple[Path, str], tmp_path: Path, wait_until: Callable[..., None],
) -> None:
    unit = tmp_path / 'out/units/operations-utt-seed0.json'
    command = [*UTT, 'evaluate', '--data', str(sessions), '--out', str(tmp_path / 'out'),
               '--suite', 'operations', '--model', str(trained[0]), '--jobs', '1',
               '--split', 'val']
    process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        wait_until(lambda: unit.exists() or process.poll() is not None, timeout_sec=90.0)
        assert process.poll() is None
        children = [child for child in psutil.Process(process.pid).children(recursive=True)
                    if 'spawn_main' in ' '.join(child.cmdline())]  # not Python's own tracker
        assert children
        os.kill(process.pid, signal.SIGTERM)  # as Ctrl-C
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.communicate()
    assert not [child for child in children if child.is_running()
                and child.status() != psutil.STATUS_ZOMBIE]
    rows = json.loads(unit.read_bytes())['rows']
    assert {row['fusor'] for row in rows} == {'max'}


def test_failed_unit_is_reported_with_its_reason_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    requests: list[EvaluationRequest] = []

    def run(
        request: EvaluationRequest, jobs: int,
        progress: Callable[[FinishedUnit | None, int, int], None],
    ) -> list[str]:
        requests.append(request)
        progress(None, 1, 3)
        progress(FinishedUnit('fusors-sum', 2.0, ''), 2, 3)
        progress(FinishedUnit('fusors-max', 1.0, 'no data'), 3, 3)
        return ['fusors-max: no data']

    monkeypatch.setattr(runner, 'run_evaluation', run)
    monkeypatch.setattr(html_report, 'write_report', lambda out: out / 'report.html')
    assert main(['evaluate', '--data', 'in', '--out', str(tmp_path), '--suite', 'fusors']) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        'evaluate: 1 of 3 units are complete already',
        'evaluate: 2/3 fusors-sum: 2 s; 0 min left',
        'evaluate: 3/3 fusors-max: failed, no data; 0 min left',
        'failed: fusors-max: no data']
    assert printed.out.splitlines()[-1] == str(tmp_path / 'report.html')
    assert (requests[0].data, requests[0].suites) == (Path('in'), ('fusors',))


@pytest.mark.parametrize(('words', 'error'), [
    (['--data', 'nowhere'], 'nowhere is not a folder'),
    (['--data', '.', '--seeds', '0'], '--seeds is 0'),
    (['--data', '.', '--jobs', '0'], '--jobs is 0')])
def test_wrong_arguments_are_refused_with_their_value(
    words: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(['evaluate', '--out', 'x', *words]) == 2
    assert error in capsys.readouterr().err
