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

"""Rows have the numbers of their messages."""

from collections.abc import Mapping, Sequence

import numpy as np

from utt_ros.sessions.export import message_rows
from utt_ros.sessions.message_types import typestore
from utt_ros.types import IMU_CHANNELS

STAMPS_NS = 1_700_000_000_000_000_000 + np.arange(4) * 100_000_000
Topics = Mapping[str, Sequence[bytes]]


def test_phones_have_their_samples(messages: Topics) -> None:
    imu = message_rows.inertial_rows(messages['phones/ann/imu/data_raw'])
    np.testing.assert_array_equal(
        np.stack([imu[name] for name in IMU_CHANNELS[:6]], 1), np.arange(24.0).reshape(4, 6))
    magnetic = message_rows.magnetic_rows(messages['phones/ann/imu/mag'])
    np.testing.assert_allclose(magnetic['mag_z_t'], 2e-5)
    ranges = message_rows.ranges_rows(messages['phones/ann/ftm'])
    np.testing.assert_array_equal(ranges['range_m'], [0.1, 1.1, 2.1, 3.1])
    assert np.isnan(ranges['rssi_dbm']).all()
    assert set(ranges['ap']) == {'02:00:00:00:00:01'}
    for rows in (imu, magnetic, ranges):
        np.testing.assert_array_equal(rows['stamp_ns'], STAMPS_NS)


def test_a_frame_has_a_row_per_box(messages: Topics) -> None:
    rows = message_rows.boxes_rows(messages['camera/tracks'])
    np.testing.assert_array_equal(rows['stamp_ns'], STAMPS_NS[[0, 2, 2]])
    assert [*zip(rows['track_id'], rows['subject'], strict=True)] == [
        ('7', 'ann'), ('8', ''), ('7', 'ann')]
    np.testing.assert_array_equal(rows['depth_m'], [np.nan, 8.0, 1.0])


def test_truth_has_headings(messages: Topics) -> None:
    rows = message_rows.truth_rows(messages['truth/ann/odom'])
    np.testing.assert_allclose(rows['heading_rad'], 0.25)
    np.testing.assert_array_equal(rows['x_m'], [0, 1, 2, 3])


def test_a_person_of_the_building_has_a_row_and_an_empty_list_none(messages: Topics) -> None:
    rows = message_rows.people_rows(messages['/utt/people'])
    assert [list(rows[name]) for name in ('person', 'area', 'areas')] == [
        ['ann'], ['hall'], ['hall+stairs']]
    assert [rows[name][0] for name in ('map_x_m', 'map_y_m', 'var_x_m2', 'cov_xy_m2',
                                       'var_y_m2')] == [1.5, 2.5, 1.0, 0.5, 2.0]


def test_a_path_has_a_row_per_pose(messages: Topics) -> None:
    rows = message_rows.futures_rows(messages['twins/ann/trajectory'])
    np.testing.assert_allclose(rows['ahead_s'], [0.1, 0.2])
    np.testing.assert_array_equal(rows['stamp_ns'], STAMPS_NS[[0, 0]])


def test_reports_have_a_row_per_operation_and_modality_and_states_one(messages: Topics) -> None:
    rows = message_rows.metrics_rows(messages['training_metrics'])
    assert list(rows['operation']) == ['merge:ftm+imu->camera', 'transfer:ftm->imu']
    np.testing.assert_array_equal(rows['nmse_var'], [0.1, np.nan])
    assert list(rows['windows']) == [80, 80]
    gates = message_rows.gates_rows(messages['training_metrics'])
    assert [*zip(gates['round'], gates['modality'], gates['gate_weight'], strict=True)] == [
        (2, 'ftm', 0.4), (2, 'imu', 0.7)]
    state = message_rows.twins_rows(messages['twin_status'])
    assert (state['round'][0], state['ticks_lost'][0], state['note'][0]) == (3, 1, 'all, "well"')


def test_gates_that_do_not_match_their_modalities_end_with_the_shorter_list(
    messages: Topics,
) -> None:
    kind, (data,) = 'utt_ros/msg/TrainingMetrics', messages['training_metrics']
    report = typestore().deserialize_cdr(data, kind)
    reports = []
    for names, values in ((['ftm', 'imu'], [0.5]), (['camera'], [0.25, 0.75])):
        report.modalities, report.gate_weights = names, np.array(values, np.float32)
        reports.append(bytes(typestore().serialize_cdr(report, kind)))
    rows = message_rows.gates_rows(reports)
    assert [*zip(rows['modality'], rows['gate_weight'], strict=True)] == [
        ('ftm', 0.5), ('camera', 0.25)]
    assert len(rows['stamp_ns']) == len(rows['round']) == 2
