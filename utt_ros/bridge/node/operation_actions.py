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

"""Actions transfer, merge and split of a trainer.

The training thread does the work. The node's thread watches it with a timer, so that no callback
waits; see `RunningOperation`.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from rclpy.action import ActionServer, CancelResponse
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from utt_ros.action import Merge, Split, Transfer
from utt_ros.bridge.messages.task_twins import twin_to_message
from utt_ros.errors import TwinError, UttError
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.running_operation import OperationCanceled, RunningOperation

OPERATION_ACTIONS = {'transfer': Transfer, 'merge': Merge, 'split': Split}
FEEDBACK_SEC = 0.2


class OperationStarter(Protocol):
    """Operations on the task twins of an area, one at a time."""

    def start(self, request: OperationRequest, /) -> RunningOperation: ...


class OperationActions:
    """Action servers `~/transfer`, `~/merge` and `~/split` of a trainer.

    A request that cannot be carried out is accepted and then aborted, so that its client gets the
    sentence. An operation whose client has vanished is canceled.
    """

    def __init__(
        self, node: Node, operations: OperationStarter, is_active: Callable[[], bool],
    ) -> None:
        self._node, self._operations, self._is_active = node, operations, is_active
        self._goal: _Goal | None = None
        self._servers = [
            _DeferredServer(node, action, f'~/{kind}', self._on_goal, self._on_cancel)
            for kind, action in OPERATION_ACTIONS.items()]
        self._timer = node.create_timer(
            FEEDBACK_SEC, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Destroy the servers, with the goal in work."""
        self._timer.cancel()
        self._goal = None
        for server in self._servers:
            server.destroy()
        self._servers.clear()

    def _on_goal(self, server: '_DeferredServer', handle: Any) -> None:
        kind = next(name for name, action in OPERATION_ACTIONS.items()
                    if action is server.action_type)
        try:
            if not self._is_active():
                raise TwinError(f'{self._node.get_fully_qualified_name()} is not active')
            running = self._operations.start(request_from_goal(kind, handle.request))
        except UttError as err:
            server.finish(handle, handle.abort, _failure(server.action_type, err))
        else:
            self._finish_ended()  # the timer may not have looked since
            topic = f'{self._node.get_fully_qualified_name()}/{kind}/_action/feedback'
            self._goal = _Goal(server, handle, running, topic)

    def _on_cancel(self, handle: Any) -> CancelResponse:
        """Accept unless it is too late."""
        goal = self._goal
        if goal is None or goal.handle.goal_id != handle.goal_id or not goal.running.cancel():
            return CancelResponse.REJECT
        return CancelResponse.ACCEPT

    def _finish_ended(self) -> None:
        goal = self._goal
        if goal is not None and goal.running.outcome.done():
            self._goal = None
            goal.finish()

    def _watch(self) -> None:
        self._finish_ended()
        goal = self._goal
        if goal is None:
            return
        goal.handle.publish_feedback(
            progress_to_feedback(goal.server.action_type, goal.running.progress))
        if goal.is_abandoned(self._node):
            goal.running.cancel()


class _DeferredServer(ActionServer):
    """Action server whose goals execute from their acceptance until `finish`.

    The coroutines of rclpy's events executor would spin while they wait.
    """

    def __init__(
        self, node: Node, action: Any, name: str,
        on_goal: Callable[['_DeferredServer', Any], None],
        on_cancel: Callable[[Any], CancelResponse],
    ) -> None:
        super().__init__(node, action, name, lambda _: None, cancel_callback=on_cancel)
        self._on_goal = on_goal

    def notify_execute(self, goal_handle: Any, execute_callback: Any) -> None:  # noqa: ARG002
        """Begin a goal that was accepted."""
        self._on_goal(self, goal_handle)

    def finish(self, handle: Any, end: Callable[[], None], result: Any) -> None:
        """End a goal by one of the handle's methods, and send its result."""
        end()
        super().notify_execute(handle, lambda _: result)


@dataclass(slots=True)
class _Goal:
    """Goal whose operation is in work."""

    server: _DeferredServer
    handle: Any
    running: RunningOperation
    topic: str  # of its feedback, to which its client subscribes
    heard: bool = False

    def is_abandoned(self, node: Node) -> bool:
        """Check whether nobody subscribes any more."""
        listening = node.count_subscribers(self.topic) > 0
        self.heard |= listening
        return self.heard and not listening

    def finish(self) -> None:
        error = self.running.outcome.exception()
        action = self.server.action_type
        if error is None:
            result = outcome_to_result(action, self.running.outcome.result())
            self.server.finish(self.handle, self.handle.succeed, result)
        else:
            asked = isinstance(error, OperationCanceled) and self.handle.is_cancel_requested
            end = self.handle.canceled if asked else self.handle.abort
            self.server.finish(self.handle, end, _failure(action, error))


def request_from_goal(kind: str, goal: Any) -> OperationRequest:
    """Convert the goal of an action. Raises TwinError for values outside their limits."""
    several = kind == 'split'
    return OperationRequest(
        kind, tuple(goal.sources) if kind == 'merge' else (goal.source,),
        _named(goal.target_areas if several else [goal.target_area]),
        _named(goal.target_tasks if several else [goal.target_task]),
        goal.max_windows, goal.max_seconds, goal.max_nmse)


def progress_to_feedback(action: Any, progress: OperationProgress) -> Any:
    """Convert progress to the feedback of an action."""
    return action.Feedback(
        phase=progress.phase, step=progress.step, steps=progress.steps, loss=progress.loss,
        windows=progress.windows, time_left=progress.seconds_left)


def outcome_to_result(action: Any, outcome: OperationOutcome) -> Any:
    """Convert the outcome of an operation to the result of an action."""
    return action.Result(
        success=True, message=outcome.sentence,
        twins=[twin_to_message(twin) for twin in outcome.twins],
        nmse_before=array('d', outcome.nmse_before), seconds=outcome.seconds,
        bytes=outcome.bytes, windows=outcome.windows)


def _failure(action: Any, error: BaseException) -> Any:
    return action.Result(success=False, message=str(error))


def _named(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name)
