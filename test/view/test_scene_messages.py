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

"""Bytes become records, and other bytes an error of ours."""

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.view import scene_messages as module
from utt_ros.view.scene_messages import (
    read_area_pose,
    read_boxes,
    read_future,
    read_inertial,
    read_outline,
    read_position,
    read_ranges,
    read_scene_message,
    read_truth,
)

T0 = 1_700_000_000_000_000_000


def test_positions_and_truths_have_stamps_and_places(say):
    stamp_ns, position, covariance = read_position(say.position(1.5, 3.0, -2.0, 0.25))
    assert stamp_ns == T0 + 1_500_000_000
    assert position.tolist() == [3.0, -2.0]
    assert covariance.tolist() == [[0.25, 0.0], [0.0, 0.25]]
    stamp_ns, place = read_truth(say.truth(1.0, 4.0, 5.0))
    assert (stamp_ns, place.tolist()) == (T0 + 1_000_000_000, [4.0, 5.0])


def test_futures_are_points(say):
    assert read_future(say.future(0.0, [(1.0, 2.0), (3.0, 4.0)])).tolist() == [[1, 2], [3, 4]]
    assert read_future(say.future(0.0, [])).shape == (0, 2)
    with pytest.raises(MeasurementError, match='not finite'):
        read_future(say.future(0.0, [(np.nan, 2.0)]))


def test_outlines_are_those_of_the_area_alone(say):
    outline = read_outline(say.outline(0.0, ('ann', 'bob')))
    assert outline.view.shape == (5, 2)
    assert outline.access_points.tolist() == [[1.0, 2.0, 2.5]]


def test_boxes_have_the_names_of_people(say):
    seen = read_boxes(say.boxes('boxes', 2.0, ('ann', 'bob'), 6.0))
    assert (seen.names, seen.boxes.shape, seen.stamp_ns) == (
        ('ann', 'bob'), (2, 5), T0 + 2_000_000_000)


def test_ranges_and_imu_are_read_in_batches(say):
    stamps_ns, values = read_ranges([say.range(0.0, 4.0), say.range(1.0, 5.0)])
    assert np.diff(stamps_ns).tolist() == [1_000_000_000]
    assert values == pytest.approx(np.array([[4.0, 0.2], [5.0, 0.2]]))
    _, rows = read_inertial([say.imu(0.0, (1.0, 2.0, 3.0))])
    assert rows == pytest.approx(np.array([[1.0, 2.0, 3.0, 0.1, 0.2, 0.3]]))


def test_poses_of_areas_are_finite(say):
    message = read_scene_message(say.status(0.0, {}, pose=(1.0, 2.0, 3.0, 0.5)),
                                 'utt_ros/msg/TwinStatus')
    assert read_area_pose(message) == (1.0, 2.0, 3.0, 0.5)


def test_metrics_of_an_older_recording_have_no_gates(say):
    data = say.metrics('hall', 2, {'transfer:ftm->imu': 0.5})
    message = read_scene_message(data[:-8], 'utt_ros/msg/TrainingMetrics')
    assert (message.round, message.operations, message.modalities) == (
        2, ['transfer:ftm->imu'], [])
    assert len(message.gate_weights) == 0


@pytest.mark.parametrize('name', ['read_position', 'read_future', 'read_truth', 'read_outline',
                                  'read_boxes'])
@pytest.mark.parametrize('data', [b'', b'\x00\x01\x00\x00', bytes(range(60))])
def test_other_bytes_are_a_measurement_error(name, data):
    with pytest.raises(MeasurementError, match='bytes'):
        getattr(module, name)(data)
