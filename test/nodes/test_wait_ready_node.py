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

"""Waiting for the models of twins, as a process over DDS."""

import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from utt_ros.msg import TwinStatus

from utt_ros.bridge.node.qos import RELIABLE


@pytest.fixture
def statuses(listener: Any) -> Callable[..., Callable[[], None]]:
    """Call with area=(model_ready, round), ...: return a function that publishes each status."""

    def make(**areas: tuple[bool, int]) -> Callable[[], None]:
        pairs = [
            (listener.node.create_publisher(TwinStatus, f'/{area}/twin_status', RELIABLE),
             TwinStatus(area=area, model_ready=ready, round=number))
            for area, (ready, number) in areas.items()]

        def publish() -> None:
            for publisher, status in pairs:
                publisher.publish(status)
            listener.spin()

        return publish

    return make


def subscribed(listener: Any, areas: Sequence[str]) -> bool:
    return all(listener.node.count_subscribers(f'/{area}/twin_status') for area in areas)


def test_it_ends_with_0_once_every_area_has_a_model(
    start_node: Callable[..., Any], statuses: Callable[..., Callable[[], None]],
    listener: Any, wait_until: Callable[..., None],
) -> None:
    waiting = start_node('wait_ready', 'hall', 'stairs')
    wait_until(lambda: subscribed(listener, ('hall', 'stairs')), 30.0, listener.spin)
    statuses(hall=(True, 0))()
    assert waiting.process.poll() is None
    publish = statuses(hall=(True, 0), stairs=(True, 0))
    wait_until(lambda: waiting.process.poll() is not None, 30.0, publish)
    assert waiting.wait() == 0


def test_areas_without_a_model_of_the_round_are_named_after_the_timeout(
    start_node: Callable[..., Any], statuses: Callable[..., Callable[[], None]],
    wait_until: Callable[..., None],
) -> None:
    waiting = start_node(
        'wait_ready', 'attic', 'hall', 'stairs', '--round', '2', '--timeout', '8')
    waiting.expect(1)
    publish = statuses(attic=(False, 5), hall=(True, 2), stairs=(True, 1))
    wait_until(lambda: waiting.process.poll() is not None, 40.0, publish)
    assert waiting.wait() == 1
    assert 'no model of round 2 or later after 8 s in: attic, stairs' in waiting.said


def test_ctrl_c_ends_the_wait_without_an_error_message(
    start_node: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
) -> None:
    waiting = start_node('wait_ready', 'hall')
    waiting.expect(1)
    wait_until(lambda: subscribed(listener, ['hall']), 30.0, listener.spin)
    assert waiting.stop(signal.SIGINT) == 1
    assert waiting.said == ''
