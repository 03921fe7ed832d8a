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

"""Client of running areas: their task twins, and requests about them."""

from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple

from utt_ros.bridge.messages.task_twins import (
    handover_to_request,
    twin_from_message,
    twins_from_message,
)
from utt_ros.bridge.node.operator_node import OperatorNode
from utt_ros.bridge.node.qos import COLLECTED
from utt_ros.bridge.node.twin_services import TWINS_TOPIC
from utt_ros.errors import NoAnswer, TwinError
from utt_ros.federation.signing import MAX_PAYLOAD_BYTES
from utt_ros.federation.types import TwinHandover
from utt_ros.federation.wire import Tensors, unpack
from utt_ros.msg import TaskTwins
from utt_ros.srv import AdoptTwin, GetTwinModel, ManageTwin
from utt_ros.task_twins.types import TASKS, TaskTwin, find_twin, native_id, native_of

SETTLED_SEC = 1.0  # without another area, once all that are discovered have sent their twins
MAX_ANSWER_SEC = 30.0  # of a service that is there
POLL_SEC = 0.05


class ReceivedTwinModel(NamedTuple):
    """A task twin with the weights that its area sent."""

    twin: TaskTwin
    config: str  # JSON
    weights: Tensors


class TwinClient(OperatorNode):
    """Operator of running areas, as a node of its own. For one thread, in a `with` block.

    Requests raise NoAnswer when a node is away, and TwinError when it refuses.
    """

    def __init__(self, wait_sec: float) -> None:
        """`wait_sec`: longest wait for areas to appear."""
        self._wait_sec = wait_sec
        super().__init__()
        self.problems: dict[str, str] = {}  # by area that sent records which cannot be read
        self._heard: dict[str, tuple[TaskTwin, ...]] = {}  # by area
        self._changed_s = monotonic()
        self._node.create_subscription(TaskTwins, TWINS_TOPIC, self._on_twins, COLLECTED)

    def twins(self, area: str = '') -> dict[str, TaskTwin]:
        """Return the twins of an area, or of all that answer, by id."""
        self._spin_until(lambda: area in self._heard if area else self._is_settled())
        self._check_heard()
        if area and area not in self._heard:
            raise NoAnswer(f'area {area!r} does not answer: there are '
                           f'{", ".join(sorted(self._heard))}')
        return self._known(area)

    def find(self, twin_id: str) -> TaskTwin:
        """Return a twin of any area, which may still be about to appear.

        Raises TwinError, with ids that are close to it.
        """
        self._spin_until(lambda: twin_id in self._known() or (
            self._is_settled() and self._is_owner_heard(twin_id)))
        self._check_heard()
        return find_twin(self._known(), twin_id)

    def manage(self, verb: str, twin_id: str) -> tuple[TaskTwin, str]:
        """Change a twin by one of VERBS; return it as it is then, and a sentence."""
        response = self._call(
            ManageTwin, self.find(twin_id).area, 'manage_twin', verb=verb, id=twin_id)
        return twin_from_message(response.twin), response.message

    def read_model(self, twin_id: str) -> ReceivedTwinModel:
        """Return the model of a twin. Raises ModelError when it arrives damaged."""
        response = self._call(
            GetTwinModel, self.find(twin_id).area, 'get_twin_model', id=twin_id)
        weights = unpack(bytes(response.payload), response.checksum, MAX_PAYLOAD_BYTES)
        return ReceivedTwinModel(twin_from_message(response.twin), response.config, weights)

    def adopt(self, area: str, handover: TwinHandover) -> tuple[TaskTwin, str]:
        """Hand a model to an area; return the twin as it was registered, and a sentence."""
        self.twins(area)
        response = self._request(AdoptTwin, area, 'adopt_twin', handover_to_request(handover))
        return twin_from_message(response.twin), response.message

    def _call(self, kind: Any, area: str, service: str, **fields: Any) -> Any:
        return self._request(kind, area, service, kind.Request(**fields))

    def _request(self, kind: Any, area: str, service: str, request: Any) -> Any:
        """Return the response of a service of an area's trainer."""
        name = f'/{area}/trainer/{service}'
        client = self._node.create_client(kind, name)
        try:
            self._wait_for(name, area, client.service_is_ready)
            pending = client.call_async(request)
            if not self._spin_until(pending.done, MAX_ANSWER_SEC):
                raise NoAnswer(f'{name} has not answered within {MAX_ANSWER_SEC:g} s')
        finally:
            self._node.destroy_client(client)
        response = pending.result()
        if not response.success:
            raise TwinError(response.message)
        return response

    def _wait_for(self, name: str, area: str, is_ready: Callable[[], bool]) -> None:
        if not self._spin_until(is_ready):
            raise NoAnswer(f'{name} is away: the trainer of {area} does not answer within '
                           f'{self._wait_sec:g} s')

    def _known(self, area: str = '') -> dict[str, TaskTwin]:
        areas = [self._heard[area]] if area else self._heard.values()
        return {twin.id: twin for twins in areas for twin in twins}

    def _check_heard(self) -> None:
        if not self._heard:
            raise NoAnswer(
                f'no area answers on {TWINS_TOPIC} within {self._wait_sec:g} s: start one with '
                '`utt run`, or give the --hosts and the ROS_DOMAIN_ID that it has')

    def _is_settled(self) -> bool:
        """Check that all areas that were discovered have sent their twins, and no other comes."""
        return (bool(self._heard) and monotonic() - self._changed_s > SETTLED_SEC
                and len(self._heard) >= self._node.count_publishers(TWINS_TOPIC))

    def _is_owner_heard(self, twin_id: str) -> bool:
        """Check that the area in an id has sent its twins; True for an id without one."""
        native = native_of(twin_id)
        return not native or any(
            native == native_id(area, task) for area in self._heard for task in TASKS)

    def _on_twins(self, message: TaskTwins) -> None:
        if message.area not in self._heard:
            self._changed_s = monotonic()
        try:
            self._heard[message.area] = twins_from_message(message)
        except TwinError as err:
            self._heard[message.area], self.problems[message.area] = (), str(err)

    def _spin_until(self, done: Callable[[], bool], wait_sec: float | None = None) -> bool:
        """Serve callbacks until `done` or the end of the wait; return whether it is done."""
        end = monotonic() + (self._wait_sec if wait_sec is None else wait_sec)
        while not done():
            if monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=POLL_SEC)
        return True
