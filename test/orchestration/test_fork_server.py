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

"""A fork server: nodes that it forks, what it refuses, and what is left when somebody dies."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from utt_ros.orchestration import fork_client, fork_server, supervisor
from utt_ros.orchestration.child import ChildProcess, child_environment
from utt_ros.orchestration.fork_client import (
    ASSOCIATION_MODULE,
    FORK_SERVER,
    PADDING,
    ForkServer,
    can_fork,
    fork_server_specs,
)
from utt_ros.orchestration.heartbeat import HEARTBEAT_VARIABLE
from utt_ros.orchestration.spec import NODE_PROGRAM, ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor

pytestmark = pytest.mark.slow

# A fork server of one node, which describes its process and runs until it is ended.
PROGRAM = f"""
import json, os, signal, sys, types
from utt_ros.orchestration import fork_server

def facts():
    return {{
        'pid': os.getpid(), 'parent': os.getppid(), 'session': os.getsid(0),
        'words': sys.argv[1:], 'heartbeat': os.environ.get({HEARTBEAT_VARIABLE!r}, ''),
        'input': os.path.realpath('/proc/self/fd/0'),
        'descriptors': [int(name) for name in os.listdir('/proc/self/fd')
                        if os.path.exists('/proc/self/fd/' + name)]}}

def main():
    if sys.argv[1:] == ['end']:
        return 7
    print(json.dumps(facts()), flush=True)
    while True:
        signal.pause()

sys.modules['utt_ros.nodes.talker_node'] = types.SimpleNamespace(main=main)
sys.exit(fork_server.main())
"""
SERVER = ProcessSpec(
    FORK_SERVER, (sys.executable, '-c', PROGRAM, 'no.such.module', PADDING), respawn=True)
TALKER = ProcessSpec('hall/talker', (*NODE_PROGRAM, 'talker', 'word'), respawn=True)
WAIT_SEC = 60.0

Wait = Callable[..., None]


def end(process: ChildProcess) -> int:
    process.signal(signal.SIGKILL)
    code = process.reap()
    process.output.close()
    return code


@pytest.fixture
def server(wait_until: Wait) -> Iterator[ForkServer]:
    process = ForkServer(SERVER, child_environment(colour=False))
    wait_until(process.is_ready, WAIT_SEC)
    yield process
    end(process)


@contextmanager
def forked(server: ForkServer, spec: ProcessSpec = TALKER) -> Iterator[ChildProcess]:
    node = ChildProcess(spec, child_environment(colour=False), fork=server.fork)
    yield node
    end(node)


def facts(node: ChildProcess, wait_until: Wait) -> dict[str, Any]:
    lines: list[bytes] = []
    wait_until(lambda: lines.extend(node.read_lines() or ()) or lines, WAIT_SEC)
    return dict(json.loads(lines[0]))


def descriptors(pid: int) -> int:
    return psutil.Process(pid).num_fds()


def test_node_that_is_forked_is_like_one_that_was_started(
    server: ForkServer, wait_until: Wait,
) -> None:
    with forked(server) as node:
        told = facts(node, wait_until)
        assert told['pid'] == told['session'] == node.pid
        assert told['parent'] == os.getpid()
        assert told['words'] == ['word']
        assert told['heartbeat'] == node.heartbeat.path
        assert told['input'] == os.devnull
        assert psutil.Process(node.pid).cmdline() == list(TALKER.command)
        assert not node.has_ended()
        node.signal(signal.SIGINT)
        wait_until(node.has_ended)
        assert end(node) == -signal.SIGINT


def test_node_that_ends_has_its_exit_code(server: ForkServer, wait_until: Wait) -> None:
    with forked(server, replace(TALKER, command=(*NODE_PROGRAM, 'talker', 'end'))) as node:
        wait_until(node.has_ended)
        assert end(node) == 7


def test_node_holds_nothing_of_the_server_and_of_others(
    server: ForkServer, wait_until: Wait,
) -> None:
    with forked(server) as first, forked(server) as second:
        assert facts(first, wait_until)['descriptors'] == [0, 1, 2]
        assert facts(second, wait_until)['descriptors'] == [0, 1, 2]


def test_server_keeps_nothing_of_its_nodes(server: ForkServer, wait_until: Wait) -> None:
    before = descriptors(server.pid), descriptors(os.getpid())
    for _ in range(3):
        with forked(server) as node:
            facts(node, wait_until)
    wait_until(lambda: descriptors(server.pid) == before[0])
    assert descriptors(os.getpid()) == before[1]
    assert psutil.Process(server.pid).children() == []


@pytest.mark.parametrize('message', [b'{', b'[]', b'{"arguments": 3}', b'\xff' * 70000])
@pytest.mark.parametrize('count', [0, 1, 2, 5])
def test_request_that_is_none_is_refused_and_the_next_one_served(
    message: bytes, count: int, server: ForkServer, wait_until: Wait,
) -> None:
    before = descriptors(server.pid)
    near, far = socket.socketpair()
    with near, far:
        socket.send_fds(server._link, [message], [far.fileno()] * count)
    with forked(server) as node:
        assert facts(node, wait_until)['parent'] == os.getpid()
    wait_until(lambda: descriptors(server.pid) == before)


def test_node_that_nobody_wants_any_more_ends(server: ForkServer, wait_until: Wait) -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.settimeout(WAIT_SEC)
    request = json.dumps({'arguments': ['talker'], 'heartbeat': ''}).encode()
    with near, far:
        socket.send_fds(server._link, [request], [far.fileno()] * 2)
        pid = int(near.recv(64))
        assert psutil.pid_exists(pid)
    wait_until(lambda: not psutil.pid_exists(pid))
    with forked(server) as node:
        assert facts(node, wait_until)['parent'] == os.getpid()


def test_server_that_has_ended_forks_nothing(server: ForkServer, wait_until: Wait) -> None:
    server.signal(signal.SIGKILL)
    wait_until(server.has_ended)
    assert server.fork(TALKER, '') is None


def test_interrupted_server_ends_without_a_word(server: ForkServer, wait_until: Wait) -> None:
    server.signal(signal.SIGINT)
    wait_until(server.has_ended)
    server.reap()
    assert server.read_lines() == []
    assert server.closed


def test_server_that_hangs_is_killed(
    server: ForkServer, wait_until: Wait, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fork_client, 'MAX_FORK_SEC', 0.2)
    before = set(psutil.Process().children())
    server.signal(signal.SIGSTOP)
    assert server.fork(TALKER, '') is None
    wait_until(server.has_ended)
    assert set(psutil.Process().children()) == before


def test_node_that_is_killed_before_it_is_adopted_leaves_nothing(
    server: ForkServer, wait_until: Wait, monkeypatch: pytest.MonkeyPatch,
) -> None:
    pids: list[int] = []

    def kill(link: socket.socket) -> int:
        pids.append(int(link.recv(64)))
        os.kill(pids[0], signal.SIGKILL)
        link = FixedOffer(link, pids[0])
        return adopt(link)

    adopt = fork_client._adopt
    monkeypatch.setattr(fork_client, '_adopt', kill)
    assert server.fork(TALKER, '') is None
    wait_until(lambda: not psutil.pid_exists(pids[0]))


class FixedOffer:
    """Socket whose first message was taken already."""

    def __init__(self, link: socket.socket, pid: int) -> None:
        self._link, self._offers = link, [str(pid).encode()]
        self.send = link.send

    def recv(self, count: int) -> bytes:
        return self._offers.pop() if self._offers else self._link.recv(count)


def test_server_ends_when_nobody_can_need_it_any_more(
    server: ForkServer, wait_until: Wait,
) -> None:
    server._link.close()
    wait_until(server.has_ended)
    assert server.reap() == 0


@pytest.mark.parametrize('spec', [
    ProcessSpec('hall/trainer', (*NODE_PROGRAM, 'trainer'), respawn=True),
    ProcessSpec('rviz2', ('/opt/ros/rviz2',), respawn=True),
    replace(TALKER, command=(*TALKER.command, 'x' * fork_server.MAX_REQUEST_BYTES)),
])
def test_process_that_cannot_be_forked_is_not(spec: ProcessSpec, server: ForkServer) -> None:
    assert server.fork(spec, '') is None
    assert can_fork(spec) == ('talker' in spec.command)


def test_server_is_there_for_nodes_that_it_can_fork() -> None:
    trainer = ProcessSpec('hall/trainer', (*NODE_PROGRAM, 'trainer'))
    sync = ProcessSpec('hall/sync', (*NODE_PROGRAM, 'sync', '--ros-args'))
    assert fork_server_specs([trainer]) == []
    (spec,) = fork_server_specs([trainer, sync, replace(sync, name='stairs/sync')])
    assert spec.command[3:] == ('utt_ros.nodes.sync_node', PADDING)


@pytest.mark.parametrize(('text', 'is_loaded'), [
    ('association: fused', True), ('association: labels', False), ('[', False)])
def test_association_is_imported_where_a_synchronizer_uses_it(
    text: str, is_loaded: bool, tmp_path: Path,
) -> None:
    file = tmp_path / 'area.yaml'
    file.write_text(f'/**/sync: {{ros__parameters: {{{text}}}}}')
    command = (*NODE_PROGRAM, 'sync', '--ros-args', '--params-file', str(file))
    (spec,) = fork_server_specs([ProcessSpec('hall/sync', command)])
    assert (ASSOCIATION_MODULE in spec.command) == is_loaded


def test_real_node_is_forked_with_its_interpreter_and_ends_well(wait_until: Wait) -> None:
    ftm = ProcessSpec('hall/ftm', (*NODE_PROGRAM, 'ftm', '--help'))
    server = ForkServer(fork_server_specs([ftm])[0], child_environment(colour=False))
    try:
        wait_until(server.is_ready, WAIT_SEC)
        lines: list[bytes] = []
        with forked(server, ftm) as node:
            wait_until(lambda: lines.extend(node.read_lines() or ()) or node.has_ended(), WAIT_SEC)
            lines += node.read_lines() or ()
            assert end(node) == 0
        assert b'usage: node' in b'\n'.join(lines)
    finally:
        end(server)


@pytest.fixture
def _talkers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, 'fork_server_specs', lambda _: [SERVER])


@pytest.mark.usefixtures('_talkers')
def test_supervised_node_is_forked_from_the_beginning_and_whenever_it_was_killed(
    wait_until: Wait,
) -> None:
    said = io.StringIO()
    with Supervisor([TALKER], output=said) as running:
        assert running.alive() == ('hall/talker',)
        for count in (1, 2, 3):
            wait_until(lambda count=count: said.getvalue().count('"word"') == count, WAIT_SEC)
            os.kill(running.pids()['hall/talker'], signal.SIGKILL)
    assert running.pids() == {}
    assert 'No module named' not in said.getvalue()


@pytest.mark.usefixtures('_talkers')
def test_node_that_comes_after_another_is_forked_once(wait_until: Wait) -> None:
    said = io.StringIO()
    after = replace(TALKER, name='hall/player', respawn=False, after='ready')
    ready = replace(after, name='ready', command=(*NODE_PROGRAM, 'talker', 'end'), after='')
    with Supervisor([after, ready, TALKER], output=said) as running:
        assert running.alive() == ('hall/player', 'hall/talker', 'ready')
        wait_until(lambda: said.getvalue().count('"word"') == 2, WAIT_SEC)
        assert set(running.pids()) == {FORK_SERVER, 'hall/player', 'hall/talker'}
    assert said.getvalue().count('"word"') == 2


@pytest.mark.usefixtures('_talkers')
def test_without_a_fork_server_a_node_is_started_and_the_server_comes_back(
    wait_until: Wait,
) -> None:
    said = io.StringIO()
    with Supervisor([TALKER], output=said) as running:
        wait_until(lambda: '"word"' in said.getvalue(), WAIT_SEC)
        pids = running.pids()
        for name in ('hall/talker', FORK_SERVER):  # before either is started again
            os.kill(pids[name], signal.SIGKILL)
        # There is no such node outside of the fork server.
        wait_until(lambda: 'No module named' in said.getvalue(), WAIT_SEC)
        wait_until(lambda: said.getvalue().count('"word"') == 2, WAIT_SEC)
    assert f'utt: {FORK_SERVER} was ended by SIGKILL; restarting it' in said.getvalue()


SUPERVISOR = f"""
import sys
from utt_ros.orchestration import supervisor
from utt_ros.orchestration.spec import ProcessSpec
supervisor.fork_server_specs = lambda _: [ProcessSpec({FORK_SERVER!r}, tuple(sys.argv[1:4]) + (
    'math', {PADDING!r}))]
with supervisor.Supervisor([ProcessSpec('a', {TALKER.command!r})], output=sys.stdout) as running:
    running.wait()
"""


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_forked_nodes_and_their_server_die_with_the_supervisor(
    number: signal.Signals, wait_until: Wait,
) -> None:
    command = [sys.executable, '-c', SUPERVISOR, *SERVER.command[:3]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline().partition('] ')[2])
        children = psutil.Process(process.pid).children()
        assert told['parent'] == process.pid
        assert told['pid'] in {child.pid for child in children}
        assert len(children) == 2
        process.send_signal(number)
        process.wait(WAIT_SEC)
    wait_until(lambda: not any(child.is_running() for child in children))
