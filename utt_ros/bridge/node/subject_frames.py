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

"""Frames of subjects on /tf, where tf2_msgs is installed."""

from functools import lru_cache
from typing import Any

import numpy as np
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.node import Node
from std_msgs.msg import Header

from utt_ros.bridge.messages.cdr_templates import CdrTemplate, Placeholders
from utt_ros.bridge.messages.predictions import MAX_TEMPLATES, subject_frame
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.topic_types import load_message_type
from utt_ros.twin.tick_types import PendingTick

FRAMES_TYPE = 'tf2_msgs/msg/TFMessage'


class SubjectFrames:
    """Publishes `<area>/<subject>` at every tick while somebody subscribes to /tf.

    The origin is the subject's position on the floor; x points along its heading, or along its
    velocity where the heading is not known.
    """

    def __init__(self, node: Node, area: str, *, publish: bool) -> None:
        self._area = area
        self._kind = load_message_type(FRAMES_TYPE) if publish else None
        self._publisher = (
            node.create_publisher(self._kind, '/tf', RELIABLE) if self._kind else None)
        self._is_heard = False

    def refresh(self) -> None:
        """Look for subscribers."""
        self._is_heard = bool(self._publisher and self._publisher.get_subscription_count())

    def publish(self, tick: PendingTick) -> None:
        """Publish the frames of the subjects of a tick whose position is known."""
        if self._publisher is None or not self._is_heard:
            return
        positions, half = tick.located.positions, tick.frame[tick.located.known] / 2
        numbers = np.column_stack([positions.position, np.sin(half), np.cos(half)])
        stamps_ns = np.array([positions.stamp_ns])
        for name, row in zip(positions.subjects, numbers, strict=True):
            template = frame_template(self._kind, self._area, subject_frame(self._area, name))
            self._publisher.handle.publish_raw(template.fill(row[None], stamps_ns)[0])


@lru_cache(maxsize=MAX_TEMPLATES)
def frame_template(kind: Any, parent: str, child: str) -> CdrTemplate:
    """TFMessage of one frame: x and y, then z and w of its quaternion."""
    slots = Placeholders()
    return CdrTemplate(kind(transforms=[TransformStamped(
        header=Header(stamp=slots.stamp(0), frame_id=parent), child_frame_id=child,
        transform=Transform(
            translation=Vector3(x=slots.number(0), y=slots.number(1), z=0.0),
            rotation=Quaternion(x=0.0, y=0.0, z=slots.number(2), w=slots.number(3))))]),
        slots, 4, 1)
