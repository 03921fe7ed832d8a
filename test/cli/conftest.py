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

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from utt_ros.cli.main import main
from utt_ros.orchestration.discovery import PROFILES, PROFILES_OF_FAST_DDS_3
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import AreaSettings
from utt_ros.types import Session

UTT_CODE = 'import sys; from utt_ros.cli.main import main; sys.exit(main())'
IN_FOREGROUND = 'import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n'
ESCAPES = re.compile(r'\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-_])')


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


class Terminal:
    """A program in the foreground of a pseudo-terminal; `text` is its output without escapes."""

    def __init__(self, code: str, words: Sequence[object], folder: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 160, 0, 0))
        environment = {**os.environ, 'TERM': 'xterm-256color'}
        self.process = subprocess.Popen(
            [sys.executable, '-c', IN_FOREGROUND + code, *map(str, words)], stdin=slave,
            stdout=slave, stderr=slave, start_new_session=True, cwd=folder, env=environment)
        os.close(slave)
        self._output = bytearray()
        self._thread = threading.Thread(target=self._read, name='terminal', daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        return ESCAPES.sub('', self._output.decode(errors='replace')).replace('\r', '')

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join()
        os.close(self._master)

    def _read(self) -> None:
        with suppress(OSError):  # its last program has ended
            while data := os.read(self._master, 65536):
                self._output += data


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Run code, or `utt` with words, in a terminal: `terminal('run', 'hall.yaml')`."""
    opened: list[Terminal] = []

    def start(*words: object, code: str = UTT_CODE, folder: Path = tmp_path) -> Terminal:
        opened.append(Terminal(code, words, folder))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture(scope='session')
def walked() -> Callable[..., tuple[AreaSettings, list[Session]]]:
    """Simulate a minute of walks: `walked(seed, access_points)` gives area and sessions."""

    @cache
    def simulate(seed: int, access_points: int = 1) -> tuple[AreaSettings, list[Session]]:
        plans = plan_sessions(1, 1.0, seed, access_points=access_points)
        return plans[0].area.settings, [simulate_session(plan) for plan in plans]

    return simulate
