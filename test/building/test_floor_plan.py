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

"""Floor plans are read as map_server does, and bad files get one sentence."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from utt_ros.building import floor_plan as module
from utt_ros.building.floor_plan import FREE, OCCUPIED, UNKNOWN, FloorPlan, read_floor_plan
from utt_ros.errors import SettingsError
from utt_ros.map_pose import MapPose

GIVEN = {'image': 'plan.png', 'resolution': 0.05, 'origin': [-3.0, -7.0, 0.0], 'negate': 0,
         'occupied_thresh': 0.65, 'free_thresh': 0.196}
SHADES = np.array([[0, 255, 205], [254, 128, 0]], np.uint8)


def write(folder: Path, image: Any = SHADES, name: str = 'plan.png', **change: Any) -> Path:
    if isinstance(image, np.ndarray):
        assert cv2.imwrite(str(folder / name), image)
    elif image is not None:
        (folder / name).write_bytes(image)
    given = {**GIVEN, 'image': name, **change}
    path = folder / 'plan.yaml'
    path.write_text(yaml.safe_dump({key: value for key, value in given.items()
                                    if value is not None}))
    return path


def cells(folder: Path, **change: Any) -> list[list[int]]:
    return read_floor_plan(write(folder, **change)).cells.tolist()


@pytest.mark.parametrize('name', ['plan.png', 'plan.pgm', 'plan.bmp'])
def test_dark_is_occupied_light_is_free_and_the_last_row_is_at_the_origin(
    name: str, tmp_path: Path,
) -> None:
    plan = read_floor_plan(write(tmp_path, name=name))
    assert (plan.resolution_m, plan.origin) == (0.05, MapPose(-3.0, -7.0))
    assert plan.cells.dtype == np.int8
    assert plan.cells.tolist() == [[FREE, UNKNOWN, OCCUPIED], [OCCUPIED, FREE, UNKNOWN]]


@pytest.mark.parametrize(('resolution', 'origin'), [
    ('5e-2', '[-3, -7e0, 0]'), ('5E-02', '[-3.0e+00, -.7e1, 1e-05]'),
    ('0.05', '[-3, -7., 0x0]')])
def test_numbers_are_those_of_map_server(resolution: str, origin: str, tmp_path: Path) -> None:
    path = write(tmp_path, resolution=None, origin=None)
    path.write_text(f'{path.read_text()}resolution: {resolution}\norigin: {origin}\n')
    plan = read_floor_plan(path)
    assert plan.resolution_m == 0.05
    assert plan.origin[:3] == (-3.0, -7.0, 0.0)
    assert plan.origin.yaw == pytest.approx(0.0, abs=2e-5)


def test_negated_plan_is_the_other_way_round(tmp_path: Path) -> None:
    assert cells(tmp_path, negate=1) == [
        [OCCUPIED, UNKNOWN, FREE], [FREE, OCCUPIED, OCCUPIED]]


def test_scale_has_shares_between_the_thresholds(tmp_path: Path) -> None:
    shares = cells(tmp_path, mode='scale', free_thresh=0.1, occupied_thresh=0.9)
    assert shares == [[FREE, 50, OCCUPIED], [OCCUPIED, FREE, 12]]


def test_raw_has_the_numbers_of_the_image(tmp_path: Path) -> None:
    raw = cells(tmp_path, image=np.array([[0, 100, 101, 255]], np.uint8), mode='raw')
    assert raw == [[0, 100, UNKNOWN, UNKNOWN]]


def test_colours_are_averaged_and_transparent_cells_unknown_by_scale(tmp_path: Path) -> None:
    image = np.zeros((1, 3, 4), np.uint8)
    image[0, :, :3], image[0, :, 3] = [[255, 255, 0], [255, 255, 255], [0, 0, 0]], (255, 0, 255)
    assert cells(tmp_path, image=image, mode='scale', free_thresh=0.4) == [
        [FREE, UNKNOWN, OCCUPIED]]
    assert cells(tmp_path, image=image, mode='trinary', free_thresh=0.3) == [
        [FREE, FREE, OCCUPIED]]


def test_images_of_16_bits_are_read(tmp_path: Path) -> None:
    image = np.array([[0, 65535, 52685]], np.uint16)
    assert cells(tmp_path, image=image) == [[OCCUPIED, FREE, UNKNOWN]]


def test_thresholds_and_mode_have_the_defaults_of_map_server(tmp_path: Path) -> None:
    short = dict.fromkeys(('negate', 'occupied_thresh', 'free_thresh', 'mode'))
    assert cells(tmp_path, **short) == [[FREE, UNKNOWN, OCCUPIED], [OCCUPIED, FREE, FREE]]


def test_image_lies_beside_the_file_or_has_a_path_of_its_own(tmp_path: Path) -> None:
    (tmp_path / 'images').mkdir()
    path = write(tmp_path, name='images/plan.png')
    assert isinstance(read_floor_plan(path), FloorPlan)
    write(tmp_path, image=None, name=str(tmp_path / 'images' / 'plan.png'))
    assert isinstance(read_floor_plan(path), FloorPlan)


@pytest.mark.parametrize(('change', 'complaint'), [
    ({'image': None, 'name': 'none.png'}, 'none.png: .*No such file'),
    ({'image': b'', 'name': 'plan.png'}, 'plan.png is no image that OpenCV reads'),
    ({'image': b'P5 text', 'name': 'plan.pgm'}, 'plan.pgm'),
    ({'image': np.ones((2, 2), np.float32), 'name': 'plan.tiff'}, 'pixels of the type float32'),
    ({'name': 'plan.png', 'resolution': None}, 'resolution is missing'),
    ({'resolution': 0.0}, 'resolution is 0.0: it must be a number from 0.001 to 10'),
    ({'resolution': float('nan')}, 'resolution is nan'),
    ({'resolution': '5 cm'}, "resolution is '5 cm'"),
    ({'resolution': True}, 'resolution is True'),
    ({'origin': [0.0, 0.0]}, r'origin is \[0.0, 0.0\]: it must be x, y and yaw'),
    ({'origin': [0.0, float('inf'), 0.0]}, 'origin is'),
    ({'origin': [0.0, 0.0, 90.0]}, 'origin is'),
    ({'negate': 2}, 'negate is 2: it must be 0 or 1'),
    ({'free_thresh': 0.7}, 'free_thresh is 0.7: it must be below occupied_thresh, 0.65'),
    ({'occupied_thresh': 1.5}, 'occupied_thresh is 1.5'),
    ({'mode': 'ternary'}, "mode is 'ternary': it must be one of trinary, scale, raw"),
    ({'resolutoin': 0.1}, "'resolutoin' is unknown: did you mean 'resolution'"),
    ({'voxels': 3}, "'voxels' is unknown: it has image, resolution")])
def test_bad_plan_is_refused_in_one_sentence(
    change: dict[str, Any], complaint: str, tmp_path: Path,
) -> None:
    with pytest.raises(SettingsError, match=complaint) as refused:
        read_floor_plan(write(tmp_path, **change))
    assert str(refused.value).startswith(f'floor plan {tmp_path / "plan.yaml"}: ')
    assert '\n' not in str(refused.value)


@pytest.mark.parametrize(('text', 'complaint'), [
    ('image: [', 'not YAML'), ('just words', 'expected image, resolution'),
    ('image: 3\nresolution: 0.1\norigin: [0, 0, 0]', 'image is 3: it must be the name of a file'),
    ('a' * 70_000, 'longer than 65536 bytes')])
def test_file_that_is_no_plan_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / 'plan.yaml').write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        read_floor_plan(tmp_path / 'plan.yaml')


def test_plans_are_limited_in_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'MAX_PLAN_CELLS', 5)
    with pytest.raises(SettingsError, match='has 3 x 2 pixels: at most 5'):
        read_floor_plan(write(tmp_path))
    monkeypatch.setattr(module, 'MAX_PLAN_IMAGE_BYTES', 10)
    with pytest.raises(SettingsError, match='longer than 10 bytes'):
        read_floor_plan(write(tmp_path))
