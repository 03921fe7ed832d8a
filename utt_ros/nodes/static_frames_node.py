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

"""Static frames of all areas of a launch, on /tf_static.

Needs tf2_msgs, which the wheels of ROS 2 lack.
"""

import argparse
import sys
from collections.abc import Sequence
from math import cos, sin
from typing import Any

from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.node import Node
from std_msgs.msg import Header

from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import STATE
from utt_ros.bridge.node.topic_types import load_message_type
from utt_ros.errors import SettingsError
from utt_ros.orchestration.area_frames import FRAME_FLAG, StaticFrame, read_frame

FRAME_WORDS = ('PARENT', 'NAME', 'X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW')


class StaticFramesNode(Node):
    """Publishes one message that late subscribers get as well."""

    def __init__(self, frames: Sequence[StaticFrame]) -> None:
        super().__init__('static_frames')
        kind = load_message_type('tf2_msgs/msg/TFMessage')
        if kind is None:
            raise SettingsError('tf2_msgs is not installed: there are no frames without it')
        self._publisher = self.create_publisher(kind, '/tf_static', STATE)
        stamp = self.get_clock().now().to_msg()
        self._publisher.publish(kind(transforms=[
            frame_to_message(frame, stamp) for frame in frames]))


def frame_to_message(frame: StaticFrame, stamp: Any) -> TransformStamped:
    """Convert a static frame."""
    x, y, z = frame.position_m
    return TransformStamped(
        header=Header(stamp=stamp, frame_id=frame.parent), child_frame_id=frame.name,
        transform=Transform(
            translation=Vector3(x=x, y=y, z=z), rotation=quaternion(*frame.rpy_rad)))


def quaternion(roll: float, pitch: float, yaw: float) -> Quaternion:
    """Convert angles about fixed axes [rad] (REP-103)."""
    (cr, sr), (cp, sp), (cy, sy) = (
        (cos(angle / 2), sin(angle / 2)) for angle in (roll, pitch, yaw))
    return Quaternion(
        x=sr * cp * cy - cr * sp * sy, y=cr * sp * cy + sr * cp * sy,
        z=cr * cp * sy - sr * sp * cy, w=cr * cp * cy + sr * sp * sy)


def main(args: Sequence[str] | None = None) -> int:
    """Publish until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog='static_frames', description=__doc__)
    parser.add_argument(
        FRAME_FLAG, dest='frames', action='append', nargs=len(FRAME_WORDS), metavar=FRAME_WORDS,
        required=True, help='frame in its parent [m, rad]; may be repeated')
    return run_node(
        lambda given: StaticFramesNode([read_frame(words) for words in given.frames]), args,
        parser=parser)


if __name__ == '__main__':
    sys.exit(main())
