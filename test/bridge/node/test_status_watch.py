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

"""Observing areas over DDS: what counts, and what hostile messages do not do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from utt_ros.msg import RoundStatus, TrainingMetrics, TwinStatus

from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.status_watch import StatusWatch

TOPICS = ((TwinStatus, '/hall/twin_status'), (TrainingMetrics, '/hall/training_metrics'),
          (DiagnosticArray, '/diagnostics'), (RoundStatus, '/utt/rounds'))
GOOD = {'area': 'hall', 'round': 7, 'model_ready': True, 'subjects': ['ann'],
        'sources': ['ftm+imu'], 'position_std': [0.5]}


@pytest.fixture
def watch(ros: int) -> Iterator[StatusWatch]:
    with StatusWatch() as made:
        yield made


@pytest.fixture
def send(node: Node, watch: StatusWatch, wait_until: Callable[..., None]) -> Callable[..., None]:
    """Publish a message when the observer listens: `send(TwinStatus, round=7)`."""
    publishers = {kind: node.create_publisher(kind, topic, RELIABLE) for kind, topic in TOPICS}

    def publish(kind: type[Any], **fields: Any) -> None:
        wait_until(publishers[kind].get_subscription_count, 30.0, lambda: watch.spin_once(0.05))
        publishers[kind].publish(kind(**fields))

    return publish


def test_people_round_error_and_trouble_of_an_area_are_heard(
    watch: StatusWatch, send: Callable[..., None], wait_until: Callable[..., None],
) -> None:
    send(TwinStatus, **GOOD)
    wait_until(lambda: watch.status.areas, 30.0, lambda: watch.spin_once(0.05))
    send(TrainingMetrics, area='hall', operations=['a', 'b'], nmse_var=[0.25, 0.75])
    send(RoundStatus, round=8, state='collecting', accepted=['hall'], windows=[3])
    send(DiagnosticArray, status=[
        DiagnosticStatus(level=DiagnosticStatus.WARN, name='hall: imu', message='lost'),
        DiagnosticStatus(level=DiagnosticStatus.OK, name='hall: sync', message='fine')])
    wait_until(lambda: watch.status.troubles and watch.status.federation
               and watch.status.areas['hall'].nmse, 30.0, lambda: watch.spin_once(0.05))
    now_s = watch.status.areas['hall'].heard_s
    assert watch.status.lines(now_s) == [
        'hall: ann by ftm+imu (0.50 m); round 7, NMSE_var 0.50; imu: lost',
        'federation: round 8 collecting, updates of hall']
    send(DiagnosticArray, status=[DiagnosticStatus(name='hall: imu')])
    wait_until(lambda: not watch.status.troubles, 30.0, lambda: watch.spin_once(0.05))


def test_messages_that_contradict_themselves_are_left_out(
    watch: StatusWatch, send: Callable[..., None], wait_until: Callable[..., None],
) -> None:
    send(TwinStatus, **{**GOOD, 'sources': [], 'round': 1})
    send(RoundStatus, accepted=['hall'], windows=[])
    send(TwinStatus, **{**GOOD, 'area': 'stairs', 'round': 2, 'subjects': ['a\x1b[2Jb']})
    wait_until(lambda: watch.status.areas, 30.0, lambda: watch.spin_once(0.05))
    assert set(watch.status.areas) == {'hall'}, 'the topic names the area'
    assert watch.status.areas['hall'].round == 2
    assert set(watch.status.areas['hall'].people) == {'a?[2Jb'}
    send(TrainingMetrics, area='hall', operations=['a'], nmse_var=[])
    send(TwinStatus, **{**GOOD, 'round': 3})
    wait_until(lambda: watch.status.areas['hall'].round == 3, 30.0,
               lambda: watch.spin_once(0.05))
    assert watch.status.areas['hall'].nmse is None
    assert watch.status.federation is None
