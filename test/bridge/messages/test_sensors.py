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

from array import array

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from utt_ros.msg import SyncedSamples, Track, Tracks

from utt_ros.bridge.messages.sensors import (
    ftm_to_message,
    samples_from_message,
    samples_to_message,
    to_time,
    tracks_from_message,
)
from utt_ros.drivers.types import FtmSample
from utt_ros.errors import MeasurementError
from utt_ros.types import SyncedBatch

STAMP = 1_700_000_000_123_456_789


def batch(rng, subjects=('a', 'b', 'c'), rows=5, further=0):
    n = len(subjects)

    def numbers(*shape):
        return rng.normal(size=shape).astype(np.float32)

    def mask(*shape):
        return rng.random(shape) < 0.5

    age = numbers(n)
    age[:1] = np.inf
    return SyncedBatch(
        stamp_ns=STAMP, epoch=3, sequence=2**40, camera_tick=True, subjects=tuple(subjects),
        track_ids=('', 't1', 't2')[:n], association=numbers(n), camera=numbers(n, 5),
        camera_mask=mask(n), ftm=numbers(n, 2), ftm_age_s=age, ftm_mask=mask(n),
        imu=numbers(n, rows, 9), imu_mask=mask(n, rows), further_ftm=numbers(n, further, 2),
        further_ftm_age_s=np.abs(numbers(n, further)), further_ftm_mask=mask(n, further))


@pytest.mark.parametrize('further', [0, 3])
@pytest.mark.parametrize('subjects', [('a', 'b', 'c'), ('a',), ()])
def test_batch_survives_the_wire_bit_by_bit(rng, subjects, further):
    sent = batch(rng, subjects, further=further)
    data = serialize_message(samples_to_message(sent, 'hall'))
    message = deserialize_message(data, SyncedSamples)
    received = samples_from_message(message)
    assert message.header.frame_id == 'hall'
    for name in SyncedBatch.__slots__:
        one, other = getattr(sent, name), getattr(received, name)
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.shape) == (other.dtype, other.shape), name
            assert one.tobytes() == other.tobytes(), name
        else:
            assert one == other, name


def test_received_numbers_are_not_copied(rng):
    message = deserialize_message(
        serialize_message(samples_to_message(batch(rng), 'hall')), SyncedSamples)
    received = samples_from_message(message)
    message.imu[0] = 42.0
    assert received.imu[0, 0, 0] == 42.0


@pytest.mark.parametrize(('field', 'value', 'text'), [
    ('camera', array('f', [1.0] * 14), r'camera has 14 values: \(3, 5\)'),
    ('imu', array('f'), r'imu has 0 values: \(3, 5, 9\)'),
    ('imu_mask', array('B', [1] * 16), r'imu_mask has 16 values'),
    ('imu_rows', 0, '3 subjects with 0 rows'),
    ('imu_rows', 2**32 - 1, 'with 4294967295 rows'),
    ('subjects', ['a', 'b'], 'track_ids has 3 values: 2'),
    ('subjects', ['b', 'a', 'c'], 'not sorted'),
    ('subjects', ['a', 'a', 'c'], 'twice'),
    ('ftm', array('f', [float('nan')] * 6), 'ftm has a number that is not finite'),
    ('imu', array('f', [float('inf')] * 135), 'imu has a number that is not finite'),
    ('ftm_age', array('f', [float('nan')] * 3), 'ftm_age has a number'),
    ('further_aps', 1, 'further_ftm has 0 values'),
    ('further_aps', 32, 'less than 32'),
    ('further_ftm', array('f', [1.0]), 'further_ftm has 1 values'),
])
def test_message_that_does_not_fit_is_refused_by_field_and_length(rng, field, value, text):
    message = samples_to_message(batch(rng), 'hall')
    setattr(message, field, value)
    with pytest.raises(MeasurementError, match=text):
        samples_from_message(message)


def test_tracks_become_boxes_in_the_order_of_the_channels():
    track = Track(track_id='t', subject='a', center_x=1.0, center_y=2.0, depth=3.0, width=4.0,
                  height=5.0, confidence=0.5)
    message = Tracks(tracks=[track])
    message.header.stamp = to_time(STAMP)
    stamp, boxes, subjects, track_ids, confidence = tracks_from_message(message)
    assert (stamp, subjects, track_ids) == (STAMP, ['a'], ['t'])
    assert boxes.tolist() == [[1, 2, 3, 4, 5]]
    assert confidence.tolist() == [0.5]
    assert tracks_from_message(Tracks())[1].shape == (0, 5)


def test_unknown_standard_deviation_is_the_setting() -> None:
    known = ftm_to_message(FtmSample('anna', 1_500_000_000, 5.0, 0.3), 'hall/ap', 0.5)
    unknown = ftm_to_message(FtmSample('anna', 1_500_000_000, 5.0, float('nan')), 'hall/ap', 0.5)
    assert known.range_std == pytest.approx(0.3)
    assert unknown.range_std == 0.5
    assert (known.header.stamp.sec, known.header.stamp.nanosec) == (1, 500_000_000)
