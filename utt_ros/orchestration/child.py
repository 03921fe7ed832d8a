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

"""A child process: group, output, signals, exit code."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import cast

from utt_ros.orchestration.discovery import discovery_environment
from utt_ros.orchestration.heartbeat import HEARTBEAT_VARIABLE, HeartbeatMonitor
from utt_ros.orchestration.spec import ProcessSpec
from utt_ros.twin.forked_process import ForkedProcess

Ending = Sequence[tuple[signal.Signals, float]]  # signals, and the wait after each [s]
INTERRUPT_SEC = 10.0  # from SIGINT to SIGTERM
TERMINATE_SEC = 2.0  # from SIGTERM to SIGKILL
TRACE_SEC = 0.5  # for the traceback of a process that hangs, before SIGKILL
HUNG: Ending = ((signal.SIGUSR2, TRACE_SEC), (signal.SIGKILL, 0.0))

GUARD = Path(__file__).with_name('parent_guard.py')
DEFAULT_ENVIRONMENT = {
    'OMP_NUM_THREADS': '1',
    'PYTHONUNBUFFERED': '1',
}
READ_BYTES = 65536
MAX_UNFINISHED_BYTES = 2**20  # of an incomplete line, such as a report of many areas


def guard(number: signal.Signals) -> list[str]:
    """Return the words before a command that gets a signal when the calling thread ends."""
    return [sys.executable, '-I', '-S', str(GUARD), str(os.getpid()), str(int(number))]


Fork = Callable[[ProcessSpec, str], ForkedProcess | None]  # specification, path of the heartbeat


def polite_ending(stop_sec: float) -> Ending:
    """Return the ending of a process that has some time to stop by itself."""
    return ((signal.SIGINT, stop_sec), (signal.SIGTERM, TERMINATE_SEC), (signal.SIGKILL, 0.0))


class ChildProcess:
    """Process in a session of its own: a Ctrl-C in the terminal reaches only its supervisor.

    It is killed when the thread that created it ends (PR_SET_PDEATHSIG refers to threads).
    """

    def __init__(
        self, spec: ProcessSpec, environment: Mapping[str, str], hang_sec: float = 0.0,
        *, stdin: int = subprocess.DEVNULL, fork: Fork | None = None,
    ) -> None:
        """`hang_sec`: silence of the heartbeat that counts as a hang; 0 for none.

        `fork` is tried first; a process that it does not fork is started.
        """
        self.spec = spec
        self.heartbeat = HeartbeatMonitor(hang_sec)
        self.is_ending = self.is_stopped = False  # by signals; on purpose
        self._ending: list[tuple[signal.Signals, float]] = []  # signals that are left
        self._next_s = 0.0
        forked = fork(spec, self.heartbeat.path) if fork else None
        self._process = forked or subprocess.Popen(
            [*guard(signal.SIGKILL), *spec.command],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**environment, HEARTBEAT_VARIABLE: self.heartbeat.path}, start_new_session=True,
            bufsize=0,
        )
        self.output = cast('FileIO', self._process.stdout)
        os.set_blocking(self.output.fileno(), False)
        self.closed = False
        self._unfinished = b''

    def __str__(self) -> str:
        return f'{self.spec.name} (process {self.pid})'

    @property
    def pid(self) -> int:
        """Process id, also the id of its process group."""
        return self._process.pid

    def read_lines(self) -> list[bytes] | None:
        """Return the lines completed since the last call; None without new output.

        `closed` becomes true at the end of the output.
        """
        data = None if self.closed else self.output.read(READ_BYTES)
        if data is None:
            return None
        self.closed = not data
        *lines, self._unfinished = (self._unfinished + data).split(b'\n')
        if self._unfinished and (self.closed or len(self._unfinished) > MAX_UNFINISHED_BYTES):
            lines.append(self._unfinished)
            self._unfinished = b''
        return lines

    def begin_end(self, ending: Ending, now_s: float) -> None:
        """Begin to end the process by the first signal; `escalate` sends the others."""
        self.is_ending = True
        self._ending = list(ending)
        self._next_s = now_s
        self.escalate(now_s)

    def escalate(self, now_s: float) -> signal.Signals | None:
        """Send the next signal of an ending when the wait is over; return it."""
        if not self._ending or now_s < self._next_s:
            return None
        number, wait_sec = self._ending.pop(0)
        self._next_s = now_s + wait_sec
        self.signal(number)
        return number

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its descendants in the group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def has_ended(self) -> bool:
        """Check for the end without reaping: the id stays reserved."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, flags) is not None

    def reap(self) -> int:
        """Kill the rest of an ended process's group; return its exit code, -N for signal N."""
        self.signal(signal.SIGKILL)
        self.heartbeat.close()
        return self._process.wait()


def child_environment(*, colour: bool, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of child processes: `base` (default: our own) over the defaults.

    It reaches beyond this machine only where `base` does, see `discovery`.
    """
    given = dict(os.environ if base is None else base)
    colours = {'RCUTILS_COLORIZED_OUTPUT': '1' if colour else '0'}
    return {**DEFAULT_ENVIRONMENT, **colours, **given, **discovery_environment(given)}
