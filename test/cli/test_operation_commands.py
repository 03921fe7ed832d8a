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

"""`utt transfer`, `utt merge` and `utt split` in running areas."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from utt_ros.bridge.node.operation_actions import OperationActions
from utt_ros.errors import TwinError
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.running_operation import OperationCanceled, RunningOperation
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import TaskTwin

UTT = [sys.executable, '-c', 'import sys; from utt_ros.cli.main import main; sys.exit(main())']
MADE = TaskTwin(
    'hall_trajectory_2', 'hall', 'trajectory', ('ftm',), operation='transfer',
    parents=('hall_position',), windows=64, nmse={'depth_m': 0.25, 'width_px': 0.5},
    std={'depth_m': 0.5, 'width_px': 2.0}, judged_in='hall', judged_windows=32)


class Starter:
    """Operations that end as a test has them end: at once, or when they are canceled."""

    def __init__(self, registry: TwinRegistry) -> None:
        self._registry = registry
        self.requests: list[OperationRequest] = []
        self.running: RunningOperation | None = None
        self.error = ''
        self.is_long = False

    def start(self, request: OperationRequest) -> RunningOperation:
        if request.target_tasks == ('tracking',):
            raise TwinError('no data to judge on: hall does not measure imu')
        self.requests.append(request)
        self.running = running = RunningOperation(request)
        running.progress = OperationProgress('tune', 3, 10, 0.5, 64, 7.0)
        if self.is_long:
            threading.Thread(target=self._end_when_canceled, args=(running,)).start()
        elif self.error:
            running.outcome.set_exception(TwinError(self.error))
        else:
            self._registry.register(MADE)
            running.outcome.set_result(OperationOutcome((MADE,), (0.75,), 2.0, 1024, 64))
        return running

    def _end_when_canceled(self, running: RunningOperation) -> None:
        closed = threading.Event()
        try:
            while not closed.wait(0.01):
                running.check()
        except OperationCanceled as err:
            running.outcome.set_exception(err)


@pytest.fixture
def starter(serve_area: Callable) -> Starter:
    """Serve hall with the three actions, and stairs without."""
    hall = serve_area('hall', ('ftm', 'imu'))
    made = Starter(hall.registry)
    OperationActions(hall.node, made, lambda: True)
    serve_area('stairs', ('camera',))
    return made


def test_a_transfer_prints_what_was_made_and_its_errors(starter: Starter, utt: Callable) -> None:
    done = utt('transfer', 'hall_position', '--to-task', 'trajectory', '--to-area', 'stairs',
               '--windows', 64, '--max-nmse', 0.5, '--wait', 30)
    assert (done.code, done.err) == (0, '')
    lines = [line.split() for line in done.out.splitlines()]
    assert done.out.splitlines()[0] == (
        'hall_trajectory_2 (NMSE_var 0.375, 0.750 before): made in 2.0 s')
    assert ['hall_trajectory_2', 'width_px', '0.500', '2.000', '32', 'hall'] in lines
    assert done.out.splitlines()[-1] == '2.0 s, 64 windows, 1024 bytes to other areas'
    assert starter.requests == [OperationRequest(
        'transfer', ('hall_position',), ('stairs',), ('trajectory',), 64, 0.0, 0.5)]


@pytest.mark.parametrize(('words', 'request_'), [
    (['merge', 'hall_position', 'hall_tracking'],
     OperationRequest('merge', ('hall_position', 'hall_tracking'), max_seconds=60.0)),
    (['split', 'hall_position', '--to-task', 'trajectory', 'tracking', '--seconds', '0'],
     OperationRequest('split', ('hall_position',), (), ('trajectory', 'tracking'))),
    (['split', 'hall_position', '--to-area', 'stairs', 'roof', '--seconds', '5'],
     OperationRequest('split', ('hall_position',), ('stairs', 'roof'), max_seconds=5.0))])
def test_operations_are_passed_on_as_they_are_asked_for(
    words: list[str], request_: OperationRequest, starter: Starter, utt: Callable,
) -> None:
    done = utt(*words, '--json', '--wait', 30)
    assert done.code == 0, done.err
    assert starter.requests == [request_]
    content = json.loads(done.out)
    assert (content['windows'], content['nmse_before']) == (64, [0.75])
    assert content['twins'][0]['nmse'] == {'depth_m': 0.25, 'width_px': 0.5}


@pytest.mark.parametrize(('words', 'complaint'), [
    (['transfer', 'hall_positon', '--to-task', 'trajectory'],
     "there is no task twin 'hall_positon': close to it: hall_position"),
    (['transfer', 'hall_position', '--to-task', 'tracking'], 'no data to judge on: hall does not'),
    (['merge', 'hall_position', 'stairs_trajectory'],
     'merge takes task twins of one area: these are of hall and stairs'),
    (['split', 'stairs_trajectory'], '/stairs/trainer/split is away: the trainer of stairs does'),
    (['split', 'hall_position'], 'stairs is away')])
def test_a_refused_operation_is_reported_in_one_sentence(
    words: list[str], complaint: str, starter: Starter, utt: Callable,
) -> None:
    starter.error = 'stairs is away'
    done = utt(*words, '--wait', 3)
    assert (done.code, done.out, done.err.count('\n')) == (1, '', 1)
    assert done.err.startswith(f'utt {words[0]}: {complaint}')


@pytest.mark.parametrize(('words', 'complaint'), [
    (['merge', 'hall_position'], 'merge has 1 source twins: it must have 2 to 64'),
    (['merge', 'a', 'a'], 'merge has 1 source twins'),
    (['transfer', 'a', '--to-task', 'position', '--to-area', 'x/y'], "target area 'x/y' is not"),
    (['split', 'a', '--seconds', 'nan'], 'max_seconds is nan: it must be finite'),
    (['split', 'a', '--windows', '-1'], 'max_windows is -1'),
    (['split', 'a', '--max-nmse', '-1'], 'max_nmse is -1')])
def test_an_impossible_operation_is_refused_before_areas_are_asked(
    words: list[str], complaint: str, utt: Callable,
) -> None:
    done = utt(*words)
    assert (done.code, done.out, done.err.count('\n')) == (2, '', 1)
    assert done.err.startswith(f'utt {words[0]}: {complaint}')


@pytest.fixture
def start_utt(starter: Starter) -> Any:
    """Run a command that takes long as a process."""
    started: list[subprocess.Popen[str]] = []
    starter.is_long = True

    def start() -> subprocess.Popen[str]:
        command = [*UTT, 'split', 'hall_position', '--wait', '30']
        started.append(subprocess.Popen(
            command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, 'OMP_NUM_THREADS': '1'}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_ctrl_c_cancels_the_operation(
    starter: Starter, start_utt: Callable, wait_until: Callable,
) -> None:
    process = start_utt()
    wait_until(lambda: starter.running or process.poll() is not None, 60.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30.0)
    assert (process.returncode, out) == (130, '')
    assert err.strip().endswith(
        'utt split: split of hall_position was canceled: everything is as it was before')
    assert isinstance(starter.running.outcome.exception(), OperationCanceled)


def test_a_killed_client_has_its_operation_canceled(
    starter: Starter, start_utt: Callable, wait_until: Callable,
) -> None:
    process = start_utt()
    wait_until(lambda: starter.running or process.poll() is not None, 60.0)
    process.kill()
    process.communicate()
    wait_until(starter.running.outcome.done, 60.0)
    assert isinstance(starter.running.outcome.exception(), OperationCanceled)
