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

"""`utt train` and `utt evaluate` as commands."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from utt_ros.cli.main import main

UTT = [sys.executable, '-c', 'import sys; from utt_ros.cli.main import main; sys.exit(main())']
ROOT = Path(__file__).parents[2]


def test_train_writes_a_model_that_evaluate_takes(
    sessions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    model = tmp_path / 'model.safetensors'
    assert main(['train', '--data', str(sessions), '--out', str(model), '--rounds', '1',
                 '--steps', '1', '--plan', 'centralised', '--fusor', 'max']) == 0
    card = json.loads(model.with_suffix('.json').read_bytes())
    assert card['training']['plan'] == 'centralised'
    assert 'score' in capsys.readouterr().out
    out = tmp_path / 'out'
    command = [*UTT, 'evaluate', '--data', str(sessions), '--out', str(out), '--suite',
               'operations', '--model', str(model), '--jobs', '1', '--split', 'val']
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        _wait_for(out / 'units/operations-utt-seed0.json', running)
        children = [child for child in psutil.Process(running.pid).children(recursive=True)
                    if 'spawn_main' in ' '.join(child.cmdline())]  # not Python's own tracker
        assert children
        os.kill(running.pid, signal.SIGTERM)  # as Ctrl-C
        assert running.wait(60) == 130
    finally:
        running.kill()
        running.communicate()
    assert not [child for child in children if child.is_running()
                and child.status() != psutil.STATUS_ZOMBIE]
    rows = json.loads((out / 'units/operations-utt-seed0.json').read_bytes())['rows']
    assert {row['fusor'] for row in rows} == {'max'}


def _wait_for(path: Path, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 200
    while not path.exists():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(('arguments', 'why'), [
    (['evaluate', '--out', 'x', '--data', 'nowhere'], 'nowhere is not a folder'),
    (['evaluate', '--out', 'x', '--data', '.', '--seeds', '0'], '--seeds is 0'),
    (['train', '--data', '.', '--out', 'missing/model'], '--out is missing/model'),
])
def test_mistakes_are_named(
    arguments: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert why in capsys.readouterr().err
