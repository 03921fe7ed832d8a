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

"""Truth for RViz, over real DDS."""

from collections.abc import Callable

import pytest
import rclpy
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from visualization_msgs.msg import MarkerArray

from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.nodes.truth_markers_node import TRAIL_POSITIONS, TruthMarkersNode, truth_markers


def odometry(x: float) -> Odometry:
    message = Odometry()
    message.header.frame_id = 'hall'
    message.pose.pose.position.x = x
    message.pose.pose.orientation.w = 1.0
    return message


def test_markers_stand_on_the_floor_in_the_frame_of_the_truth() -> None:
    message = odometry(3.0)
    body, line = truth_markers('anna', message, [message.pose.pose.position])
    assert {marker.header.frame_id for marker in (body, line)} == {'hall'}
    assert {marker.ns for marker in (body, line)} == {'truth/anna'}
    assert body.pose.position.x == 3.0
    assert body.pose.position.z - body.scale.z / 2 == pytest.approx(0.0)
    assert [point.x for point in line.points] == [3.0]


@pytest.mark.usefixtures('ros')
def test_subjects_of_its_own_area_are_shown_as_they_appear(
    wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:
    got: list[MarkerArray] = []
    rclpy.shutdown()
    rclpy.init(args=['--ros-args', '-r', '__ns:=/hall'])
    shower = TruthMarkersNode()
    other = Node('other', namespace='/', use_global_arguments=False)
    other.create_subscription(MarkerArray, '/hall/truth_markers', got.append, RELIABLE)
    mine = other.create_publisher(Odometry, '/hall/truth/anna/odom', RELIABLE)
    foreign = other.create_publisher(Odometry, '/stairs/truth/ben/odom', RELIABLE)
    executor = SingleThreadedExecutor()
    executor.add_node(shower)
    executor.add_node(other)

    def step() -> None:
        foreign.publish(odometry(9.0))
        mine.publish(odometry(float(len(got))))
        executor.spin_once(timeout_sec=0.02)

    wait_until(lambda: len(got) > TRAIL_POSITIONS + 5, spin=step, timeout_sec=30.0)
    assert {marker.ns for array in got for marker in array.markers} == {'truth/anna'}
    assert len(got[-1].markers[1].points) == TRAIL_POSITIONS
    executor.shutdown()
    shower.destroy_node()
    other.destroy_node()
