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

"""Initial model of a federation, computed once by a child process."""

import signal
import subprocess
import sys
from pathlib import Path

from utt_ros.errors import ModelError
from utt_ros.federation.wire import Tensors, parse

KILL_WAIT_SEC = 5.0


class InitialModel:
    """Pending initial weights: only the child process loads torch (about 200 MB)."""

    def __init__(self, config: str, seed: int, folder: Path) -> None:
        """`config`: of the model, JSON; `folder`: of the child's file."""
        self._path = folder / 'initial.safetensors'
        command = ('-m', 'utt_ros.models.initial', config, str(seed), str(self._path))
        # A Ctrl-C reaches the whole group; the child inherits this mask, and `close` ends it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._process = subprocess.Popen(
                [sys.executable, *command], stdin=subprocess.DEVNULL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def poll(self) -> Tensors | None:
        """Return the weights, None while the child runs; raises ModelError when it failed."""
        code = self._process.poll()
        if code is None:
            return None
        if code != 0:
            raise ModelError(f'the initial model was not made: its process ended with {code}')
        tensors = parse(self._path.read_bytes())
        self._path.unlink()
        return tensors

    def close(self) -> None:
        """End the child process if it is still running."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(KILL_WAIT_SEC)
