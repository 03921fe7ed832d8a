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

"""Files of camera_calibration and of OpenCV."""

from pathlib import Path

import cv2
import numpy as np
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
    ('640', '-1', "image_width is '-1'"),
    ('plumb_bob', 'magic', "distortion_model is 'magic'"),
    ('500.1', '.nan', 'not a finite number'),
    ('500.1', '1' + '0' * 400, 'not a finite number'),
    ('500.1', 'true', 'not a finite number'),
    ('image_width: 640', 'image_width: true', "image_width is 'true'"),
    ('plumb_bob', '[plumb_bob]', 'distortion_model is'),
    ('500.1', '0', 'focal lengths are 0'),
    ('[500.1, 0, 320.5, 0, 501.2,', '[0, 0, 320.5, 0, 0,', 'the camera is not calibrated'),
    ('500.1', '1_000', 'not a finite number'),
    ('500.1', '1e400', 'not a finite number'),
    ('500.1', '5e', 'not a finite number'),
    ('640', '640.5', "image_width is '640.5'"),
    ('0.1, -0.2, 0.001, 0.002', '0.1 -0.2 0.001 0.002', 'distortion_coefficients .* commas'),
    ('plumb_bob', 'none', 'none.* with 5 distortion_coefficients'),
    ('plumb_bob\ndistortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0.001, 0.002, 0]',
     'equidistant\ndistortion_coefficients: {data: [1, 2, 3, 4, 5]',
     'are 5: a fisheye lens has 4'),
    ('0.001, 0.002, 0]', '0.001]', 'needs 0, 4, 5, 8, 12 or 14 numbers .*: there are 3'),
    ('image_width', '<?xml version="1.0"?>', 'an XML file'),
    (TEXT, '<html><body>no</body></html>', 'an XML file'),
    (TEXT, '<?xml version="1.0"?>\n<opencv_storage><a>1', 'an XML file'),
    (TEXT, '<?xml version="1.0"?>\n<opencv_storage>\n</opencv_storage>', 'image_width is None'),
    ('plumb_bob', 'fov', "distortion_model is 'fov'"), ('plumb_bob', 'omni', 'one of'),
    (', 0, 0, 1]\ndist', ']\ndist', 'camera_matrix needs'),
    ('0.1, -0.2, 0.001', '0.1', 'distortion_coefficients needs'),
    ('image_width', '- {', r'hall\.yaml'),
    (TEXT, '[1, 2]', 'expected the file'),
])
def test_wrong_files_are_refused_by_name(path: Path, old: str, new: str, says: str) -> None:
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(SettingsError, match=says):
        read_lens_calibration(path)


NUMBERS = [('1e-05', 1e-5), ('-2e-05', -2e-5), ('-1E-06', -1e-6), ('5e2', 500.0), ('5E+2', 500.0),
           ('5.28e2', 528.0), ('.5', 0.5), ('-.5e1', -5.0), ('+3.', 3.0), ('010', 10.0),
           ('-0', 0.0), ('"7.5"', 7.5)]


@pytest.mark.parametrize(('text', 'value'), NUMBERS)
def test_numbers_are_read_as_ros_and_opencv_write_them(
    path: Path, text: str, value: float,
) -> None:
    path.write_text(TEXT.replace('[0.1, -0.2', f'[{text}, -0.2').replace('[480, 0', f'[{text}, 0'))
    read = read_lens_calibration(path)
    assert read.distortion == (value, -0.2, 0.001, 0.002, 0)
    assert read.projection[0] == value


@pytest.mark.parametrize(('model', 'coefficients', 'read'), [
    ('plumb_bob', [1, 2, 3, 4], ('plumb_bob', 4)),
    ('plumb_bob', [1, 2, 3, 4, 5, 0, 0, 0], ('plumb_bob', 5)),
    ('plumb_bob', [1, 2, 3, 4, 5, 6, 7, 8], ('rational_polynomial', 8)),
    ('rational_polynomial', [1, 2, 3, 4, 5, 6, 7, 8], ('rational_polynomial', 8)),
    ('rational_polynomial', [1, 2, 3, 4, 5], ('rational_polynomial', 8)),
    ('rational_polynomial', range(1, 13), ('rational_polynomial', 12)),
    ('rational_polynomial', range(1, 15), ('rational_polynomial', 14)),
    ('equidistant', [1, 2, 3, 4], ('equidistant', 4)),
    ('fisheye', [1, 2, 3, 4], ('equidistant', 4)),
    ('equidistant', [1, 2, 3, 4, 0], ('equidistant', 4)),
    ('kannala_brandt4', [1, 2, 3, 4, 0], ('equidistant', 4)),
    ('Kannala_Brandt', [1, 2, 3, 4], ('equidistant', 4)),
    ('radtan', [1, 2, 3, 4], ('plumb_bob', 4)),
    ('Brown_Conrady', [1, 2, 3, 4, 5], ('plumb_bob', 5)),
    ('thin_prism', range(1, 13), ('rational_polynomial', 12)),
    ('tilted', range(1, 15), ('rational_polynomial', 14)),
    ('PLUMB_BOB', [1, 2, 3, 4, 5], ('plumb_bob', 5)),
    (None, [1, 2, 3, 4, 5], ('plumb_bob', 5)),
    (None, [1, 2, 3, 4, 5, 0, 0, 0], ('plumb_bob', 5)),
    (None, [1, 2, 3, 4, 5, 6, 7, 8], ('rational_polynomial', 8)),
    ('none', [], ('plumb_bob', 5)), ('""', [0, 0, 0, 0, 0], ('plumb_bob', 5))])
def test_every_distortion_model_is_read(
    path: Path, model: str | None, coefficients: list[int], read: tuple[str, int],
) -> None:
    text = TEXT.replace('[0.1, -0.2, 0.001, 0.002, 0]', str(list(coefficients)))
    line = '' if model is None else f'distortion_model: {model}\n'
    path.write_text(text.replace('distortion_model: plumb_bob\n', line))
    lens = read_lens_calibration(path)
    assert (lens.model, len(lens.distortion)) == read
    both = zip(lens.distortion, coefficients, strict=False)
    assert all(value == sent for value, sent in both)


@pytest.mark.parametrize(('old', 'new'), [
    ('image_width', '%YAML:1.0\n---\nimage_width'), ('image_width', '%YAML 1.2\n---\nimage_width'),
    ('image_width', '\ufeff%YAML:1.0\n---\nimage_width'), ('\n', '\r\n'),
    ('camera_matrix:', 'camera_matrix: !!opencv-matrix'), ('camera_matrix', 'Camera_Matrix'),
    ('  data: [500.1, 0, 320.5, 0, 501.2, 240.5, 0, 0, 1]',
     '  data: [[500.1, 0, 320.5], [0, 501.2, 240.5], [0, 0, 1]]'),
    ('  data: [500.1,', '  dt: d\n  data: [ 5.0010000000000002e+02,'),
    ('hall', '2026-13-41'), ('distortion_coefficients', 'Distortion_Coefficients')])
def test_forms_of_other_writers_give_the_same_calibration(path: Path, old: str, new: str) -> None:
    path.write_text(TEXT)
    expected = read_lens_calibration(path)
    path.write_text(TEXT.replace(old, new))
    assert read_lens_calibration(path) == expected


@pytest.mark.parametrize('fisheye', [False, True])
@pytest.mark.parametrize('suffix', ['.yaml', '.yml', '.xml', '.json'])
def test_file_that_opencv_writes_is_read(path: Path, suffix: str, fisheye: bool) -> None:
    path = path.with_suffix(suffix)
    camera = np.array([[500.1, 0, 320.5], [0, 501.2, 240.5], [0, 0, 1]])
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, value in (('image_width', 640), ('image_height', 480), ('camera_matrix', camera),
                        ('fisheye_model', int(fisheye)),
                        ('distortion_coefficients', np.array([[0.1], [-2e-5], [0.0], [1e-3]]))):
        storage.write(name, value)
    storage.release()
    lens = read_lens_calibration(path)
    assert lens.model == ('equidistant' if fisheye else 'plumb_bob')
    assert lens.distortion == (0.1, -2e-5, 0.0, 1e-3)
    assert lens.camera == tuple(camera.ravel())
    assert lens.rectification == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert lens.projection == (500.1, 0, 320.5, 0, 0, 501.2, 240.5, 0, 0, 0, 1, 0)


def test_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(SettingsError, match=r'hall\.yaml'):
        read_lens_calibration(path)
