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

"""Boards and a program iw as other processes, and reading of sources."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from utt_ros.drivers.source import Source
from utt_ros.drivers.types import FtmSample

WAIT_S = 20.0
PEERS = Path(__file__).parents[1] / 'peers'


class Board:
    """Board at a pseudo-terminal; `say` makes it print."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PEERS / 'serial_board.py')], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.port = self.hear()

    def say(self, *lines: str, end: str = r'\r\n') -> None:
        """Print lines, in which escapes are understood."""
        for line in lines:
            self.process.stdin.write(line + ('' if line.startswith('!') else end) + '\n')
        self.process.stdin.flush()

    def hear(self) -> str:
        """Read a line of the board's process."""
        return self.process.stdout.readline().strip()

    def unplug(self) -> None:
        """The port is gone."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def plug_board() -> Iterator[Callable[[], Board]]:
    boards: list[Board] = []

    def plug() -> Board:
        boards.append(Board())
        return boards[-1]

    yield plug
    for board in boards:
        board.unplug()


@pytest.fixture
def opened() -> Iterator[Callable[[Source], Source]]:
    """Open a source; it is closed at the end."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def read() -> Callable[..., list[FtmSample]]:
    """Read a source until `done(samples)`."""
    def run(source: Source, done: Callable[[list[FtmSample]], object]) -> list[FtmSample]:
        samples: list[FtmSample] = []
        deadline_s = time.monotonic() + WAIT_S
        while not done(samples):
            assert time.monotonic() < deadline_s, dict(source.counters)
            samples += source.read(0.05)
        return samples

    return run


class FakeIw:
    """The program iw on PATH, as we want it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / 'iw'
        program.write_text(
            f'#!/bin/sh\nexec {sys.executable} {PEERS / "fake_iw.py"} {folder} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.behave('well')

    def behave(self, *words: str) -> None:
        """Say how the next calls go; the last word stays."""
        (self.folder / 'behaviour').write_text(' '.join(words))

    def requests(self) -> list[str]:
        """Return the requests, one text per call."""
        path = self.folder / 'requests'
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def fake_iw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeIw:
    folder = tmp_path / 'bin'
    folder.mkdir()
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')
    return FakeIw(folder)
