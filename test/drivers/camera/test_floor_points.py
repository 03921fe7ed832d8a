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

"""Tables of floor points: forms that are read, and what is refused with its place."""

from pathlib import Path

import pytest

from utt_ros.drivers.camera.floor_points import read_floor_points
from utt_ros.errors import MeasurementError, SettingsError


@pytest.mark.parametrize(('name', 'text'), [
    ('floor.csv', 'u, v, x, y\n640, 500, 3.0, 0\n700.5, 420, 6, -1.5\n'),
    ('floor.csv', 'y,x,v,u\n0,3.0,500,640\n-1.5,6,420,700.5\n'),
    ('floor.yaml', 'points: [{u: 640, v: 500, x: 3, y: 0}, {u: 700.5, v: 420, x: 6, y: -1.5}]')])
def test_csv_and_yaml_hold_the_same_points(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    pixels, places = read_floor_points(path)
    assert pixels.tolist() == [[640.0, 500.0], [700.5, 420.0]]
    assert places.tolist() == [[3.0, 0.0], [6.0, -1.5]]


@pytest.mark.parametrize(('text', 'kind', 'reason'), [
    ('u,v,x\n1,2,3\n', SettingsError, 'columns are u, v, x: u, v, x, y are expected'),
    ('u,v,x,y\n1,2,3,left\n', MeasurementError, 'line 2: u, v, x, y must be numbers'),
    ('u,v,x,y\n1,2,3,inf\n', MeasurementError, 'line 2: .* must be finite'),
    ('u,v,x,y\n1,2,3\n', MeasurementError, 'line 2'),
    ('', SettingsError, 'columns are none')])
def test_table_of_another_form_is_refused_with_the_place(
        tmp_path: Path, text: str, kind: type[Exception], reason: str) -> None:
    path = tmp_path / 'floor.csv'
    path.write_text(text)
    with pytest.raises(kind, match=reason):
        read_floor_points(path)
