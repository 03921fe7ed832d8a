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

"""Files of camera_calibration."""

from pathlib import Path

import pytest

from utt_ros.drivers.camera.camera_calibration import pinhole_calibration, read_lens_calibration
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings

TEXT = """\
image_width: 640
image_height: 480
camera_name: hall
camera_matrix:
  rows: 3
  cols: 3
  data: [500.1, 0, 320.5, 0, 501.2, 240.5, 0, 0, 1]
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0.001, 0.002, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [480, 0, 321, 0, 0, 481, 241, 0, 0, 0, 1, 0]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'hall.yaml'


def test_file_of_camera_calibration_is_read(path: Path) -> None:
    path.write_text(TEXT)
    read = read_lens_calibration(path)
    assert (read.width, read.height, read.model) == (640, 480, 'plumb_bob')
    assert read.camera == (500.1, 0, 320.5, 0, 501.2, 240.5, 0, 0, 1)
    assert read.distortion == (0.1, -0.2, 0.001, 0.002, 0)
    assert read.projection[0] == 480


def test_the_area_defines_a_lens_without_distortion() -> None:
    area = AreaSettings()
    made = pinhole_calibration(area)
    assert made.camera[:6] == (area.fx, 0, area.cx, 0, area.fy, area.cy)
    assert len(made.projection) == 12
    assert not any(made.distortion)


@pytest.mark.parametrize(('old', 'new', 'says'), [
    ('640', '-1', 'image_width is -1'),
    ('plumb_bob', 'magic', "distortion_model is 'magic'"),
    ('500.1', '.nan', 'not a finite number'),
    ('500.1', '1' + '0' * 400, 'not a finite number'),
    ('500.1', 'true', 'not a finite number'),
    ('image_width: 640', 'image_width: true', 'image_width is True'),
    ('plumb_bob', '[plumb_bob]', 'distortion_model is'),
    ('hall', '2026-13-41', r'hall\.yaml: month'),
    ('500.1', '0', 'focal lengths are 0'),
    (', 0, 0, 1]\ndist', ']\ndist', 'camera_matrix needs'),
    ('0.1, -0.2, 0.001', '0.1', 'distortion_coefficients needs'),
    ('image_width', '- {', r'hall\.yaml'),
    (TEXT, '[1, 2]', 'expected the file'),
])
def test_wrong_files_are_refused_by_name(path: Path, old: str, new: str, says: str) -> None:
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(SettingsError, match=says):
        read_lens_calibration(path)


def test_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(SettingsError, match=r'hall\.yaml'):
        read_lens_calibration(path)
