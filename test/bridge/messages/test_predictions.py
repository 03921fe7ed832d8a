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

"""TickPredictions are the bytes that rclpy would serialize.

Padding is left uninitialised by the middleware, so it is not compared.
"""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, PoseStamped, PoseWithCovarianceStamped, Vector3
from nav_msgs.msg import Path
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Imu
from std_msgs.msg import Header

from utt_ros.bridge.messages.predictions import imu_messages, path_messages, position_messages

T0 = 1_700_000_000_123_456_789
AREAS = ['a', 'hall', 'hall1', 'a_much_longer_name']


def header(frame: str, stamp_ns: int) -> Header:
    return Header(stamp=Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9), frame_id=frame)


def assert_same(data: bytes, message: object) -> None:
    expected = serialize_message(message)
    assert len(data) == len(expected)
    assert deserialize_message(data, type(message)) == message


@pytest.mark.parametrize('area', AREAS)
def test_positions_are_the_bytes_that_rclpy_makes(area, rng):
    position = rng.normal(0, 30, (4, 2)).astype(np.float32)
    covariance = rng.normal(0, 3, (4, 2, 2)).astype(np.float32)
    for row, data in enumerate(position_messages(area, position, covariance, T0)):
        message = PoseWithCovarianceStamped(header=header(area, T0))
        message.pose.pose.position = Point(x=float(position[row, 0]), y=float(position[row, 1]))
        full = np.diag([0, 0, 0.01, *[np.pi**2] * 3])
        full[:2, :2] = covariance[row]
        message.pose.covariance = full.ravel()
        assert_same(data, message)


@pytest.mark.parametrize('area', AREAS)
@pytest.mark.parametrize('poses', [1, 2, 30])
def test_paths_are_the_bytes_that_rclpy_makes(area, poses, rng):
    trajectory = rng.normal(0, 30, (3, poses, 2)).astype(np.float32)
    future_ns = T0 + 10**8 * np.arange(1, poses + 1)
    for row, data in enumerate(path_messages(area, trajectory, T0, future_ns)):
        message = Path(header=header(area, T0))
        for (x, y), stamp_ns in zip(trajectory[row].tolist(), future_ns.tolist(), strict=True):
            pose = PoseStamped(header=header(area, stamp_ns))
            pose.pose.position = Point(x=x, y=y)
            message.poses.append(pose)
        assert_same(data, message)


@pytest.mark.parametrize('subject', AREAS)
def test_imus_are_the_bytes_that_rclpy_makes(subject, rng):
    rows = rng.normal(0, 9, (5, 9)).astype(np.float32)
    stamps_ns = T0 + 2 * 10**7 * np.arange(-4, 1)
    for row, stamp_ns, data in zip(
            rows.tolist(), stamps_ns.tolist(),
            imu_messages('hall', (subject,), rows[None], stamps_ns)[0], strict=True):
        message = Imu(header=header(f'hall/{subject}', stamp_ns))
        message.orientation_covariance[0] = -1.0
        message.linear_acceleration = Vector3(x=row[0], y=row[1], z=row[2])
        message.angular_velocity = Vector3(x=row[3], y=row[4], z=row[5])
        assert_same(data, message)


def test_without_padding_every_byte_is_the_same():
    rows, stamps_ns = np.ones((1, 9)), np.array([T0])
    message = Imu(header=header('a/b', T0))
    message.orientation_covariance[0] = -1.0
    message.linear_acceleration = message.angular_velocity = Vector3(x=1.0, y=1.0, z=1.0)
    assert imu_messages('a', ('b',), rows[None], stamps_ns) == [[serialize_message(message)]]


def test_imus_of_many_are_those_of_each(rng):
    subjects, stamps_ns = ('a', 'bc', 'd', 'ef', 'a_much_longer_name'), T0 + np.arange(3)
    rows = rng.normal(size=(5, 3, 9)).astype(np.float32)
    assert imu_messages('hall', subjects, rows, stamps_ns) == [
        imu_messages('hall', (subject,), rows[[number]], stamps_ns)[0]
        for number, subject in enumerate(subjects)]


def test_no_subjects_make_no_messages():
    assert position_messages('hall', np.zeros((0, 2)), np.zeros((0, 2, 2)), T0) == []
    assert imu_messages('hall', (), np.zeros((0, 5, 9)), T0 + np.arange(5)) == []
