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

import json
from pathlib import Path
from typing import Any

import pytest

from utt_ros.errors import SessionError
from utt_ros.sessions.vifi.dataset_layout import VifiRecording, area_settings, find_recordings

CAMERA = {'width': 1280, 'height': 720, 'fx': 500.0, 'fy': 510.0, 'cx': 640.0, 'cy': 360.0,
          'pitch_down_rad': 0.2, 'height_m': 2.4}
SCENES = {'camera': CAMERA, 'phone_height_m': 1.1, 'person_height_m': 1.8,
          'scenes': {'scene0': {'pose_floor': {'yaw_rad': 0.7}, 'ap_xyz_area_m': [0, 1, 2]}}}


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """The folder of a sequence with boxes, ranges and raw IMU files; the data set is tmp_path."""
    folder = tmp_path / 'seqs' / 'indoor' / 'scene0' / '20200101_000000'
    for name in ('sync_ts16_dfv4p4/BBX5_sync_dfv4p4.pkl', 'sync_ts16_dfv4p4/FTM_sync_dfv4p4.pkl',
                 'IMU/Subject0.csv'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_sequence_is_found_once_with_its_area_and_split(sequence: Path, tmp_path: Path) -> None:
    splits = {'val': ['indoor/scene0/20200101_000000'], 'note': 'not a list'}
    (tmp_path / 'splits.json').write_text(json.dumps(splits))
    expected = [VifiRecording(sequence, 'scene0', '20200101_000000', 'val')]
    assert find_recordings(tmp_path) == expected
    assert find_recordings(tmp_path / 'seqs') == expected  # splits.json is also found above


def test_names_of_areas_are_valid_in_topics(sequence: Path, tmp_path: Path) -> None:
    sequence.parent.rename(tmp_path / 'seqs' / 'indoor' / '4th-floor')
    assert find_recordings(tmp_path)[0].area == 'scene_4th_floor'


def test_geometry_comes_from_scenes_json(sequence: Path, tmp_path: Path) -> None:
    (tmp_path / 'scenes.json').write_text(json.dumps(SCENES))
    area = area_settings(tmp_path, 'scene0', find_recordings(tmp_path))
    assert area.modalities == ('camera', 'ftm', 'imu')
    assert (area.fx, area.fy, area.camera_pitch, area.camera_height) == (500, 510, 0.2, 2.4)
    assert (area.magnetic_yaw, area.ap_position) == (0.7, (0, 1, 2))
    assert (area.phone_height, area.person_height) == (1.1, 1.8)


def test_access_points_come_from_scenes_json_by_address(sequence: Path, tmp_path: Path) -> None:
    scene = {**SCENES['scenes']['scene0'], 'aps': [
        {'mac': '02:b', 'xyz_area_m': [0, 1, 2]}, {'mac': '02:a', 'xyz_area_m': [8.5, 1, 2]}]}
    (tmp_path / 'scenes.json').write_text(json.dumps({**SCENES, 'scenes': {'scene0': scene}}))
    area = area_settings(tmp_path, 'scene0', find_recordings(tmp_path))
    assert area.access_points == (('02:b', (0.0, 1.0, 2.0)), ('02:a', (8.5, 1.0, 2.0)))
    assert area.ap_position == (0, 1, 2)


@pytest.mark.parametrize('document', [[], {'camera': CAMERA}, {**SCENES, 'scenes': {}},
                                      {**SCENES, 'camera': {**CAMERA, 'fx': 'wide'}}])
def test_a_broken_scenes_json_is_an_error(
        sequence: Path, tmp_path: Path, document: Any) -> None:
    (tmp_path / 'scenes.json').write_text(json.dumps(document))
    with pytest.raises(SessionError, match=r'scenes\.json'):
        area_settings(tmp_path, 'scene0', find_recordings(tmp_path))


def test_a_folder_without_sequences_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match='no sequence'):
        find_recordings(tmp_path)
    with pytest.raises(SessionError, match='is not a folder'):
        find_recordings(tmp_path / 'nowhere')
