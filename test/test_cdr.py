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

import random
import struct
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose, PoseStamped, Vector3
from nav_msgs.msg import Path
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header

from utt_ros import cdr
from utt_ros.bridge.messages.sensors import to_time
from utt_ros.errors import MeasurementError, SessionError
from utt_ros.sessions.message_types import typestore

STAMP_NS = 1_700_000_000_123_456_789
FRAMES = ['', 'p', 'phone', 'a_phone_with_a_long_name', 'ünï']
STAMPS = np.array([5_000_000_007, 1_700_000_000_999_999_999])


def decoded(layout: cdr.MessageLayout, message: bytes) -> Any:
    return typestore().deserialize_cdr(message, layout.type)


@pytest.mark.parametrize('frame', ['p', 'ph', 'pho', 'phon', 'phone', 'hall/camera_optical'])
def test_new_messages_are_decoded_by_the_type_system(frame: str) -> None:
    rows, numbers = cdr.new_messages(cdr.IMU, [frame], STAMPS)
    numbers['accel'], numbers['gyro'] = [[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]
    message = decoded(cdr.IMU, rows[1].tobytes())
    assert message.header.frame_id == frame
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (1_700_000_000, 999_999_999)
    assert message.linear_acceleration.z == 6
    assert message.angular_velocity.x == 10


def test_strings_of_any_length_are_written_and_read() -> None:
    for size in range(1, 9):
        strings = ['a' * size, 'bb', 'c' * (size % 3)]
        rows, numbers = cdr.new_messages(cdr.FTM_RANGE, strings, STAMPS)
        numbers['range'], numbers['successful'] = 3.5, 7
        message = decoded(cdr.FTM_RANGE, rows[0].tobytes())
        assert [message.header.frame_id, message.phone, message.ap] == strings
        assert (message.range, message.successful) == (3.5, 7)
        assert cdr.read_strings(cdr.FTM_RANGE, rows[0].tobytes()) == strings


@pytest.mark.parametrize('layout', [
    cdr.IMU, cdr.MAGNETIC_FIELD, cdr.ODOMETRY, cdr.FTM_RANGE], ids=lambda layout: layout.type)
@pytest.mark.parametrize('little_endian', [True, False])
def test_messages_of_the_type_system_are_read_in_either_byte_order(
        layout: cdr.MessageLayout, little_endian: bool, rng: np.random.Generator) -> None:
    rows, numbers = cdr.new_messages(layout, ['some', 'strings', 'here'][:layout.strings], STAMPS)
    for name in layout.numbers.names or ():
        numbers[name] = rng.integers(0, 200, numbers[name].shape)
    messages = [
        bytes(typestore().serialize_cdr(
            decoded(layout, row.tobytes()), layout.type, little_endian=little_endian))
        for row in rows]
    stamps, read = cdr.read_messages(layout, messages)
    assert stamps.tolist() == STAMPS.tolist()
    assert (read == numbers).all()


def test_messages_with_strings_of_different_length_are_read() -> None:
    long, numbers = cdr.new_messages(cdr.FTM_RANGE, ['hall/ap', 'anna', 'bssid'], STAMPS)
    numbers['range'] = [1, 2]
    short, numbers = cdr.new_messages(cdr.FTM_RANGE, ['hall/ap', 'anna', ''], STAMPS)
    numbers['range'] = [3, 4]
    same_size, numbers = cdr.new_messages(cdr.FTM_RANGE, ['hall/ap', 'annabell', 'b'], STAMPS)
    numbers['range'] = [5, 6]
    assert len(same_size[0]) == len(long[0])
    rows = [*long, *short, *same_size]
    _, read = cdr.read_messages(cdr.FTM_RANGE, [row.tobytes() for row in rows])
    assert read['range'].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_string_of_every_message_is_read() -> None:
    parts = [cdr.new_messages(cdr.FTM_RANGE, ['hall/ap', 'anna', ap], STAMPS)[0]
             for ap in ('b', 'a', 'other')]
    messages = [row.tobytes() for rows in parts for row in rows]
    assert cdr.read_string_column(cdr.FTM_RANGE, messages, 2) == [*'bbaa', 'other', 'other']
    assert cdr.read_string_column(cdr.FTM_RANGE, [], 2) == []


def test_no_messages_give_empty_arrays() -> None:
    stamps, read = cdr.read_messages(cdr.IMU, [])
    assert stamps.shape == (0,)
    assert read['accel'].shape == (0, 3)


@pytest.mark.parametrize('size', [0, 3, 11, 15, 40])
def test_a_truncated_message_is_refused(size: int) -> None:
    rows, _ = cdr.new_messages(cdr.IMU, ['phone'], STAMPS)
    with pytest.raises(SessionError, match='bytes'):
        cdr.read_messages(cdr.IMU, [rows[0].tobytes()[:size]])


def header(frame: str) -> Header:
    return Header(stamp=to_time(STAMP_NS), frame_id=frame)


def imu_bytes(frame: str = 'phone') -> bytes:
    return bytes(serialize_message(Imu(
        header=header(frame), angular_velocity=Vector3(x=1.0, y=2.0, z=3.0),
        linear_acceleration=Vector3(x=4.0, y=5.0, z=6.0),
        linear_acceleration_covariance=[9.0] * 9)))


@pytest.mark.parametrize('frame', FRAMES)
def test_an_imu_of_rclpy_is_read_with_any_frame_name(frame: str) -> None:
    data = imu_bytes(frame)
    assert cdr.read_imu(data) == (STAMP_NS, (4.0, 5.0, 6.0, 1.0, 2.0, 3.0))
    assert cdr.read_stamp(data) == STAMP_NS


@pytest.mark.parametrize('frame', FRAMES)
def test_a_magnetic_field_of_rclpy_is_read_with_any_frame_name(frame: str) -> None:
    field = Vector3(x=1e-5, y=-2e-5, z=3e-5)
    data = serialize_message(MagneticField(header=header(frame), magnetic_field=field))
    assert cdr.read_magnetic(data) == (STAMP_NS, (1e-5, -2e-5, 3e-5))


@pytest.mark.parametrize('frame', FRAMES)
def test_replacing_a_stamp_changes_nothing_else(frame: str) -> None:
    data = imu_bytes(frame)
    replaced = cdr.replace_stamp(data, 5_000_000_007)
    stamp = deserialize_message(replaced, Imu).header.stamp
    assert (stamp.sec, stamp.nanosec) == (5, 7)
    assert cdr.read_stamp(replaced) == 5_000_000_007
    assert cdr.replace_stamp(replaced, STAMP_NS) == data


def test_every_truncation_of_a_sample_is_an_error_with_both_lengths() -> None:
    data = imu_bytes()
    assert len(data) == 324
    for length in range(len(data)):
        with pytest.raises(MeasurementError, match=rf'of {length} bytes: .* \d+'):
            cdr.read_imu(data[:length])


def test_a_frame_name_longer_than_the_message_is_an_error() -> None:
    data = bytearray(imu_bytes())
    data[12:16] = struct.pack('<I', 2**32 - 1)
    with pytest.raises(MeasurementError, match='of 324 bytes'):
        cdr.read_imu(bytes(data))


def test_a_sample_in_another_encapsulation_is_an_error() -> None:
    data = b'\x00\x00' + imu_bytes()[2:]
    with pytest.raises(MeasurementError, match='encapsulation 0000'):
        cdr.read_imu(data)


def path_bytes(frame: str, points: list[tuple[float, float]], *, little_endian: bool) -> bytes:
    message = Path(header=Header(frame_id=frame), poses=[
        PoseStamped(header=Header(frame_id=frame[number % 2:]),
                    pose=Pose(position=Point(x=x, y=y, z=7.0)))
        for number, (x, y) in enumerate(points)])
    name = 'nav_msgs/msg/Path'
    decoded_path = typestore().deserialize_cdr(bytes(serialize_message(message)), name)
    return bytes(typestore().serialize_cdr(decoded_path, name, little_endian=little_endian))


@pytest.mark.parametrize('frame', FRAMES)
@pytest.mark.parametrize('little_endian', [True, False])
def test_points_of_a_path_are_read_with_any_frame_names(frame: str, little_endian: bool) -> None:
    points = [(1.0, 2.0), (-3.0, 4.5), (5.0, 6.0)]
    data = path_bytes(frame, points, little_endian=little_endian)
    assert cdr.read_path_points(data, 10) == points
    assert cdr.read_path_points(data, 2) == points[:2]
    assert cdr.read_path_points(path_bytes(frame, [], little_endian=little_endian), 10) == []


def test_a_path_that_is_cut_off_is_an_error_with_its_length() -> None:
    data = path_bytes('hall', [(1.0, 2.0)], little_endian=True)
    read_to = len(data) - 5 * 8  # z and the orientation are not read
    for length in range(read_to):
        with pytest.raises(SessionError, match=f'{length} bytes'):
            cdr.read_path_points(data[:length], 10)
    assert cdr.read_path_points(data[:read_to], 10) == [(1.0, 2.0)]


def test_random_bytes_are_read_or_refused() -> None:
    draw = random.Random(1)
    for _ in range(2000):
        data = b'\x00\x01' + draw.randbytes(draw.randrange(400))
        try:
            _, values = cdr.read_imu(data)
        except MeasurementError:
            continue
        assert len(values) == 6
