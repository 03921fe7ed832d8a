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

"""QoS of sensor topics, overridden by parameters."""

from collections.abc import Callable
from typing import Any

import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from std_msgs.msg import Empty

from utt_ros.bridge.node.qos import SENSOR
from utt_ros.bridge.node.sensor_topics import create_sensor_publisher, create_sensor_subscription
from utt_ros.errors import SettingsError

Make = Callable[[Node], Any]
ENTITIES: dict[str, Make] = {
    'publisher': lambda node: create_sensor_publisher(node, Empty, 'tracks', SENSOR),
    'subscription': lambda node: create_sensor_subscription(
        node, Empty, 'tracks', print, SENSOR, raw=True)}


def start(domain: int, *overrides: str) -> Node:
    words = [word for each in overrides for word in ('-p', f'qos_overrides./hall/tracks.{each}')]
    rclpy.init(args=['node', '--ros-args', *words], domain_id=domain)
    return Node('camera', namespace='/hall')


def qos_of(node: Node, kind: str) -> QoSProfile:
    infos = {'publisher': node.get_publishers_info_by_topic,
             'subscription': node.get_subscriptions_info_by_topic}[kind]('/hall/tracks')
    return infos[0].qos_profile


@pytest.fixture(autouse=True)
def _shutdown(ros_domain: int) -> Any:
    yield
    rclpy.try_shutdown()


@pytest.mark.parametrize('kind', ENTITIES)
def test_reliability_is_overridden_and_the_profile_of_others_is_not(
    kind: str, ros_domain: int, wait_until: Callable[..., None],
) -> None:
    node = start(ros_domain, f'{kind}.reliability:=reliable', f'{kind}.depth:=7')
    made = ENTITIES[kind](node)
    wait_until(lambda: node.count_publishers('tracks') + node.count_subscribers('tracks'))
    assert qos_of(node, kind).reliability is QoSReliabilityPolicy.RELIABLE
    assert SENSOR.reliability is QoSReliabilityPolicy.BEST_EFFORT
    assert SENSOR.depth == 200
    assert node.get_parameter(f'qos_overrides./hall/tracks.{kind}.depth').value == 7
    assert made is not None


@pytest.mark.parametrize('kind', ENTITIES)
def test_without_an_override_the_profile_is_used_also_the_second_time(
    kind: str, ros_domain: int, wait_until: Callable[..., None],
) -> None:
    node = start(ros_domain)
    first = ENTITIES[kind](node)
    (node.destroy_publisher if kind == 'publisher' else node.destroy_subscription)(first)
    ENTITIES[kind](node)
    wait_until(lambda: node.count_publishers('tracks') + node.count_subscribers('tracks'))
    assert qos_of(node, kind).reliability is QoSReliabilityPolicy.BEST_EFFORT


@pytest.mark.parametrize('kind', ENTITIES)
@pytest.mark.parametrize('override', [
    'reliability:=perhaps', 'reliability:=3', 'history:=some', 'depth:=-1', 'depth:=deep'])
def test_override_that_is_no_qos_is_refused_with_the_topic(
    kind: str, override: str, ros_domain: int,
) -> None:
    node = start(ros_domain, f'{kind}.{override}')
    with pytest.raises(SettingsError, match=r'QoS of tracks: .+'):
        ENTITIES[kind](node)
