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

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SessionError
from utt_ros.sessions.vifi.sequence_files import (
    read_imu19,
    read_imu_csv,
    synced_ranging,
    valid_row_order,
)

ACCEL, GYRO, MAG = [0.5, 1.0, 9.7], [0.1, 0.2, 0.3], [20.0, -5.0, 40.0]
GRAVITY, LINEAR, QUATERNION = [0.0, 0.3, 9.8], [0.5, 0.7, -0.1], [0.0, 0.0, 0.6, 0.8]


def write_imu19(path: Path, row: list[float]) -> Path:
    path.write_bytes(pickle.dumps(np.tile(row, (4, 2, 1))[:, :, None], 4))
    return path


@pytest.mark.parametrize('row', [
    ACCEL + GYRO + MAG + GRAVITY + LINEAR + QUATERNION,
    ACCEL + GRAVITY + LINEAR + QUATERNION + MAG + GYRO,
], ids=['gravity fourth', 'gravity second'])
def test_the_order_of_imu19_columns_follows_from_gravity(tmp_path: Path, row: list[float]) -> None:
    array = read_imu19(write_imu19(tmp_path / 'IMU19.pkl', row))
    assert array.shape == (4, 2, 9)
    assert array[3, 1] == pytest.approx(ACCEL + GYRO + MAG)


def test_imu19_columns_in_no_known_order_are_refused(tmp_path: Path) -> None:
    path = write_imu19(tmp_path / 'IMU19.pkl', GRAVITY + ACCEL + LINEAR + MAG + GYRO + QUATERNION)
    with pytest.raises(SessionError, match='in no known order'):
        read_imu19(path)


def test_gyroscope_rows_are_interpolated_to_the_times_of_the_accelerometer(tmp_path: Path) -> None:
    rows = [f'{20 * i},ACCEL,0,0,9.8' for i in range(10)]
    rows += [f'{20 * i + 5},GYRO,{i},0,1' for i in range(10)]
    path = tmp_path / 'Subject0.csv'
    path.write_text('\n'.join([*rows, '0,MAG,1,2,3']))
    stamps_ns, inertial, _, mag = read_imu_csv(path, Counter())
    assert stamps_ns.tolist() == [20_000_000 * i for i in range(1, 10)]
    assert inertial[:, 3] == pytest.approx(np.arange(9) + 0.75)
    assert mag == pytest.approx(np.array([[1e-6, 2e-6, 3e-6]]))


def test_valid_rows_are_ordered_and_the_others_counted() -> None:
    times = np.array([3.0, 1.0, np.nan, 2.0, 1.0, 4.0])
    values = np.array([0, 0, 0, 0, 0, np.inf])
    discarded: Counter[str] = Counter()
    assert valid_row_order(times, values, discarded).tolist() == [1, 3, 0]
    assert discarded == {'not finite': 2, 'repeated': 1, 'out of order': 2}


def test_a_ranging_is_stamped_in_the_middle_of_its_frames() -> None:
    times = np.arange(8) / 10
    range_mm = np.array([1000, 1000, 1000, np.nan, 2000, 2000, 2000, 2500.0])
    stamps_ns, ftm, signal, aps = synced_ranging(
        times, np.stack([range_mm, np.full(8, 250.0)], axis=1), np.full((8, 1), -55.0))
    assert stamps_ns.tolist() == [100_000_000, 500_000_000, 700_000_000]
    assert ftm.tolist() == [[1.0, 0.25], [2.0, 0.25], [2.5, 0.25]]
    assert signal.tolist() == [[-55, 0, 0]] * 3
    assert aps == ('', '', '')
