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

"""Message types by name, and the QoS of recorded topics."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

from utt_ros.sessions.bag_topic import BagTopic

MIN_DEPTH = 50


def load_message_type(name: str) -> Any:
    """Return the class of a type such as 'sensor_msgs/msg/Imu'; None when not installed."""
    package, _, kind = name.partition('/msg/')
    try:
        return getattr(import_module(f'{package}.msg'), kind, None)
    except (ImportError, TypeError, ValueError):  # TypeError: a name that begins with a dot
        return None


def message_type_name(kind: type) -> str:
    """Return the name of a message type in the ROS graph, such as 'sensor_msgs/msg/Imu'."""
    return f'{kind.__module__.partition(".")[0]}/msg/{kind.__name__}'


def topic_qos(topic: BagTopic, min_depth: int = MIN_DEPTH) -> QoSProfile:
    """Return the QoS with which a recorded topic is published, or recorded."""
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=max(topic.depth, min_depth),
        reliability=(QoSReliabilityPolicy.RELIABLE if topic.reliable
                     else QoSReliabilityPolicy.BEST_EFFORT),
        durability=(QoSDurabilityPolicy.TRANSIENT_LOCAL if topic.transient
                    else QoSDurabilityPolicy.VOLATILE))


def common_topic(name: str, kind: str, publishers: Sequence[TopicEndpointInfo]) -> BagTopic:
    """Return a topic with the QoS that all its publishers offer."""
    profiles = [publisher.qos_profile for publisher in publishers]
    return BagTopic(
        name, kind,
        reliable=all(qos.reliability == QoSReliabilityPolicy.RELIABLE for qos in profiles),
        transient=all(
            qos.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for qos in profiles))
