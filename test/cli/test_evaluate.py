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
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from utt_ros.cli.main import main
from utt_ros.evaluation import runner
from utt_ros.evaluation.report import html_report
from utt_ros.evaluation.results import read_results
from utt_ros.evaluation.unit_worker import EvaluationRequest, FinishedUnit, UnitExecutor
from utt_ros.models.saved_model import read_saved_model, write_saved_model
from utt_ros.orchestration.ros_environment import CHECKOUT

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
        request: EvaluationRequest, execute: UnitExecutor,
        progress: Callable[[FinishedUnit | None, int, int], None],
    ) -> list[str]:
        requests.append(request)
        progress(None, 1, 3)
        progress(FinishedUnit('fusors-sum', 2.0, '', place='node2'), 2, 3)
        progress(FinishedUnit('fusors-max', 1.0, 'no data'), 3, 3)
        (request.out / 'results.json').write_text('{"about": {}, "rows": []}')
        return ['fusors-max: no data']

    monkeypatch.setattr(runner, 'run_evaluation', run)
    monkeypatch.setattr(html_report, 'write_report', lambda out: out / 'report.html')
    assert main(['evaluate', '--data', 'in', '--data', 'more', '--out', str(tmp_path),
                 '--suite', 'fusors']) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        'evaluate: 1 of 3 units are complete already',
        'evaluate: 2/3 fusors-sum on node2: 2 s; 0 min left',
        'evaluate: 3/3 fusors-max: failed, no data; 0 min left',
        'failed: fusors-max: no data']
    assert printed.out.splitlines()[-1] == str(tmp_path / 'report.html')
    assert (requests[0].data, requests[0].suites) == ((Path('in'), Path('more')), ('fusors',))


def evaluate(unseen: tuple[Path, Path], out: Path, *words: str) -> int:
    return main(['evaluate', '--model', str(unseen[0]), '--data', str(unseen[1]),
                 '--out', str(out), '--jobs', '1', *words])


def test_model_is_evaluated_in_an_area_that_it_never_saw(
    unseen: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert evaluate(unseen, tmp_path, '--suite', 'operations') == 0
    assert {line.split()[3] for line in capsys.readouterr().out.splitlines()
            if 'nmse_var' in line} == {'utt', 'utt_belief', 'mean', 'last_value'}
    assert evaluate(unseen, tmp_path, '--suite', 'tasks') == 0
    rows = read_results(tmp_path)
    operations = rows[(rows['suite'] == 'operations') & (rows['metric'] == 'nmse_var')]
    assert operations.groupby('method').size().to_dict() == {
        'utt': 15, 'mean': 15, 'last_value': 15, 'utt_belief': 6}
    assert operations['value'][operations['method'] == 'mean'].to_numpy() == pytest.approx(1.0)
    tasks = rows[rows['suite'] == 'tasks']
    assert {'utt', 'kalman_camera', 'mean', 'differentiated'} <= set(tasks['method'])
    assert not {'activity'} & set(tasks['operation'])
    assert 'min_ade_20_m' not in set(tasks['metric'])
    assert 'no train split' in str(rows.attrs['about']['notes'])
    assert (tmp_path / 'report.html').is_file()


def test_data_without_a_train_split_need_a_model_with_statistics(
    unseen: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['evaluate', '--data', str(unseen[1]), '--out', str(tmp_path)]) == 2
    assert 'no train split: only a model of utt train' in capsys.readouterr().err
    assert evaluate(unseen, tmp_path, '--suite', 'fusors') == 2
    assert 'suite fusors trains its models' in capsys.readouterr().err
    weights, card = read_saved_model(unseen[0])
    assert card.statistics is not None
    for changed, error in (
        (replace(card, statistics=None), 'its card has no statistics of training data'),
        (replace(card, statistics=replace(card.statistics, means={'imu': [0.0] * 9})),
         'it was trained without camera, which the data have'),
        (replace(card, code_version='99.0'), 'made by version 99.0'),
        (replace(card, config=card.config.replace('"networks":2', '"networks":1')),
         'is for networks 1'),
    ):
        write_saved_model(tmp_path / 'changed.safetensors', weights, changed)
        other = (tmp_path / 'changed.safetensors', unseen[1])
        assert evaluate(other, tmp_path, '--suite', 'operations') == 2
        printed = capsys.readouterr().err.splitlines()
        assert len(printed) == 1
        assert 'changed.safetensors: ' in printed[0]
        assert error in printed[0]


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
