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

"""Client of running areas: it finds twins of all areas and passes on what trainers answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from rclpy.node import Node
from utt_ros.msg import TaskTwin as TaskTwinMessage
from utt_ros.msg import TaskTwins

from utt_ros.bridge.node.qos import STATE
from utt_ros.bridge.node.twin_client import TwinClient
from utt_ros.bridge.node.twin_services import TWINS_TOPIC
from utt_ros.errors import NoAnswer, TwinError
from utt_ros.task_twins.types import TaskTwin

WAIT_SEC = 30.0
TRANSFER = TaskTwin('', 'hall', 'trajectory', ('ftm', 'imu'), operation='transfer')


def test_twins_of_all_running_areas_are_found(serve_area: Callable) -> None:
    serve_area('hall', ('ftm', 'imu'))
    serve_area('stairs', ('camera',))
    with TwinClient(WAIT_SEC) as client:
        assert list(client.twins('stairs')) == ['stairs_trajectory']
        assert sorted(client.twins()) == ['hall_position', 'hall_tracking', 'stairs_trajectory']
        assert client.find('hall_tracking').area == 'hall'
    with TwinClient(3.0) as client, pytest.raises(
        NoAnswer, match="area 'roof' does not answer: there are hall, stairs"):
        client.twins('roof')


def test_a_twin_of_an_area_that_appears_late_is_found(serve_area: Callable) -> None:
    serve_area('hall', ('ftm', 'imu'))
    with TwinClient(WAIT_SEC) as client, ThreadPoolExecutor() as pool:
        assert sorted(client.twins()) == ['hall_position', 'hall_tracking']
        served = pool.submit(serve_area, 'stairs', ('camera',))
        assert client.find('stairs_trajectory').area == 'stairs'
        served.result()


def test_an_area_that_never_appears_ends_the_search(serve_area: Callable) -> None:
    serve_area('hall', ('ftm', 'imu'))
    with TwinClient(2.0) as client, pytest.raises(
        TwinError, match="no task twin 'hull_position': close to it: hall_position"):
        client.find('hull_position')


def test_the_area_of_a_twin_carries_out_a_change(serve_area: Callable) -> None:
    hall = serve_area('hall', ('ftm', 'imu'))
    serve_area('stairs', ('camera',))
    hall.registry.register(TRANSFER)
    with TwinClient(WAIT_SEC) as client:
        twin, sentence = client.manage('pause', 'hall_trajectory_2')
        assert (twin.status, sentence) == (
            'paused', 'hall_trajectory_2 is paused: it publishes nothing')
        with pytest.raises(TwinError, match='hall_position is the native twin of a sensor'):
            client.manage('pause', 'hall_position')
        with pytest.raises(TwinError, match='close to it: hall_trajectory_2'):
            client.manage('pause', 'hall_trajectory_3')


def test_records_that_cannot_be_read_hide_no_other_area(
    ros: int, serve_area: Callable,
) -> None:
    serve_area('hall', ('ftm',))
    node = Node('trainer', namespace='stairs')
    publisher = node.create_publisher(TaskTwins, TWINS_TOPIC, STATE)
    publisher.publish(TaskTwins(area='stairs', twins=[TaskTwinMessage(id='?', area='stairs')]))
    with TwinClient(WAIT_SEC) as client:
        assert client.twins('stairs') == {}
        assert list(client.twins()) == ['hall_position']
        assert client.problems['stairs'].startswith("task '' is unknown")
    node.destroy_node()


def test_a_trainer_that_is_away_is_named(ros: int, serve_area: Callable) -> None:
    node = Node('ghost')
    publisher = node.create_publisher(TaskTwins, TWINS_TOPIC, STATE)
    twin = TaskTwinMessage(
        id='roof_position', area='roof', task='position', sources=['ftm'], operation='native',
        status='serving')
    publisher.publish(TaskTwins(area='roof', twins=[twin]))
    with TwinClient(2.0) as client, pytest.raises(
        NoAnswer, match='/roof/trainer/manage_twin is away: the trainer of roof does not answer'):
        client.manage('pause', 'roof_position')
    node.destroy_node()


def test_nothing_that_answers_is_reported_with_a_remedy(ros_domain: int) -> None:
    with TwinClient(0.2) as client, pytest.raises(NoAnswer, match='start one with `utt run`'):
        client.twins()
