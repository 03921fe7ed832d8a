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

from pathlib import Path

import pytest

from utt_ros.drivers.ftm.calibration_points import read_calibration_points
from utt_ros.drivers.ftm.ftm_calibration import CalibrationPoint
from utt_ros.errors import MeasurementError, SettingsError

AP = '02:00:00:00:00:01'


def test_points_are_read_from_csv_and_yaml_alike(tmp_path: Path) -> None:
    table, document = tmp_path / 'points.csv', tmp_path / 'points.yaml'
    table.write_text(f'phone, ap, distance_m, range_m\nanna, {AP}, 1.0, 2.25\nben, , 2, 3.5\n')
    document.write_text(f'points:\n- {{phone: anna, ap: "{AP}", distance_m: 1, range_m: 2.25}}\n'
                        '- {phone: ben, distance_m: 2.0, range_m: 3.5}\n')
    assert read_calibration_points(table) == read_calibration_points(document) == [
        CalibrationPoint('anna', AP, 1.0, 2.25), CalibrationPoint('ben', '', 2.0, 3.5)]


@pytest.mark.parametrize(('row', 'why'), [
    ('anna,,1.0,far', 'line 2: distance_m and range_m'), ('anna,,-1,2', 'line 2: distance -1'),
    ('anna,,nan,2', 'distance nan'), ('an na,,1,2', 'phone'), ('anna,home,1,2', 'ap is'),
    ('anna,,1', 'must be numbers')])
def test_wrong_rows_are_named(tmp_path: Path, row: str, why: str) -> None:
    path = tmp_path / 'points.csv'
    path.write_text(f'phone,ap,distance_m,range_m\n{row}\n')
    with pytest.raises(MeasurementError, match=why):
        read_calibration_points(path)


def test_a_table_that_is_too_long_is_refused_not_truncated(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'points.csv'
    path.write_text('phone,distance_m,range_m\nanna,1,2.345\n')
    limit = path.stat().st_size - 3
    monkeypatch.setattr('utt_ros.drivers.ftm.calibration_points.MAX_CALIBRATION_BYTES', limit)
    with pytest.raises(SettingsError, match='is longer than'):
        read_calibration_points(path)


def test_wrong_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'points.csv'
    path.write_text('who,metres\nanna,1\n')
    with pytest.raises(SettingsError, match='who, metres'):
        read_calibration_points(path)
