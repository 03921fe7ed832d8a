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

"""Models on the way to other trainers: late adoptions, and areas that nobody has."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread

import pytest
from rclpy.node import Node
from utt_ros.msg import TaskTwins
from utt_ros.srv import AdoptTwin

from utt_ros.bridge.messages.task_twins import handover_to_request, twins_to_message
from utt_ros.bridge.node import twin_handover
from utt_ros.bridge.node.qos import COLLECTED, STATE
from utt_ros.bridge.node.twin_handover import MAX_AREAS, AdoptionService, TwinCouriers
from utt_ros.bridge.node.twin_services import TWINS_TOPIC
from utt_ros.federation.signing import NullSigner, NullVerifier
from utt_ros.federation.types import TwinHandover
from utt_ros.task_twins.registry_file import dump_twin
from utt_ros.task_twins.types import TaskTwin

TWIN = TaskTwin('hall_position_2', 'hall', 'position', ('imu',), operation='transfer')


def test_an_adoption_that_takes_too_long_is_a_sentence_and_goes_on(
    node: Node, spin: Callable[[], None], wait_until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(twin_handover, 'MAX_BEGIN_SEC', 0.1)
    monkeypatch.setattr(twin_handover, 'MAX_ANSWER_SEC', 0.2)
    begun, disk = Event(), Event()

    def adopt(_: TwinHandover, begin_writing: Callable[[], None]) -> TaskTwin:
        begin_writing()
        begun.set()
        assert disk.wait(60.0)
        return TWIN

    done: list[str] = []

    def put_request(action: Callable[[], str]) -> 'Future[str]':
        threads.append(Thread(target=lambda: done.append(action())))
        threads[-1].start()
        assert begun.wait(60.0)
        pending: Future[str] = Future()
        pending.set_running_or_notify_cancel()
        return pending

    threads: list[Thread] = []
    AdoptionService(node, NullVerifier(), put_request, adopt)
    client = node.create_client(AdoptTwin, '/hall/tested/adopt_twin')
    try:
        wait_until(client.service_is_ready, 30.0, spin)
        answer = client.call_async(handover_to_request(
            TwinHandover('stairs', dump_twin(TWIN), '{}', 0.0, '', b'')))
        wait_until(answer.done, 30.0, spin)
    finally:
        disk.set()
        for thread in threads:
            thread.join(60.0)
    assert (answer.result().success, answer.result().message) == (
        False, ('there is no answer after 0.2 s, which is the limit, but adoption goes on: see '
                '/utt/twins'))
    assert done == ['hall_position_2']


def test_invented_areas_do_not_shut_out_a_real_one(
    node: Node, spin: Callable[[], None], wait_until: Callable[..., None],
) -> None:
    couriers = TwinCouriers(node, NullSigner())
    publisher = node.create_publisher(TaskTwins, TWINS_TOPIC, STATE)
    wait_until(publisher.get_subscription_count, 30.0, spin)
    heard: list[str] = []
    node.create_subscription(
        TaskTwins, TWINS_TOPIC, lambda item: heard.append(item.area), COLLECTED)
    wait_until(lambda: publisher.get_subscription_count() == 2, 30.0, spin)
    node.create_service(AdoptTwin, '/stairs/trainer/adopt_twin', lambda _, response: response)
    names = [f'invented{number}' for number in range(MAX_AREAS)]
    for name in [*names, 'stairs']:
        native = TaskTwin(f'{name}_tracking', name, 'tracking', ('imu',))
        publisher.publish(twins_to_message(name, [native], node.get_clock().now().to_msg()))
        wait_until(lambda name=name: name in heard, 30.0, spin)
    pending = couriers.sensors('stairs')
    wait_until(pending.done, 30.0, spin)
    assert pending.result() == ('imu',)
