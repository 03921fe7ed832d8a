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

"""Models as `utt train` writes them, recordings that they never saw, and commands to run."""

from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from utt_ros.cli.main import main
from utt_ros.orchestration.discovery import PROFILES, PROFILES_OF_FAST_DDS_3
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session


class Output(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def utt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> Callable[..., Output]:
    """Run a command in this process; what it changes in the environment is undone later."""
    for name in (PROFILES, PROFILES_OF_FAST_DDS_3):
        monkeypatch.setenv(name, '')

    def call(*words: object) -> Output:
        code = main([*map(str, words)])
        return Output(code, *capsys.readouterr())

    return call


@pytest.fixture(scope='session')
def unseen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Train a model in one simulated area; return it and the test recordings of another one."""
    folder = tmp_path_factory.mktemp('unseen')
    for planned in plan_sessions(2, 1.5, 1, []):
        area = planned.area.settings
        part = 'elsewhere' if area.area == 'area1' else 'sessions'
        if (planned.split == 'test') == (part == 'elsewhere'):
            write_area(area, folder / part / area.area)
            write_session(
                simulate_session(planned), area, folder / part / area.area / planned.name)
    model = folder / 'model.safetensors'
    assert main(['train', '--data', str(folder / 'sessions'), '--out', str(model),
                 '--rounds', '1', '--steps', '1']) == 0
    return model, folder / 'elsewhere'


@pytest.fixture(scope='session')
def trained(sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Train one step, centralised, with the fusor max; return the model file and the output."""
    path, printed = tmp_path_factory.mktemp('trained') / 'model.safetensors', StringIO()
    with redirect_stdout(printed):
        assert main(['train', '--data', str(sessions), '--out', str(path), '--rounds', '1',
                     '--steps', '1', '--plan', 'centralised', '--fusor', 'max']) == 0
    return path, printed.getvalue()
