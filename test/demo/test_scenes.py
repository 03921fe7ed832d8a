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

"""Areas of the demonstration and their training and test sessions."""

import pytest

from utt_ros.demo.scenes import find_demo_areas
from utt_ros.errors import SessionError
from utt_ros.parameter_files import read_node_parameters
from utt_ros.sessions.session_bags import read_area, write_area
from utt_ros.settings import AreaSettings

METADATA = 'rosbag2_bagfile_information:\n  custom_data: {{split: "{split}"}}\n'


def sessions(folder, areas, splits):
    for name, modalities in areas.items():
        write_area(AreaSettings(area=name, modalities=modalities), folder / name)
        for number, split in enumerate(splits):
            bag = folder / name / f'session{number}'
            bag.mkdir()
            (bag / 'metadata.yaml').write_text(METADATA.format(split=split))
    return folder


ALL = ('camera', 'ftm', 'imu')


def test_sessions_of_the_test_split_are_held_out(tmp_path):
    folder = sessions(tmp_path / 'in', {'a': ALL}, ['train', 'test', 'val'])
    area, = find_demo_areas(folder, tmp_path / 'out')
    assert [bag.name for bag in area.test] == ['session1']
    assert [bag.name for bag in area.train] == ['session0', 'session2']


def test_last_session_is_held_out_without_a_test_split(tmp_path):
    folder = sessions(tmp_path / 'in', {'a': ALL}, ['', '', ''])
    area, = find_demo_areas(folder, tmp_path / 'out')
    assert [bag.name for bag in area.test] == ['session2']


def test_sessions_that_people_cross_are_replayed_and_neither_trained_on_nor_tested(tmp_path):
    splits = ['train', 'test', 'val', 'crossing']
    folder = sessions(tmp_path / 'in', {'a': ALL}, splits)
    area, = find_demo_areas(folder, tmp_path / 'out')
    assert [bag.name for bag in area.replayed] == ['session3']
    assert [bag.name for bag in area.train] == ['session0', 'session2']
    assert [bag.name for bag in area.test] == ['session1']


def test_last_area_loses_its_camera_if_all_have_one(tmp_path):
    folder = sessions(tmp_path / 'in', {'a': ALL, 'b': ALL}, ['train', 'test'])
    areas = find_demo_areas(folder, tmp_path / 'out')
    assert [area.settings.modalities for area in areas] == [ALL, ('ftm', 'imu')]
    assert read_area(tmp_path / 'out' / 'b').modalities == ('ftm', 'imu')
    assert read_area(tmp_path / 'in' / 'b').modalities == ALL


def test_areas_stay_unchanged_if_one_has_no_camera(tmp_path):
    folder = sessions(tmp_path / 'in', {'a': ('ftm', 'imu'), 'b': ALL}, ['train', 'test'])
    areas = find_demo_areas(folder, tmp_path / 'out')
    assert [area.settings.modalities for area in areas] == [('ftm', 'imu'), ALL]


def test_area_with_one_session_is_refused_by_name(tmp_path):
    folder = sessions(tmp_path / 'in', {'a': ALL}, ['train'])
    with pytest.raises(SessionError, match=r"area 'a' has 1 session"):
        find_demo_areas(folder, tmp_path / 'out')


def test_settings_of_the_belief_in_area_files_are_kept(tmp_path):
    folder = sessions(tmp_path / 'in', {'a': ALL, 'b': ALL}, ['', ''])
    write_area(AreaSettings(area='b'), folder / 'b', belief={'body_spread': 0.5})
    with_defaults, area = find_demo_areas(folder, tmp_path / 'out')
    assert not with_defaults.belief
    assert area.belief == {'body_spread': 0.5}
    assert read_node_parameters([area.file], '/b/twin')['belief.body_spread'] == 0.5
