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

"""The launch files without the launch packages: arguments, and the nodes that a start has."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from utt_ros.errors import UttError
from utt_ros.orchestration.arguments import (
    AREA_ARGUMENTS,
    FEDERATION_ARGUMENTS,
    REPLAY_ARGUMENTS,
)
from utt_ros.orchestration.ros_environment import shared_file
from utt_ros.parameter_files import write_parameter_file
from utt_ros.settings import AreaSettings

Action = Any  # of the stand-in in conftest
Load = Callable[[str], Any]
FILES = {'area': AREA_ARGUMENTS, 'federation': FEDERATION_ARGUMENTS, 'replay': REPLAY_ARGUMENTS}


def nodes(actions: list[Action]) -> dict[str, dict[str, Any]]:
    """Return what each node is given, by its full name."""
    found = [action.given for action in actions if action.kind == 'Node']
    return {f'{each["namespace"]}/{each["name"]}': each for each in found}


def notes(actions: list[Action]) -> str:
    return '\n'.join(each.given['msg'] for each in actions if each.kind == 'LogInfo')


@pytest.mark.parametrize('name', FILES)
def test_arguments_have_a_text_a_default_and_choices_where_they_are_few(
    name: str, launch_file: Load,
) -> None:
    declared = launch_file(name).arguments
    assert list(declared) == list(FILES[name])
    for argument, each in declared.items():
        assert each['description']
        assert each['choices'] is None or each['default_value'] in each['choices'], argument
    assert {declared[key]['default_value'] for key in ('use_sim_time', 'rviz')} == {'false'}
    assert 'maybe' not in declared['rviz']['choices']
    assert declared['log_level']['choices'] == ['debug', 'info', 'warn', 'error', 'fatal']


def test_area_without_arguments_starts_with_the_installed_configuration(launch_file: Load) -> None:
    actions = launch_file('area').start()
    found = nodes(actions)
    assert {'/area/sync', '/area/twin', '/area/trainer'} <= set(found)
    assert found['/area/sync']['parameters'][0] == str(shared_file('config/area.yaml'))
    assert 'utt_ros: area: no drivers and no recording' in notes(actions)


@pytest.mark.parametrize('namespace', ['site', '/site'])
def test_pushed_namespace_is_above_every_node(
    namespace: str, launch_file: Load, tmp_path: Path, make_bag: Callable[..., Path],
) -> None:
    bag = make_bag(tmp_path / 'bag', '/hall/camera/tracks')
    found = nodes(launch_file('area').start(namespace, bag=str(bag), record=str(tmp_path / 'new')))
    assert {'/site/hall/sync', '/site/utt/ready', '/site/utt/recorder'} <= set(found)
    assert all(name.startswith('/site/') for name in found)
    assert ('/utt/updates', '/site/utt/updates') in found['/site/hall/trainer']['remappings']


def test_federation_starts_its_areas_and_an_aggregator(launch_file: Load, tmp_path: Path) -> None:
    for name in ('hall', 'stairs'):
        (tmp_path / name).mkdir()
        write_parameter_file(tmp_path / name / 'area.yaml', AreaSettings(area=name))
    found = nodes(launch_file('federation').start(areas=str(tmp_path)))
    assert {'/utt/aggregator', '/hall/sync', '/stairs/trainer'} <= set(found)


def test_areas_that_name_one_port_have_one_driver(launch_file: Load, tmp_path: Path) -> None:
    for name in ('hall', 'stairs'):
        (tmp_path / name).mkdir()
        write_parameter_file(tmp_path / name / 'area.yaml', AreaSettings(area=name), {
            '/**': {'area': name, 'drivers': ['imu']}})
    actions = launch_file('federation').start('site', areas=str(tmp_path))
    found = nodes(actions)
    assert '/site/stairs/imu' not in found
    flag, words = found['/site/hall/imu']['arguments']
    assert (flag, json.loads(words)[:5]) == (
        '--beside', ['--ros-args', '-r', '__node:=imu', '-r', '__ns:=/site/stairs'])
    assert 'hall, stairs: imu listens for phones on 0.0.0.0:8000' in notes(actions)


def test_replay_starts_a_player(
    launch_file: Load, tmp_path: Path, make_bag: Callable[..., Path],
) -> None:
    bag = make_bag(tmp_path / 'bag', '/hall/camera/tracks', '/hall/synced')
    (player,) = [given for name, given in nodes(launch_file('replay').start(bag=str(bag))).items()
                 if name.endswith('/player')]
    assert player['arguments'][0] == str(bag)


@pytest.mark.parametrize(('name', 'given', 'complaint'), [
    ('area', {'bag': '/none/bag'}, '/none/bag does not exist'),
    ('area', {'params_file': '/none.yaml'}, '/none.yaml: .* No such file'),
    ('area', {'rate': 'fast'}, "rate is 'fast': it must be a number"),
    ('area', {'area': 'a b'}, "area is 'a b'"),
    ('federation', {}, 'no areas: give a folder'),
    ('replay', {}, 'no bag: give one or more recordings'),
    ('replay', {'bag': '/none/bag'}, '/none/bag does not exist'),
])
def test_wrong_arguments_are_refused_in_a_sentence(
    name: str, given: dict[str, str], complaint: str, launch_file: Load,
) -> None:
    with pytest.raises(UttError, match=complaint) as refused:
        launch_file(name).start(**given)
    assert '\n' not in str(refused.value)
