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

"""Client of a fork server: its supervisor starts it, and asks it for nodes."""

import ctypes
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from signal import SIGKILL

from utt_ros.errors import UttError
from utt_ros.orchestration.child import ChildProcess
from utt_ros.orchestration.fork_server import ADOPTED, AGREED, MAX_REQUEST_BYTES, READY
from utt_ros.orchestration.spec import NODE_PROGRAM, PACKAGE_NAME, ProcessSpec
from utt_ros.parameter_files import read_node_parameters
from utt_ros.twin.forked_process import ForkedProcess

FORK_SERVER = 'utt/fork_server'
UNSHARED = ('trainer',)  # torch is large, and no other node needs it
ASSOCIATION_MODULE = f'{PACKAGE_NAME}.bridge.node.association_model'
PADDING = ' ' * 4096  # room for the command lines of nodes, see `process_title`
MAX_FORK_SEC = 2.0  # for a fork on a busy machine; one that takes longer is done without
MAX_ANSWER_BYTES = 64
PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37


def fork_server_specs(specs: Sequence[ProcessSpec]) -> list[ProcessSpec]:
    """Return the specification of the fork server of some processes; none if it can fork none."""
    forked = [spec for spec in specs if can_fork(spec)]
    modules = {f'{PACKAGE_NAME}.nodes.{_node_of(spec)}_node' for spec in forked}
    modules |= {ASSOCIATION_MODULE for spec in forked if _associates(spec)}
    program = NODE_PROGRAM[0], '-m', f'{PACKAGE_NAME}.orchestration.fork_server'
    return [ProcessSpec(FORK_SERVER, (*program, *sorted(modules), PADDING), respawn=True)
            ] * bool(modules)


def can_fork(spec: ProcessSpec) -> bool:
    """Check whether a fork server has the modules of a process."""
    return (spec.command[:len(NODE_PROGRAM)] == NODE_PROGRAM and _node_of(spec) not in UNSHARED)


def _associates(spec: ProcessSpec) -> bool:
    """Check whether a synchronizer loads a module that is larger than its own."""
    files = [Path(word) for flag, word in pairwise(spec.command) if flag == '--params-file']
    if _node_of(spec) != 'sync':
        return False
    try:
        values = read_node_parameters(files, f'/{spec.name}')
    except UttError:  # the node tells of it
        return False
    return bool(values.get('association', 'labels') != 'labels')


def _node_of(spec: ProcessSpec) -> str:
    return spec.command[len(NODE_PROGRAM)]


class ForkServer(ChildProcess):
    """Fork server as a child process. One that does not answer is killed."""

    def __init__(self, spec: ProcessSpec, environment: Mapping[str, str]) -> None:
        self._link, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            super().__init__(spec, environment, stdin=far.fileno())
        self._is_ready = False

    def is_ready(self) -> bool:
        """Check whether its modules are imported."""
        if not self._is_ready:
            self._link.setblocking(False)
            with suppress(OSError):
                self._is_ready = self._link.recv(MAX_ANSWER_BYTES) == READY
        return self._is_ready

    def fork(self, spec: ProcessSpec, heartbeat: str) -> ForkedProcess | None:
        """Start a process by a fork; None where that is not possible (now).

        `heartbeat`: path of its memory.
        """
        request = json.dumps({
            'arguments': spec.command[len(NODE_PROGRAM):], 'heartbeat': heartbeat}).encode()
        if (not can_fork(spec) or len(request) > MAX_REQUEST_BYTES or self.is_ending
                or not self.is_ready()):
            return None
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reading, writing = os.pipe()
        with near:
            try:
                with far:
                    self._link.settimeout(MAX_FORK_SEC)
                    socket.send_fds(self._link, [request], [writing, far.fileno()])
                near.settimeout(MAX_FORK_SEC)
                pid = _adopt(near)
            except OSError as err:
                os.close(reading)
                if isinstance(err, TimeoutError):  # it hangs
                    self.signal(SIGKILL)
                return None
            finally:
                os.close(writing)
        return ForkedProcess(pid, os.fdopen(reading, 'rb', buffering=0))

    def reap(self) -> int:
        """Reap it like any child process."""
        self._link.close()
        return super().reap()


def _adopt(link: socket.socket) -> int:
    """Agree to a process that is offered, and return its id when it is ours. Raises OSError."""
    offer = link.recv(MAX_ANSWER_BYTES)
    if not offer:
        raise ConnectionResetError('the fork server could not fork')
    pid = int(offer)
    with _subreaper():
        link.send(AGREED)
        try:
            if link.recv(MAX_ANSWER_BYTES) != ADOPTED:
                raise ConnectionResetError('the process has ended')
        except OSError:
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                os.kill(pid, SIGKILL)
                os.waitpid(pid, 0)
            raise
    return pid


@contextmanager
def _subreaper() -> Iterator[None]:
    """Adopt processes whose parents end, while the block runs."""
    prctl, former = ctypes.CDLL(None, use_errno=True).prctl, ctypes.c_int()
    prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(former), 0, 0, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, former.value, 0, 0, 0)
