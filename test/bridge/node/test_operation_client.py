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

"""Operations on the way to a trainer and back, and a trainer that ends meanwhile."""

import subprocess
import sys
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from utt_ros.bridge.node import operation_actions, operation_client
from utt_ros.bridge.node.operation_actions import (
    OPERATION_ACTIONS,
    OperationActions,
    outcome_to_result,
    progress_to_feedback,
    request_from_goal,
)
from utt_ros.bridge.node.operation_client import (
    OperationClient,
    outcome_from_result,
    progress_from_feedback,
    request_to_goal,
)
from utt_ros.errors import NoAnswer, TwinError
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.running_operation import RunningOperation
from utt_ros.task_twins.types import TaskTwin


@pytest.mark.parametrize('request_', [
    OperationRequest('transfer', ('a',), ('hall',), ('position',), 64, 2.5, 0.5),
    OperationRequest('transfer', ('a',), (), ('position',)),
    OperationRequest('merge', ('a', 'b'), max_seconds=1.0),
    OperationRequest('split', ('a',), ('hall', 'roof'), ('position', 'tracking'))])
def test_a_goal_holds_the_whole_request(request_: OperationRequest) -> None:
    assert request_from_goal(request_.kind, request_to_goal(request_)) == request_


@pytest.mark.parametrize('kind', OPERATION_ACTIONS)
def test_feedback_and_result_hold_progress_and_outcome(kind: str) -> None:
    action = OPERATION_ACTIONS[kind]
    progress = OperationProgress('tune', 3, 10, 0.5, 64, 7.0)
    assert progress_from_feedback(progress_to_feedback(action, progress)) == progress
    twin = TaskTwin('hall_position_2', 'hall', 'position', ('imu',), operation=kind)
    outcome = OperationOutcome((twin,), (0.5,), 2.0, 7, 64)
    assert outcome_from_result(outcome_to_result(action, outcome)) == outcome


ENDLESS = """
import sys
from rclpy.node import Node
from utt_ros.bridge.node.operation_actions import OperationActions
from utt_ros.bridge.node.process import run_node
from utt_ros.task_twins.running_operation import RunningOperation

class Endless:
    start = RunningOperation

class Trainer(Node):
    def __init__(self):
        super().__init__('trainer', namespace='hall')
        self.actions = OperationActions(self, Endless(), lambda: True)

sys.exit(run_node(Trainer, []))
"""


def test_a_trainer_that_is_killed_meanwhile_is_reported(serve_area: Callable) -> None:
    serve_area('hall', ('ftm', 'imu'))
    trainer = subprocess.Popen([sys.executable, '-c', ENDLESS], cwd=CHECKOUT)
    request = OperationRequest('split', ('hall_position',), max_seconds=60.0)
    try:
        with OperationClient(60.0) as client, pytest.raises(
            NoAnswer, match='the trainer has ended meanwhile'):
            client.operate(request, lambda _: trainer.kill(), lambda: False)
    finally:
        trainer.kill()
        trainer.wait()


def test_made_twins_are_known_when_their_operation_is_done(
    serve_area: Callable, monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall = serve_area('hall', ('ftm', 'imu'))
    twin = TaskTwin('hall_trajectory_2', 'hall', 'trajectory', ('imu',), operation='split')

    class Starter:
        def start(self, request: OperationRequest) -> RunningOperation:
            operation = RunningOperation(request)
            operation.outcome.set_result(OperationOutcome((twin,), (0.5,), 2.0, 7, 64))
            return operation

    def announce_late(result: Any) -> OperationOutcome:
        hall.registry.register(twin)
        return outcome_from_result(result)

    monkeypatch.setattr(operation_client, 'outcome_from_result', announce_late)
    node, executor, closed = Node('trainer', namespace='hall'), SingleThreadedExecutor(), Event()
    actions = OperationActions(node, Starter(), lambda: True)
    executor.add_node(node)

    def spin() -> None:
        while not closed.is_set():
            executor.spin_once(timeout_sec=0.05)

    thread = Thread(target=spin, name='trainer')
    thread.start()
    try:
        with OperationClient(30.0) as client:
            client.twins()  # all areas are known
            request = OperationRequest('split', ('hall_position',), max_seconds=60.0)
            outcome, _ = client.operate(request, lambda _: None, lambda: False)
            assert client.find(outcome.twins[0].id) == hall.registry.get('hall_trajectory_2')
    finally:
        closed.set()
        thread.join()
        actions.close()
        executor.shutdown()
        node.destroy_node()


def test_a_client_that_has_its_result_no_longer_subscribes_to_feedback(
    serve_area: Callable, wait_until: Callable[..., None],
) -> None:
    class Refusal:
        def start(self, request: OperationRequest) -> RunningOperation:
            raise TwinError(f'no time for {request.name}')

    node = serve_area('hall', ('ftm', 'imu')).node
    actions = OperationActions(node, Refusal(), lambda: True)
    try:
        with OperationClient(60.0) as client:
            with pytest.raises(TwinError, match='no time for split'):
                client.operate(
                    OperationRequest('split', ('hall_position',)), lambda _: None, lambda: False)
            wait_until(lambda: not node.count_subscribers('/hall/trainer/split/_action/feedback'))
    finally:
        actions.close()


def test_a_goal_that_ended_between_two_looks_has_its_result(
    ros: int,
    wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[RunningOperation] = []

    class Starter:
        def start(self, request: OperationRequest) -> RunningOperation:
            begun.append(RunningOperation(request))
            return begun[-1]

    monkeypatch.setattr(operation_actions, 'FEEDBACK_SEC', 3600.0)  # the timer never looks
    node, executor = Node('trainer', namespace='hall'), SingleThreadedExecutor()
    executor.add_node(node)
    actions = OperationActions(node, Starter(), lambda: True)
    action = OPERATION_ACTIONS['split']
    client = ActionClient(node, action, '/hall/trainer/split')
    goals = []
    try:
        for _ in range(2):
            wait_until(client.server_is_ready, 30.0, lambda: executor.spin_once(0.02))
            goals.append(client.send_goal_async(action.Goal(source='hall_position')))
            wait_until(lambda: len(begun) == len(goals) and goals[-1].done(), 30.0,
                       lambda: executor.spin_once(0.02))
            if len(begun) == 1:
                begun[0].outcome.set_exception(TwinError('hall_position is retired'))
        pending = goals[0].result().get_result_async()
        wait_until(pending.done, 30.0, lambda: executor.spin_once(0.02))
        assert pending.result().result.message == 'hall_position is retired'
    finally:
        client.destroy()
        actions.close()
        executor.shutdown()
        node.destroy_node()
