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

"""Message types by name, and QoS of topics that are replayed or recorded."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSReliabilityPolicy
from sensor_msgs.msg import Imu

from utt_ros.bridge.node.qos import RELIABLE, SENSOR, STATE
from utt_ros.bridge.node.topic_types import (
    MIN_DEPTH,
    common_topic,
    load_message_type,
    message_type_name,
    topic_qos,
)
from utt_ros.sessions.bag_topic import BagTopic


def test_message_type_is_found_by_its_name_and_named_again():
    assert load_message_type('sensor_msgs/msg/Imu') is Imu
    assert message_type_name(Imu) == 'sensor_msgs/msg/Imu'


@pytest.mark.parametrize('name', ['strange_msgs/msg/Thing', 'sensor_msgs/msg/Thing', '', '/msg/'])
def test_type_that_is_not_installed_is_none(name):
    assert load_message_type(name) is None


def test_recorded_topic_keeps_its_qos_with_a_depth_that_replays_need():
    qos = topic_qos(BagTopic('/a', 'sensor_msgs/msg/Imu', reliable=False, transient=True))
    assert qos.reliability == QoSReliabilityPolicy.BEST_EFFORT
    assert qos.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL
    assert qos.depth == MIN_DEPTH


@pytest.mark.parametrize(('offered', 'reliable', 'transient'), [
    ([STATE], True, True), ([STATE, RELIABLE], True, False), ([STATE, SENSOR], False, False)])
def test_common_qos_of_publishers_is_the_weakest(offered, reliable, transient):
    publishers = [SimpleNamespace(qos_profile=qos) for qos in offered]
    topic = common_topic('/a', 'sensor_msgs/msg/Imu', publishers)
    assert (topic.reliable, topic.transient) == (reliable, transient)


def test_nodes_that_restart_into_a_running_area_load_no_reader_of_bags():
    code = ('import sys\nfrom utt_ros.nodes import sync_node, twin_node\n'
            'sys.exit("rosbags" in sys.modules)')
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
