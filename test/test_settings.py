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

from dataclasses import dataclass

import pytest

from utt_ros.errors import SettingsError
from utt_ros.parameter_files import read_node_parameters, read_parameter_file, write_parameter_file
from utt_ros.settings import AreaSettings, WindowSettings, from_mapping
from utt_ros.sync.settings import SyncSettings
from utt_ros.training.settings import LearningSettings


def test_a_parameter_file_round_trips(tmp_path):
    area = AreaSettings(area='hall', modalities=('ftm', 'imu'), magnetic_yaw=-1.25)
    write_parameter_file(tmp_path / 'area.yaml', area)
    assert from_mapping(AreaSettings, read_parameter_file(tmp_path / 'area.yaml')) == area


def test_an_integer_is_accepted_for_a_float():
    assert from_mapping(AreaSettings, {'fx': 500}).fx == 500.0


@pytest.mark.parametrize(('values', 'complaint'), [
    ({'fx': float('nan')}, 'fx is nan: it must be finite'),
    ({'fx': 0.5}, r'fx is 0\.5: it must be at least 1\.0'),
    ({'fx': 2e5}, r'fx is 200000\.0: it must be at most 100000\.0'),
    ({'fx': '500'}, "fx is '500': it must be of the form 528.365"),
    ({'fx': True}, 'fx is True: it must be of the form 528.365'),
    ({'image_width': 12.5}, r'image_width is 12\.5: it must be of the form 1280'),
    ({'ap_position': [0.0, 1.0]}, 'ap_position has 2 numbers: it must have 3'),
    ({'ap_position': [0.0, float('inf'), 0.0]}, 'ap_position is inf: it must be finite'),
    ({'modalities': ['camera', 'sonar']}, 'one or more of'),
    ({'modalities': []}, 'one or more of'),
    ({'modalities': [1]}, r'modalities is \(1,\): it must be of the form'),
    ({'area': 'große_halle'}, 'a letter, then letters, digits and underscores'),
    ({'area': '1st'}, 'a letter, then letters, digits and underscores'),
    ({'camera_hieght': 3.0}, "no setting 'camera_hieght'; did you mean 'camera_height'"),
    ({'colour': 'red'}, "AreaSettings has no setting 'colour'; it has access_points, ap_position"),
])
def test_an_invalid_setting_is_refused_with_its_value_and_limit(values, complaint):
    with pytest.raises(SettingsError, match=complaint):
        from_mapping(AreaSettings, values)


@pytest.mark.parametrize('text', ['', '- 1', '/**: 3', '/**:\n  other: {}', 'a: [', '\x00'])
def test_a_malformed_parameter_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / 'area.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=r'area\.yaml'):
        read_parameter_file(path)


@pytest.mark.parametrize('other', [
    '/hall:\n  ftm:\n    ros__parameters: {source: iw}', '/**/ftm:\n  ros__parameters:',
    'version: 1'])
def test_other_blocks_of_a_parameter_file_matter_to_readers_of_nodes_only(tmp_path, other):
    path = tmp_path / 'area.yaml'
    path.write_text(f'/**:\n  ros__parameters: {{area: hall}}\n{other}\n')
    assert read_parameter_file(path) == {'area': 'hall'}
    with pytest.raises(SettingsError, match=r'area\.yaml: expected "ros__parameters:" in the'):
        read_node_parameters([path], '/hall/ftm')


@pytest.mark.parametrize('block', ['/**', '/**/ftm', '/hall/ftm', '/*/ftm'])
def test_blocks_that_match_the_name_of_a_node_are_read(tmp_path, block):
    path = tmp_path / 'area.yaml'
    path.write_text(f'"{block}":\n  ros__parameters: {{source: iw, iw: {{phone: ann}}}}\n')
    assert read_node_parameters([path], '/hall/ftm') == {'source': 'iw', 'iw.phone': 'ann'}


@pytest.mark.parametrize('block', ['/yard/ftm', '/**/imu', '/*', '/hall/ftm/*'])
def test_blocks_of_other_nodes_are_not_read(tmp_path, block):
    path = tmp_path / 'area.yaml'
    path.write_text(f'"{block}":\n  ros__parameters: {{source: iw}}\n')
    assert read_node_parameters([path], '/hall/ftm') == {}


def test_later_blocks_and_files_take_precedence(tmp_path):
    first, second = tmp_path / 'a.yaml', tmp_path / 'b.yaml'
    first.write_text('"/hall/ftm":\n  ros__parameters: {a: 1, b: 1, c: 1}\n'
                     '"/**":\n  ros__parameters: {b: 2, c: 2}\n')
    second.write_text('"/**":\n  ros__parameters: {c: 3}\n')
    assert read_node_parameters([first, second], '/hall/ftm') == {'a': 1, 'b': 2, 'c': 3}


def test_a_missing_parameter_file_is_refused_by_name(tmp_path):
    with pytest.raises(SettingsError, match=r'none\.yaml'):
        read_parameter_file(tmp_path / 'none.yaml')


def test_a_window_that_is_too_short_is_refused():
    with pytest.raises(SettingsError, match='ticks is 3: it must be at least 4'):
        WindowSettings(ticks=3)


def test_a_former_name_is_accepted_with_a_warning_that_names_the_new_one():
    with pytest.warns(FutureWarning, match='association_least is now association_min_probability'):
        settings = from_mapping(SyncSettings, {'association_least': 0.25})
    assert settings == SyncSettings(association_min_probability=0.25)


@pytest.mark.parametrize(('cls', 'former', 'name'), [
    (SyncSettings, 'association_least', 'association_min_probability'),
    (LearningSettings, 'largest_gradient', 'max_grad_norm'),
    (LearningSettings, 'least_association', 'min_association'),
])
def test_a_setting_under_both_names_is_refused(cls, former, name):
    with pytest.raises(SettingsError, match=f'{former} and {name} are both given'):
        from_mapping(cls, {former: 0.5, name: 0.5})


@pytest.mark.parametrize('text', ['5e2', '1e-05', '1:30', '500', '0x1F', 'true', 'hall'])
def test_texts_that_look_like_numbers_are_written_as_texts(tmp_path, text):
    @dataclass
    class Named:
        name: str

    write_parameter_file(tmp_path / 'a.yaml', Named(text))
    assert read_parameter_file(tmp_path / 'a.yaml') == {'name': text}


@pytest.mark.parametrize(('name', 'text', 'number'), [
    ('fx', '5e2', 500.0), ('fx', '5.28e2', 528.0), ('magnetic_yaw', '1e-3', 1e-3),
    ('ap_position', '[1e0, 2e0, 2.5e0]', (1.0, 2.0, 2.5))])
def test_settings_with_exponents_are_read_from_parameter_files(tmp_path, name, text, number):
    path = tmp_path / 'area.yaml'
    path.write_text(f'/**:\n  ros__parameters:\n    {name}: {text}\n')
    assert getattr(from_mapping(AreaSettings, read_parameter_file(path)), name) == number
    node = read_node_parameters([path], '/hall/sync')[name]
    assert (tuple(node) if isinstance(node, list) else node) == number


@pytest.mark.parametrize('digits', [20, 401, 4000])
@pytest.mark.parametrize('name', ['fx', 'image_width', 'ap_position'])
def test_integers_beyond_64_bits_are_refused_by_name(name, digits):
    number = int('9' * digits)
    with pytest.raises(SettingsError, match=name):
        from_mapping(AreaSettings, {name: [number] * 3 if name == 'ap_position' else number})
