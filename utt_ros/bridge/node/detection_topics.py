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

"""Source of people that another package detects, from a topic of its detections."""

from collections import deque
from collections.abc import Mapping, Sequence
from threading import Condition
from typing import Any

from rclpy.node import Node

from utt_ros.bridge.messages.sensors import to_ns
from utt_ros.bridge.node.qos import SENSOR
from utt_ros.bridge.node.sensor_topics import create_sensor_subscription
from utt_ros.bridge.node.topic_types import load_message_type
from utt_ros.drivers.camera.detection_messages import FORMATS
from utt_ros.drivers.camera.detection_stream import DetectionStream, DetectionTopicSettings
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import CameraFrame
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings

MAX_PENDING_MESSAGES = 50


class DetectionTopicSource(Source[CameraFrame]):
    """Source of boxes without images. Raises SettingsError when the type is not installed.

    Callbacks store messages; the reading thread converts them.
    """

    def __init__(self, node: Node, settings: DetectionTopicSettings, area: AreaSettings) -> None:
        super().__init__()
        self._node, self._settings = node, settings
        self._stream = DetectionStream(settings, area, self.counters)
        self._messages: deque[Any] = deque()
        self._is_open = False
        self._changed = Condition()
        kind = load_message_type(settings.type)
        if kind is None:
            package = settings.type.partition('/')[0]
            raise SettingsError(
                f'detections.type is {settings.type}, whose package is not installed here: '
                f'install {package}, as ros-<distro>-{package.replace("_", "-")} or from source')
        create_sensor_subscription(node, kind, settings.topic, self.keep, SENSOR)

    def keep(self, message: Any) -> None:
        """Store a message; beyond the limit the oldest is lost, and counted."""
        with self._changed:
            if not self._is_open:
                return
            if len(self._messages) == MAX_PENDING_MESSAGES:
                self._messages.popleft()
                self.counters['superseded'] += 1
            self._messages.append(message)
            self._changed.notify()

    def open(self) -> None:
        self._is_open = True

    def read(self, timeout_s: float) -> Sequence[CameraFrame]:
        """Return the people of each new message, oldest first."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages, timeout_s)
            messages = list(self._messages)
            self._messages.clear()
        frames = (self._stream.frame(message, to_ns(message.header.stamp)) for message in messages)
        return [frame for frame in frames if frame is not None]

    def close(self) -> None:
        with self._changed:
            self._is_open = False
            self._messages.clear()

    def status(self) -> Mapping[str, object]:
        """Return topic and classes, and what is wrong with the publisher or the boxes."""
        topic = self._node.resolve_topic_name(self._settings.topic)
        return {'topics': topic, 'classes': self._stream.classes,
                'trouble': self._missing(topic) or self._stream.trouble}

    def _missing(self, topic: str) -> str:
        """Return why no detection can come; empty when one can."""
        types = {info.topic_type for info in self._node.get_publishers_info_by_topic(topic)}
        if self._settings.type in types:
            return ''
        if not types:
            return f'nobody publishes {topic} ({self._settings.type})'
        other = min(types)
        advice = f': set detections.type to {other}' if other in FORMATS else ''
        return f'{topic} is {other}, not {self._settings.type}{advice}'
