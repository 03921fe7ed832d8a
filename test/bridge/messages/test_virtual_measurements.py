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

"""Measurements of virtual sensors are messages of the sensors, with standard deviations."""

from dataclasses import replace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Vector3
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header
from utt_ros.msg import FtmRange

from utt_ros.bridge.messages.sensors import ftm_from_message, to_time, tracks_from_message
from utt_ros.bridge.messages.virtual_measurements import (
    VIRTUAL_TOPICS,
    task_deployment_from_message,
    task_deployment_to_message,
    virtual_messages,
)
from utt_ros.cdr import read_imu, read_magnetic
from utt_ros.errors import ModelError, SignatureRefused
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, SealVerifier, sealed
from utt_ros.federation.types import TaskDeployment
from utt_ros.twin.virtual_sensors import VirtualMeasurements
from utt_ros.types import BOX_FIELDS, CHANNELS

T0 = 1_700_000_000_123_456_789
ROWS_NS = T0 - 20_000_000 * np.arange(5, 0, -1)
DEPLOYMENT = TaskDeployment(
    'hall', 'hall_tracking_2', ('camera', 'ftm'), 'imu', 'run', 3, '{}', (0.5,) * 9, b'graph')


def made_by(rng, target, subjects=('ann', 'bob'), std=True):
    rows = len(ROWS_NS) if target == 'imu' else 1
    channels = len(CHANNELS[target])
    return VirtualMeasurements(
        subjects, rng.uniform(1, 9, (len(subjects), rows, channels)).astype(np.float32),
        np.arange(1, channels + 1, dtype=np.float32) if std else np.full(channels, np.nan))


def convert(target, made):
    return list(virtual_messages(target, 'hall', made, T0, ROWS_NS))


@pytest.mark.parametrize('graph', [b'graph', b''])
def test_deployments_round_trip(graph):
    given = replace(DEPLOYMENT, graph=graph, checksum='')
    assert task_deployment_from_message(task_deployment_to_message(given, Time())) == given


def test_a_graph_that_does_not_match_its_checksum_is_refused():
    message = task_deployment_to_message(DEPLOYMENT, Time())
    message.payload = b'other'
    with pytest.raises(ModelError, match='checksum'):
        task_deployment_from_message(message)


def test_a_graph_for_another_area_or_by_a_stranger_is_refused(tmp_path):
    keys = KeyFolder(tmp_path)
    genuine = sealed(DEPLOYMENT, KeySigner(keys, 'hall'))
    message, verifier = task_deployment_to_message(genuine, Time()), SealVerifier(keys)
    with pytest.raises(SignatureRefused, match="it is for area 'hall', not 'lab'"):
        task_deployment_from_message(message, verifier, 'lab')
    with pytest.raises(SignatureRefused, match="it is not signed by 'hall'"):
        task_deployment_from_message(
            task_deployment_to_message(DEPLOYMENT, Time()), verifier, 'hall')
    assert task_deployment_from_message(message, verifier, 'hall') == genuine


def test_boxes_are_tracks_of_their_subjects_beside_tracks_of_standard_deviations(rng):
    made = made_by(rng, 'camera')
    (topic, tracks), (std_topic, spread) = convert('camera', made)
    assert (topic, std_topic) == tuple(VIRTUAL_TOPICS['camera'])
    stamp_ns, boxes, subjects, ids, confidence = tracks_from_message(tracks)
    assert (stamp_ns, tracks.header.frame_id) == (T0, 'hall/camera_optical')
    assert subjects == ids == ['ann', 'bob']
    np.testing.assert_array_equal(boxes, made.values[:, 0])
    np.testing.assert_array_equal(confidence, 1.0)
    assert spread.header == tracks.header
    assert [[getattr(each, name) for name in BOX_FIELDS] for each in spread.tracks] == [
        [1, 2, 3, 4, 5]] * 2


def test_a_frame_with_nobody_in_it_is_an_empty_message(rng):
    for _, message in convert('camera', made_by(rng, 'camera', ())):
        assert message.tracks == []


def test_ranges_have_the_standard_deviation_of_the_residual_or_of_a_burst(rng):
    made = made_by(rng, 'ftm')
    messages = dict(convert('ftm', made))
    assert list(messages) == ['phones/ann/ftm', 'phones/bob/ftm']
    message = messages['phones/bob/ftm']
    assert isinstance(message, FtmRange)
    assert (message.phone, message.header.frame_id) == ('bob', 'hall/ap')
    assert ftm_from_message(message) == (T0, pytest.approx(made.values[1, 0, 0]), 1.0, '')
    unjudged = made_by(rng, 'ftm', std=False)
    message = dict(convert('ftm', unjudged))['phones/ann/ftm']
    assert message.range_std == pytest.approx(unjudged.values[0, 0, 1])


@pytest.mark.parametrize('judged', [True, False])
def test_imu_rows_are_the_bytes_that_rclpy_makes(rng, judged):
    made = made_by(rng, 'imu', std=judged)
    messages = convert('imu', made)
    assert len(messages) == 2 * 2 * len(ROWS_NS)
    of_ann = [data for topic, data in messages if topic == 'phones/ann/imu/data_raw']
    fields = [data for topic, data in messages if topic == 'phones/ann/imu/mag']
    variance = np.arange(1, 10.0) ** 2 * judged
    for row, stamp_ns in enumerate(ROWS_NS.tolist()):
        accel, gyro, field = made.values[0, row].reshape(3, 3).astype(float).tolist()
        header = Header(stamp=to_time(stamp_ns), frame_id='hall/ann')
        expected = Imu(header=header)
        expected.orientation_covariance[0] = -1.0
        expected.linear_acceleration = vector(accel)
        expected.angular_velocity = vector(gyro)
        expected.linear_acceleration_covariance = np.diag(variance[:3]).ravel()
        expected.angular_velocity_covariance = np.diag(variance[3:6]).ravel()
        assert deserialize_message(of_ann[row], Imu) == expected
        assert len(of_ann[row]) == len(serialize_message(expected))
        assert read_imu(of_ann[row]) == (stamp_ns, (*accel, *gyro))
        magnetic = deserialize_message(fields[row], MagneticField)
        assert (magnetic.header, magnetic.magnetic_field) == (header, vector(field))
        np.testing.assert_array_equal(
            magnetic.magnetic_field_covariance, np.diag(variance[6:]).ravel())
        assert read_magnetic(fields[row]) == (stamp_ns, tuple(field))


def vector(values):
    return Vector3(x=values[0], y=values[1], z=values[2])
