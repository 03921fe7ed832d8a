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

"""Access points of an area are read from its file, and what cannot be told apart is refused."""

import pytest

from utt_ros.access_point_list import AccessPoint, read_access_points
from utt_ros.errors import SettingsError
from utt_ros.parameter_files import read_parameter_file, write_parameter_file
from utt_ros.settings import AreaSettings, from_mapping, to_mapping

TWO = {'02:00:00:00:00:0B': [1, 2.0, 2.5], 'east': [0.0, -1.0, 3.0]}
AREA = from_mapping(AreaSettings, {'area': 'hall', 'access_points': TWO})


def test_the_first_one_is_that_of_the_area_and_each_has_a_frame():
    assert AREA.access_points == (
        AccessPoint('02:00:00:00:00:0B', (1.0, 2.0, 2.5)), AccessPoint('east', (0.0, -1.0, 3.0)))
    assert AREA.ap_position == (1.0, 2.0, 2.5)
    assert AREA.ap_addresses == ('02:00:00:00:00:0B', 'east')
    assert AREA.ap_frames == ('hall/ap', 'hall/ap_east')


def test_an_area_with_the_position_of_one_has_one_without_an_address():
    area = AreaSettings(area='hall', ap_position=(1.0, 2.0, 3.0))
    assert (area.ap_addresses, area.ap_positions) == ((), ((1.0, 2.0, 3.0),))
    assert area.ap_frames == ('hall/ap',)


def test_a_parameter_file_keeps_their_order(tmp_path):
    write_parameter_file(tmp_path / 'area.yaml', AREA)
    assert from_mapping(AreaSettings, read_parameter_file(tmp_path / 'area.yaml')) == AREA
    assert 'access_points' not in to_mapping(AreaSettings())


def test_frames_of_addresses_are_names():
    swapped = from_mapping(AreaSettings, {
        'area': 'hall', 'access_points': dict(reversed(TWO.items()))})
    assert swapped.ap_frames == ('hall/ap', 'hall/ap_02_00_00_00_00_0b')


@pytest.mark.parametrize(('given', 'complaint'), [
    ([1.0, 2.0, 2.5], 'it must hold positions by address'),
    ({'a': [1.0, 2.0]}, 'access_points.a is .* it must be three numbers'),
    ({'a': [1.0, 2.0, float('nan')]}, 'it must be three numbers'),
    ({'a': [1.0, 2.0, True]}, 'it must be three numbers'),
    ({'a': [1.0, 2.0, 10**400]}, 'it must be three numbers'),
    ({'a': {'b': [1.0, 2.0, 3.0]}}, 'it must be three numbers'),
    ({'': [1.0, 2.0, 3.0]}, 'without blanks'),
    ({'a b': [1.0, 2.0, 3.0]}, 'without blanks'),
    ({'0A:1': [1.0, 2.0, 3.0], '0a:1': [1.0, 2.0, 3.0]}, "'0A:1' and '0a:1': they must differ"),
    ({f'a{k}': [0.0, 0.0, 1.0] for k in range(33)}, 'access_points has 33: at most 32'),
])
def test_what_is_no_list_of_access_points_is_refused(given, complaint):
    with pytest.raises(SettingsError, match=complaint):
        from_mapping(AreaSettings, {'access_points': given})


def test_two_positions_of_the_first_one_are_refused():
    with pytest.raises(SettingsError, match="the first of access_points, 'a', is at"):
        from_mapping(AreaSettings, {
            'access_points': {'a': [1.0, 2.0, 2.5]}, 'ap_position': [4.0, 0.0, 2.5]})


def test_access_points_that_were_read_are_passed():
    assert read_access_points('access_points', AREA.access_points) is AREA.access_points
