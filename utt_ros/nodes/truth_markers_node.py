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

"""Markers of the ground truth for RViz; a twin never receives them.

RViz cannot subscribe to topics by pattern, so one topic carries every subject.
"""

import re
import sys
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import partial

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE, SENSOR

TRUTH_DISCOVERY_SEC = 1.0
TRAIL_POSITIONS = 100
MAX_TRUTH_TOPICS = 256
TRUTH_LIFETIME = Duration(sec=2)
WHITE = ColorRGBA(r=1.0, g=1.0, b=1.0, a=0.6)
TRUTH_SIZE_M = (0.3, 0.3, 1.7)  # of the cylinder


class TruthMarkersNode(Node):
    """Subscribes to `truth/<subject>/odom` as subjects appear."""

    def __init__(self) -> None:
        super().__init__('truth_markers')
        self._pattern = re.compile(f'{re.escape(self.get_namespace())}/truth/([^/]+)/odom')
        self._trails: dict[str, deque[Point]] = defaultdict(partial(deque, maxlen=TRAIL_POSITIONS))
        self._known: set[str] = set()
        self._publisher = self.create_publisher(MarkerArray, 'truth_markers', RELIABLE)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TRUTH_DISCOVERY_SEC, self._discover, clock=steady)
        self._discover()

    def _discover(self) -> None:
        for topic, _ in self.get_topic_names_and_types():
            match = self._pattern.fullmatch(topic)
            if match and topic not in self._known and len(self._known) < MAX_TRUTH_TOPICS:
                self._known.add(topic)
                show = partial(self._show, match[1])
                self.create_subscription(Odometry, topic, show, SENSOR)

    def _show(self, subject: str, odometry: Odometry) -> None:
        trail = self._trails[subject]
        trail.append(odometry.pose.pose.position)
        self._publisher.publish(MarkerArray(markers=truth_markers(subject, odometry, trail)))


def truth_markers(subject: str, odometry: Odometry, trail: Sequence[Point]) -> list[Marker]:
    """Create a cylinder at the subject's position and a line of its recent positions."""
    body, line = (
        Marker(header=odometry.header, ns=f'truth/{subject}', id=number, type=kind,
               action=Marker.ADD, color=WHITE, lifetime=TRUTH_LIFETIME)
        for number, kind in enumerate((Marker.CYLINDER, Marker.LINE_STRIP)))
    body.pose.orientation = odometry.pose.pose.orientation
    body.pose.position = Point(
        x=odometry.pose.pose.position.x, y=odometry.pose.pose.position.y, z=TRUTH_SIZE_M[2] / 2)
    body.scale.x, body.scale.y, body.scale.z = TRUTH_SIZE_M
    line.pose.orientation.w = 1.0
    line.scale.x = 0.03
    line.points = list(trail)
    return [body, line]


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM."""
    return run_node(TruthMarkersNode, args)


if __name__ == '__main__':
    sys.exit(main())
