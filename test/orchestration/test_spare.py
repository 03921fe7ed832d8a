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

"""A spare process: what takes over a killed node, and what does not."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from utt_ros.orchestration import spare, supervisor
from utt_ros.orchestration.child import child_environment
from utt_ros.orchestration.output import ProcessEvent, RunListener
from utt_ros.orchestration.spare import MAX_COMMAND_BYTES, SpareProcess, can_take_over
from utt_ros.orchestration.spec import NODE_PROGRAM, ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor

pytestmark = pytest.mark.slow

FTM = ProcessSpec('hall/ftm', (*NODE_PROGRAM, 'ftm', '--help'), respawn=True)
# Says its process id and how it began, and runs until it is killed.
PROGRAM = """
import json, os, signal, sys
words = sys.argv[1:]
how = 'new'
if words == ['--spare']:
    print('spare', os.getpid(), flush=True)
    how, words = 'spare', json.loads(sys.stdin.readline() or 'null')
    if words is None:
        sys.exit(0)
print(words[0], how, os.getpid(), flush=True)
signal.pause()
"""

Wait = Callable[..., None]


@contextmanager
def spare_process() -> Iterator[SpareProcess]:
    process = SpareProcess(child_environment(colour=False))
    yield process
    process.signal(signal.SIGKILL)
    process.reap()
    process.output.close()


def test_spare_process_becomes_the_node_that_it_is_told(wait_until: Wait) -> None:
    lines: list[bytes] = []
    with spare_process() as process:
        assert process.take_over(FTM)
        assert process.spec is FTM
        wait_until(lambda: lines.extend(process.read_lines() or ()) or process.has_ended(), 60.0)
        lines += process.read_lines() or ()
    assert b'usage: ' in b'\n'.join(lines)


def test_spare_process_ends_when_nobody_can_need_it_any_more(wait_until: Wait) -> None:
    with spare_process() as process:
        process._process.stdin.close()
        wait_until(process.has_ended, 60.0)
        assert process.reap() == 0


def test_spare_process_that_has_ended_takes_over_nothing(wait_until: Wait) -> None:
    with spare_process() as process:
        process.signal(signal.SIGKILL)
        wait_until(process.has_ended)
        assert not process.take_over(FTM)


def test_command_that_would_block_the_supervisor_is_not_taken_over() -> None:
    long = replace(FTM, command=(*FTM.command, 'x' * MAX_COMMAND_BYTES))
    with spare_process() as process:
        assert not process.take_over(long)


@pytest.mark.parametrize('spec', [
    ProcessSpec('hall/trainer', (*NODE_PROGRAM, 'trainer'), respawn=True),
    ProcessSpec('hall/sync', (*NODE_PROGRAM, 'sync')),
    ProcessSpec('rviz2', ('/opt/ros/rviz2',), respawn=True),
])
def test_other_processes_are_not_taken_over(spec: ProcessSpec) -> None:
    assert not can_take_over(spec)


class Starts(RunListener):
    def __init__(self) -> None:
        self.names: list[str] = []

    def take_event(self, event: ProcessEvent) -> None:
        if event.kind == 'started':
            self.names.append(event.process)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    words = (sys.executable, '-I', '-S', '-c', PROGRAM)
    monkeypatch.setattr(spare, 'NODE_PROGRAM', words)
    monkeypatch.setattr(spare, 'SPARE_SPEC', ProcessSpec('utt/spare', (*words, '--spare')))
    monkeypatch.setattr(supervisor, 'SPARE_SEC', 0.0)
    return words


def test_killed_nodes_are_taken_over_one_after_the_other(
    program: tuple[str, ...], wait_until: Wait,
) -> None:
    said, starts = io.StringIO(), Starts()
    twin = ProcessSpec('hall/twin', (*program, 'twin'), respawn=True)
    with Supervisor([twin], output=said, listener=starts) as running:
        for spares in (1, 2):
            wait_until(lambda spares=spares: said.getvalue().count('] spare ') == spares)
            assert running.alive() == ('hall/twin',)
            waiting = int(said.getvalue().split('] spare ')[-1].split()[0])
            os.kill(running.pids()['hall/twin'], signal.SIGKILL)
            wait_until(lambda pid=waiting: f'twin spare {pid}\n' in said.getvalue())
            assert running.pids()['hall/twin'] == waiting
    assert running.pids() == {}
    assert starts.names == ['hall/twin'] * 3


def test_without_a_living_spare_process_a_node_starts_by_itself(
    program: tuple[str, ...], wait_until: Wait,
) -> None:
    said = io.StringIO()
    twin = ProcessSpec('hall/twin', (*program, 'twin'), respawn=True)
    with Supervisor([twin], output=said) as running:
        wait_until(lambda: '] spare ' in said.getvalue())
        os.kill(running.pids()['utt/spare'], signal.SIGKILL)
        wait_until(lambda: 'utt/spare' not in running.pids())
        os.kill(running.pids()['hall/twin'], signal.SIGKILL)
        wait_until(lambda: said.getvalue().count('twin new ') == 2)
    assert 'utt: utt/spare was ended by SIGKILL' in said.getvalue()
