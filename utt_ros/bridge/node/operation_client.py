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

"""Action client of transfer, merge and split in running areas."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from utt_ros.bridge.messages.task_twins import twin_from_message
from utt_ros.bridge.node.operation_actions import OPERATION_ACTIONS
from utt_ros.bridge.node.twin_client import MAX_ANSWER_SEC, POLL_SEC, TwinClient
from utt_ros.errors import NoAnswer, TwinError
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.running_operation import OperationCanceled

MAX_READY = 16  # callbacks of one wait: of a subscription, the parts of an action, and guards
PRESENCE_SEC = 1.0  # between two looks whether the trainer is still there


class OperationClient(TwinClient):
    """Operator of running areas that requests operations on their task twins."""

    def operate(
        self, request: OperationRequest, on_progress: Callable[[OperationProgress], None],
        is_stopped: Callable[[], bool],
    ) -> tuple[OperationOutcome, str]:
        """Carry out an operation in the area of its sources; return its outcome and a sentence.

        Raises OperationCanceled when it was canceled after `is_stopped`, TwinError when it is
        refused or fails, NoAnswer when the trainer is away or ends meanwhile.
        """
        area = self._area_of(request)
        name = f'/{area}/trainer/{request.kind}'
        client = ActionClient(self._node, OPERATION_ACTIONS[request.kind], name)
        try:
            self._wait_for(name, area, client.server_is_ready)
            servers = self._servers(name)
            pending = client.send_goal_async(
                request_to_goal(request),
                lambda message: on_progress(progress_from_feedback(message.feedback)))
            if not self._spin_until(pending.done, MAX_ANSWER_SEC):
                raise NoAnswer(f'{name} has not answered within {MAX_ANSWER_SEC:g} s')
            goal = pending.result()
            if not goal.accepted:
                raise TwinError(f'{area} does not accept a {request.kind} now')
            return self._follow(goal, is_stopped, lambda: servers <= self._servers(name))
        finally:
            client.destroy()
            self._release_destroyed()

    def _release_destroyed(self) -> None:
        """Serve what is ready: an executor keeps destroyed entities until it waits anew.

        The feedback of an operation would still have a subscriber, and its trainer take that for
        its client.
        """
        for _ in range(MAX_READY):
            self._executor.spin_once(timeout_sec=0.0)

    def _follow(
        self, goal: Any, is_stopped: Callable[[], bool], is_present: Callable[[], bool],
    ) -> tuple[OperationOutcome, str]:
        """Wait for the result and the twins made; cancel the goal once when `is_stopped`."""
        pending, canceling, seen_s = goal.get_result_async(), False, monotonic()
        while not pending.done():
            self._executor.spin_once(timeout_sec=POLL_SEC)
            if is_stopped() and not canceling:
                canceling = True
                goal.cancel_goal_async()
            if monotonic() - seen_s > PRESENCE_SEC:
                seen_s = monotonic()
                if not is_present():
                    raise NoAnswer('the trainer has ended meanwhile: the operation is lost, and '
                                   'everything is as it was before, unless it was being handed '
                                   'over to another area: see `utt twins list`')
        result = pending.result().result
        if pending.result().status == GoalStatus.STATUS_CANCELED:
            raise OperationCanceled(result.message)
        if not result.success:
            raise TwinError(result.message or 'the trainer has forgotten the operation')
        outcome = outcome_from_result(result)
        made = {twin.id for twin in outcome.twins}
        self._spin_until(lambda: made <= self._known().keys() or is_stopped())
        return outcome, result.message

    def _area_of(self, request: OperationRequest) -> str:
        """Return the area that owns all sources. Raises TwinError."""
        owners = {name: self.find(name).area for name in request.sources}
        areas = sorted(set(owners.values()))
        if len(areas) > 1:
            raise TwinError(f'{request.kind} takes task twins of one area: these are of '
                            f'{" and ".join(areas)}; transfer them to one first')
        return areas[0]

    def _servers(self, name: str) -> set[bytes]:
        """Return the identifiers of the action servers of a name."""
        return {bytes(item.endpoint_gid) for item in
                self._node.get_publishers_info_by_topic(f'{name}/_action/status')}


def request_to_goal(request: OperationRequest) -> Any:
    """Convert an operation to the goal of its action."""
    several = request.kind == 'split'
    given = {
        'sources' if request.kind == 'merge' else 'source':
            list(request.sources) if request.kind == 'merge' else request.sources[0],
        'target_areas' if several else 'target_area':
            list(request.target_areas) if several else ''.join(request.target_areas),
        'target_tasks' if several else 'target_task':
            list(request.target_tasks) if several else ''.join(request.target_tasks)}
    return OPERATION_ACTIONS[request.kind].Goal(
        **given, max_windows=request.max_windows, max_seconds=request.max_seconds,
        max_nmse=request.max_nmse)


def progress_from_feedback(feedback: Any) -> OperationProgress:
    """Convert the feedback of an action."""
    return OperationProgress(
        feedback.phase, feedback.step, feedback.steps, feedback.loss, feedback.windows,
        feedback.time_left)


def outcome_from_result(result: Any) -> OperationOutcome:
    """Convert the result of an action that succeeded. Raises TwinError for an invalid record."""
    return OperationOutcome(
        tuple(map(twin_from_message, result.twins)), tuple(result.nmse_before), result.seconds,
        result.bytes, result.windows)
