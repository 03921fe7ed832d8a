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

"""Models of task twins on the way between the trainers of two areas."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from rclpy.client import Client
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from utt_ros.bridge.messages.task_twins import (
    handover_from_request,
    handover_to_request,
    twin_from_message,
    twin_to_message,
    twins_from_message,
)
from utt_ros.bridge.node.operator_services import MAX_ANSWER_SEC, answer_request
from utt_ros.bridge.node.qos import COLLECTED
from utt_ros.bridge.node.twin_services import TWINS_TOPIC
from utt_ros.errors import TwinError, UttError
from utt_ros.federation.signing import Signer, Verifier, sealed
from utt_ros.federation.types import TwinHandover
from utt_ros.msg import TaskTwins
from utt_ros.srv import AdoptTwin, ManageTwin
from utt_ros.task_twins.types import TaskTwin

POLL_SEC = 0.1
MAX_DISCOVERY_SEC = 10.0  # of another trainer
MAX_ADOPTION_SEC = 30.0
MAX_BEGIN_SEC = 3.0  # until an adopted model is judged; the rest of MAX_ANSWER_SEC is for writing
MAX_AREAS = 64  # whose sensors are remembered
Adopt = Callable[[TwinHandover, Callable[[], None]], TaskTwin]
T = TypeVar('T')
Calls = Generator[None, None, T]
PutRequest = Callable[[Callable[[], str]], 'Future[str]']


class TwinCouriers:
    """Calls services of other trainers for the training thread of this one."""

    def __init__(self, node: Node, signer: Signer) -> None:
        self._node, self._signer = node, signer
        self._new: deque[Iterator[None]] = deque()  # of the training thread
        self._calls: list[Iterator[None]] = []
        self._sensors: dict[str, tuple[str, ...]] = {}  # by area, newest last
        node.create_subscription(TaskTwins, TWINS_TOPIC, self._on_twins, COLLECTED)
        node.create_timer(POLL_SEC, self._on_tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def sensors(self, area: str) -> 'Future[tuple[str, ...]]':
        """Find the modalities that another area measures; its absence is a TwinError."""
        pending: Future[tuple[str, ...]] = Future()
        self._new.append(_carried_out(self._find(area), pending))
        return pending

    def hand_over(self, handover: TwinHandover, area: str) -> 'Future[TaskTwin]':
        """Have another area adopt a model; its refusal or absence is a TwinError."""
        pending: Future[TaskTwin] = Future()
        request = handover_to_request(sealed(handover, self._signer))
        self._new.append(_carried_out(self._call(AdoptTwin, area, 'adopt_twin', request), pending))
        return pending

    def withdraw(self, area: str, twin_id: str) -> None:
        """Have another area roll an adopted twin back; a refusal is logged."""
        def report(done: 'Future[TaskTwin]') -> None:
            error = done.exception()
            if error is not None:
                self._node.get_logger().error(f'{twin_id} is left in {area}: {error}')

        pending: Future[TaskTwin] = Future()
        pending.add_done_callback(report)
        request = ManageTwin.Request(id=twin_id, verb='rollback')
        self._new.append(_carried_out(
            self._call(ManageTwin, area, 'manage_twin', request), pending))

    def _on_twins(self, message: TaskTwins) -> None:
        with suppress(TwinError):
            natives = [twin for twin in twins_from_message(message) if twin.is_native]
            self._sensors.pop(message.area, None)
            self._sensors[message.area] = tuple(
                twin.target for twin in natives if twin.status == 'serving')
            while len(self._sensors) > MAX_AREAS:
                del self._sensors[next(iter(self._sensors))]

    def _on_tick(self) -> None:
        while self._new:
            self._calls.append(self._new.popleft())
        self._calls = [call for call in self._calls if next(call, self) is not self]

    def _find(self, area: str) -> Calls[tuple[str, ...]]:
        client = self._node.create_client(AdoptTwin, f'/{area}/trainer/adopt_twin')
        try:
            yield from _await_service(client, area)
            end_s = monotonic() + MAX_DISCOVERY_SEC
            while area not in self._sensors and monotonic() < end_s:
                yield
        finally:
            self._node.destroy_client(client)
        if area not in self._sensors:
            raise TwinError(f'the trainer of {area} sends no task twins on {TWINS_TOPIC}')
        return self._sensors[area]

    def _call(self, kind: Any, area: str, service: str, request: Any) -> Calls[TaskTwin]:
        client = self._node.create_client(kind, f'/{area}/trainer/{service}')
        try:
            yield from _await_service(client, area)
            answer, end_s = client.call_async(request), monotonic() + MAX_ADOPTION_SEC
            while not answer.done():
                if monotonic() > end_s:
                    raise TwinError(f'{client.srv_name} has not answered within '
                                    f'{MAX_ADOPTION_SEC:g} s')
                yield
        finally:
            self._node.destroy_client(client)
        response = answer.result()
        if not response.success:
            raise TwinError(f'{area}: {response.message}')
        return twin_from_message(response.twin)


def _await_service(client: Client, area: str) -> Calls[None]:
    end_s = monotonic() + MAX_DISCOVERY_SEC
    while not client.service_is_ready():
        if monotonic() > end_s:
            raise TwinError(f'the trainer of {area} is away: nobody offers {client.srv_name} '
                            f'within {MAX_DISCOVERY_SEC:g} s')
        yield


def _carried_out(call: Calls[T], pending: 'Future[T]') -> Iterator[None]:
    """Step through a call; set its result or its UttError."""
    try:
        pending.set_result((yield from call))
    except UttError as err:
        pending.set_exception(err)


class AdoptionService:
    """Service `~/adopt_twin` of a trainer."""

    def __init__(
        self, node: Node, verifier: Verifier, put_request: PutRequest, adopt: Adopt,
    ) -> None:
        """`put_request` has the training thread carry out an action."""
        self._verifier, self._put_request, self._adopt = verifier, put_request, adopt
        node.create_service(AdoptTwin, '~/adopt_twin', self._on_adopt)

    def _on_adopt(self, request: AdoptTwin.Request, response: Any) -> Any:
        def carry_out() -> str:
            handover = handover_from_request(request)
            self._verifier.verify(handover, handover.seal)
            twin = self._wait(handover)
            response.twin = twin_to_message(twin)
            return f'{twin.id} serves {twin.task} in {twin.area}'
        return answer_request(response, carry_out)

    def _wait(self, handover: TwinHandover) -> TaskTwin:
        """Have a model adopted; a request that takes too long is withdrawn, or has an effect."""
        permit: Future[None] = Future()
        made: list[TaskTwin] = []

        def begin_writing() -> None:
            if not permit.set_running_or_notify_cancel():
                raise TwinError('the request was withdrawn')

        def adopt() -> str:
            try:
                made.append(self._adopt(handover, begin_writing))
            except UttError:
                raise
            except Exception as err:  # no model, however malformed, ends training
                raise TwinError(f'the model cannot be adopted: {err!r}') from err
            return made[0].id

        pending = self._put_request(adopt)
        try:
            pending.result(MAX_BEGIN_SEC)
        except FutureTimeout:
            pending.cancel()
            if permit.cancel():
                raise TwinError(
                    f'the request was withdrawn after {MAX_BEGIN_SEC:g} s, which is the limit: '
                    'another piece of work takes longer') from None
            _await_writing(pending)
        return made[0]


def _await_writing(pending: 'Future[str]') -> None:
    """Wait for an adoption that cannot be withdrawn any more; raises TwinError."""
    try:
        pending.result(MAX_ANSWER_SEC - MAX_BEGIN_SEC)
    except FutureTimeout:
        raise TwinError(f'there is no answer after {MAX_ANSWER_SEC:g} s, which is the limit, but '
                        f'adoption goes on: see {TWINS_TOPIC}') from None
