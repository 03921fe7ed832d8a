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

"""Publishers of phones that come and go, in bounded number."""

from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher

from utt_ros.bridge.node.qos import SENSOR
from utt_ros.bridge.node.sensor_topics import create_sensor_publisher

MAX_PUBLISHERS = 256  # sources accept 64 phones, some of which may have changed names


class PhonePublishers:
    """Publishers by topic, created at first use; at most MAX_PUBLISHERS, the last used ones."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._topics: dict[str, Publisher] = {}  # the one that was not used for longest first

    def publish(self, topic: str, message: Any) -> None:
        """Publish a message on a topic of its type."""
        publisher = self._topics.pop(topic, None)
        if publisher is None:
            if len(self._topics) >= MAX_PUBLISHERS:
                self._node.destroy_publisher(self._topics.pop(next(iter(self._topics))))
            publisher = create_sensor_publisher(self._node, type(message), topic, SENSOR)
        self._topics[topic] = publisher
        publisher.publish(message)
