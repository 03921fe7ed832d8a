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

"""Updates of the recordings that an aggregator trusts, trained beside its rounds.

A child process loads the recordings once; only it loads torch. It trains the model of each round
while areas do, so that the round rarely waits for it.
"""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from utt_ros.errors import ModelError
from utt_ros.federation.wire import Tensors, parse, serialize
from utt_ros.files import write_atomically

KILL_WAIT_SEC = 5.0
MAX_ROOT_SEC = 600.0  # for one update, the start of the process included


class RootOfTrust(Protocol):
    """Source of an update of trusted recordings for each round."""

    problem: str  # why there is none; empty while there is

    def begin(self, tensors: Tensors) -> None:
        """Begin to train the model of a round."""

    def is_ready(self) -> bool:
        """Return whether the update of this round is there, or will not come."""

    def update(self, tensors: Tensors) -> Tensors:
        """Return the tensors that trusted recordings trained; none where it failed."""


class TrustedRecordings:
    """Root of trust by a child process."""

    def __init__(self, sessions: Path, config: str, folder: Path) -> None:
        """`config`: of the model, JSON; `folder`: for files of this process alone."""
        self.problem = ''
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        self._folder = folder
        self._round = 0
        self._begin_s = 0.0
        self._result: Tensors | None = None
        command = ('-m', 'utt_ros.training.root_update', str(sessions), config, str(folder))
        # A Ctrl-C reaches the whole group; the child inherits this mask, and `close` ends it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._process = subprocess.Popen(
                [sys.executable, *command], stdin=subprocess.PIPE, text=True)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def begin(self, tensors: Tensors) -> None:
        """Give the model of a round to the child process."""
        self._round += 1
        self._begin_s = time.monotonic()
        self._result = None
        try:
            write_atomically(model_path(self._folder, self._round), serialize(tensors))
            if self._process.stdin is not None:
                self._process.stdin.write(f'{self._round}\n')
                self._process.stdin.flush()
        except (OSError, ValueError) as err:  # ValueError: `close` has closed its input
            self._fail(f'there is no update of the trusted recordings: {err}')

    def is_ready(self) -> bool:
        """Look for the update; a process that has ended, or takes too long, is done without."""
        if self._result is not None:
            return True
        path = update_path(self._folder, self._round)
        if path.exists():
            try:
                self._result = parse(path.read_bytes())
                self.problem = ''
            except (OSError, ModelError) as err:
                self._fail(str(err))
            path.unlink(missing_ok=True)
        elif (code := self._process.poll()) is not None:
            self._fail(f'the process of the trusted recordings ended with {code}')
        elif time.monotonic() - self._begin_s > MAX_ROOT_SEC:
            self.close()
            self._fail(f'the trusted recordings were not trained on within {MAX_ROOT_SEC:g} s')
        return self._result is not None

    def update(self, tensors: Tensors) -> Tensors:  # noqa: ARG002 - they were given to `begin`
        """Return what `is_ready` found."""
        return self._result or {}

    def close(self) -> None:
        """End the child process."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(KILL_WAIT_SEC)
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _fail(self, problem: str) -> None:
        self.problem = f'{problem}: rounds are trimmed means'
        self._result = {}


def model_path(folder: Path, number: int) -> Path:
    """Return the file of the model of a round."""
    return folder / f'model-{number}.safetensors'


def update_path(folder: Path, number: int) -> Path:
    """Return the file of the update of a round."""
    return folder / f'update-{number}.safetensors'
