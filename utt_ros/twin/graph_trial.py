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

"""Trial of graphs in a child process, where one that hangs or takes all memory does no harm."""

import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from threading import Lock

from utt_ros.errors import ModelError
from utt_ros.settings import WindowSettings
from utt_ros.twin.forked_process import ForkedProcess
from utt_ros.twin.graph_layout import LIVE_OUTPUTS

TRIAL_SEC = 30.0  # limit for a trial on a busy machine; its computing time is limited in the child
TRIAL_NICENESS = 5  # added to ours: a first trial takes seconds, and ticks come before it
LENGTHS = struct.Struct('!II')  # of the description and the payload of a message [bytes]
MAX_REPLY_BYTES = 65536
MAX_REASON_LENGTH = 400  # characters
TrialChild = tuple[subprocess.Popen[bytes] | ForkedProcess, socket.socket]  # and its link


class GraphTrial:
    """A child process that opens and evaluates graphs before they are used here.

    It starts with this object, unless one is given, and again after a graph that ended it.
    One trial at a time, in any thread; `close` ends a trial in another one.
    """

    def __init__(
        self, window: WindowSettings, timeout_sec: float = TRIAL_SEC, *, access_points: int = 1,
        child: TrialChild | None = None,
    ) -> None:
        """`access_points`: of the area, for graphs that read several.

        `child`: of `fork_trial`; one that is started takes a second for its imports.
        """
        self._shape = {'period': window.period, 'ticks': window.ticks,
                       'imu_rows': window.imu_rows, 'horizon': window.horizon}
        self._access_points = access_points
        self._timeout_sec = timeout_sec
        self._lock = Lock()
        self._closed = False
        self._process, self._socket = child or self._start()

    def check(self, payload: bytes, outputs: Sequence[str] = LIVE_OUTPUTS) -> None:
        """Raise ModelError for a graph that disobeys the schema, fails, or takes too much."""
        with self._lock:
            try:
                if self._process.poll() is not None:  # it ended by itself, for example for memory
                    self._restart()
                reason = self._ask(payload, outputs)
            except OSError as err:
                reason = f'the graph cannot be tried, no process for it can be started: {err}'
        if reason:
            raise ModelError(reason)

    def close(self) -> None:
        """End the child process."""
        self._closed = True
        self._process.kill()
        with self._lock:  # a trial has ended then
            self._process.kill()
            self._process.wait()
            self._socket.close()

    def _ask(self, payload: bytes, outputs: Sequence[str]) -> str:
        """Return the reason of a refusal; empty for a graph that may be used."""
        question = json.dumps({'window': self._shape, 'outputs': list(outputs),
                               'access_points': self._access_points}).encode()
        try:
            send_message(self._socket, question, payload, self._timeout_sec)
            answer, _ = receive_message(self._socket, self._timeout_sec, MAX_REPLY_BYTES)
            return str(json.loads(answer)['refused'])[:MAX_REASON_LENGTH]
        except TimeoutError:
            reason = f'the trial of the graph did not end within {self._timeout_sec:g} s'
        except (OSError, ValueError, LookupError):
            self._process.kill()
            reason = f'the graph ended its trial ({_ending(self._process.wait())})'
        self._restart()
        return reason

    def _restart(self) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.close()
        if not self._closed:
            self._process, self._socket = self._start()

    @staticmethod
    def _start() -> TrialChild:
        """Start the child. Raises OSError when the system cannot."""
        near, far = socket.socketpair()
        with far:
            process = subprocess.Popen(
                [sys.executable, '-m', 'utt_ros.twin.graph_trial_child', str(far.fileno())],
                pass_fds=[far.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
        niceness = os.getpriority(os.PRIO_PROCESS, 0) + TRIAL_NICENESS
        os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
        return process, near


def _ending(status: int) -> str:
    return f'signal {-status}' if status < 0 else f'exit status {status}'


def send_message(
    link: socket.socket, description: bytes, payload: bytes = b'',
    timeout_sec: float | None = None,
) -> None:
    """Send a description and a payload. Raises OSError, TimeoutError after the time limit."""
    link.settimeout(timeout_sec)
    link.sendall(LENGTHS.pack(len(description), len(payload)) + description)
    link.sendall(payload)


def receive_message(
    link: socket.socket, timeout_sec: float | None = None, max_bytes: int | None = None,
) -> tuple[bytes, bytes]:
    """Receive a description and a payload. Raises OSError, EOFError at the end of the link."""
    deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
    lengths = LENGTHS.unpack(_receive(link, LENGTHS.size, deadline))
    if max_bytes is not None and sum(lengths) > max_bytes:
        raise ValueError(f'a message of {sum(lengths)} bytes: at most {max_bytes}')
    description, payload = (_receive(link, length, deadline) for length in lengths)
    return description, payload


def _receive(link: socket.socket, length: int, deadline: float | None) -> bytes:
    content = bytearray(length)
    view = memoryview(content)
    while view:
        link.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-3))
        count = link.recv_into(view)
        if not count:
            raise ConnectionResetError('the other end is closed')
        view = view[count:]
    return bytes(content)
