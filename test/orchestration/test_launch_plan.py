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

"""Areas as their files describe them, and what is refused in such files."""

from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import LaunchPlan, find_area_plans, read_area_plan
from utt_ros.parameter_files import write_parameter_file
from utt_ros.settings import AreaSettings


def test_area_file_may_hold_settings_of_nodes_as_well(tmp_path: Path) -> None:
    path = tmp_path / 'area.yaml'
    path.write_text('/**:\n  ros__parameters: {area: hall, camera_height: 3.0, model.width: 64}\n')
    found = read_area_plan(path)
    assert found.settings == AreaSettings(area='hall', camera_height=3.0)
    assert found.parameter_files == (path,)


def test_parameters_of_the_graph_are_refused_in_a_block_of_one_node(tmp_path: Path) -> None:
    path = tmp_path / 'area.yaml'
    own = '/**/twin:\n  ros__parameters: {belief.particles: 300}\n'
    path.write_text(f'/**:\n  ros__parameters: {{area: hall}}\n{own}')
    assert read_area_plan(path).name == 'hall'
    path.write_text(path.read_text().replace('belief.particles: 300', 'use_sim_time: true'))
    with pytest.raises(SettingsError, match='use_sim_time is not for a block of one node'):
        read_area_plan(path)


def test_parameter_file_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'area.yaml'
    path.write_text('/**:\n  ros__parameters: {area: hall}\n/**/twin: {particles: 300}\n')
    with pytest.raises(SettingsError, match='expected "ros__parameters:" in the block'):
        read_area_plan(path)


def test_given_name_overrides_the_file(tmp_path: Path) -> None:
    write_parameter_file(tmp_path / 'area.yaml', AreaSettings(area='hall'))
    found = read_area_plan(tmp_path / 'area.yaml', name='lobby')
    assert found.name == 'lobby'
    assert graph_nodes(LaunchPlan((found,)))[0].parameters['area'] == 'lobby'


def test_areas_of_a_folder_are_found_in_order(tmp_path: Path) -> None:
    for name in ('b', 'a'):
        (tmp_path / name).mkdir()
        write_parameter_file(tmp_path / name / 'area.yaml', AreaSettings(area=name))
    assert [found.name for found in find_area_plans(tmp_path)] == ['a', 'b']
    assert [found.name for found in find_area_plans(tmp_path / 'a')] == ['a']


def test_folder_without_areas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='no file and no folder with'):
        find_area_plans(tmp_path)
