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

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rclpy.node import Node

from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.subject_frames import SubjectFrames
from utt_ros.bridge.node.topic_types import load_message_type
from utt_ros.twin.tick_types import TickPositions

POSITIONS = TickPositions(
    5_000_000_002, ('ann', 'bob'), np.array([[1.0, -2.0], [3.5, 0.0]]), np.zeros((2, 2, 2)))
TICK: Any = SimpleNamespace(
    located=SimpleNamespace(positions=POSITIONS, known=np.array([0, 2])),
    frame=np.array([0.4, 9.9, -3.0]))


@pytest.mark.usefixtures('ros')
def test_frames_are_not_published_when_they_are_switched_off() -> None:
    node = Node('twin')
    frames = SubjectFrames(node, 'hall', publish=False)
    frames.refresh()
    frames.publish(TICK)
    assert not node.count_publishers('/tf')
    node.destroy_node()


def test_subscriber_gets_the_pose_of_every_known_subject(
    ros: int, wait_until: Callable[..., None],
) -> None:
    kind = load_message_type('tf2_msgs/msg/TFMessage')
    if kind is None:
        pytest.skip('tf2_msgs is not installed')
    node, heard = Node('twin'), []
    frames = SubjectFrames(node, 'hall', publish=True)
    node.create_subscription(kind, '/tf', heard.append, RELIABLE)

    def publish() -> None:
        import rclpy
        frames.refresh()
        frames.publish(TICK)
        rclpy.spin_once(node, timeout_sec=0.05)

    wait_until(lambda: len(heard) >= 2, 30.0, publish)
    for message, name, (x, y), yaw in zip(
            heard, ('ann', 'bob'), POSITIONS.position, (0.4, -3.0), strict=False):
        (frame,) = message.transforms
        assert (frame.header.frame_id, frame.child_frame_id) == ('hall', f'hall/{name}')
        assert (frame.header.stamp.sec, frame.header.stamp.nanosec) == (5, 2)
        moved, turned = frame.transform.translation, frame.transform.rotation
        assert (moved.x, moved.y, moved.z, turned.x, turned.y) == (x, y, 0.0, 0.0, 0.0)
        assert 2 * np.arctan2(turned.z, turned.w) == pytest.approx(yaw)
    node.destroy_node()
