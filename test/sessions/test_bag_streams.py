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

"""Messages of a session are those of the topic table, and rclpy reads them."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Imu
from utt_ros.msg import FtmRange, Tracks

from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.session_bags import write_session
from utt_ros.settings import AreaSettings
from utt_ros.types import Session


def test_rclpy_reads_every_message_as_the_type_system_does(bag: Path, stored) -> None:
    kinds = set()
    for _, msgtype, _, data in stored(bag):
        package, _, name = msgtype.split('/')
        message = deserialize_message(data, getattr(import_module(f'{package}.msg'), name))
        again = bytes(serialize_message(message))
        assert len(again) == len(data)  # the bytes that pad may differ
        first, second = (str(typestore().deserialize_cdr(item, msgtype)) for item in (data, again))
        assert first == second
        kinds.add(name)
    assert kinds == {'Tracks', 'CameraInfo', 'FtmRange', 'Imu', 'MagneticField', 'Odometry'}


def test_values_units_and_frames_are_those_of_the_topic_table(
        session: Session, bag: Path, stored) -> None:
    first: dict[str, bytes] = {}
    for topic, _, _, data in stored(bag):
        first.setdefault(topic, data)
    imu = deserialize_message(first['/hall/phones/anna/imu/data_raw'], Imu)
    assert imu.header.frame_id == 'hall/anna'
    assert imu.orientation_covariance[0] == -1
    assert imu.linear_acceleration.y == session.phones['anna'].inertial[0, 1]
    ftm = deserialize_message(first['/hall/phones/anna/ftm'], FtmRange)
    assert (ftm.header.frame_id, ftm.phone, ftm.ap) == ('hall/ap', 'anna', '02:00:00:00:00:01')
    assert (ftm.attempted, ftm.successful) == (8, 7)
    tracks = deserialize_message(first['/hall/camera/tracks'], Tracks)
    assert tracks.header.frame_id == 'hall/camera_optical'
    info = deserialize_message(first['/hall/camera/camera_info'], CameraInfo)
    assert (info.width, info.height, info.k[0]) == (1280, 720, 528.365)
    odometry = deserialize_message(first['/hall/truth/anna/odom'], Odometry)
    assert odometry.header.frame_id == 'hall'
    assert odometry.child_frame_id == 'hall/anna'


def test_velocity_of_the_truth_is_in_the_frame_of_the_walker(
        session: Session, area: AreaSettings, tmp_path: Path, stored) -> None:
    truth = session.truth['anna']
    times = (truth.stamps_ns - truth.stamps_ns[0]) / 1e9
    south = replace(
        truth, positions_m=np.outer(times, [0, -1.5]),
        headings_rad=np.full_like(times, -np.pi / 2))
    write_session(replace(session, truth={'anna': south}), area, tmp_path / 'bag')
    data = next(row[3] for row in stored(tmp_path / 'bag') if row[0].endswith('odom'))
    odometry = typestore().deserialize_cdr(data, 'nav_msgs/msg/Odometry')
    linear = odometry.twist.twist.linear
    assert (linear.x, linear.y) == pytest.approx((1.5, 0))
