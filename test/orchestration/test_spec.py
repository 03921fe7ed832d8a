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

"""Nodes as commands."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import rclpy
from rclpy.node import Node

from utt_ros.errors import SettingsError
from utt_ros.orchestration.spec import NodeSpec, find_ros_executable, process_spec


def test_node_becomes_a_command_with_all_its_arguments() -> None:
    node = NodeSpec(
        'sync', 'sync', '/hall',
        parameters={'area': 'hall', 'use_sim_time': True, 'x': [1.0, 2.5]},
        parameter_files=(Path('/hall.yaml'),), remappings=(('/clock', '/hall/clock'),),
        arguments=('bag',), ros_arguments=('--log-level', 'warn'), respawn=True, essential=True,
    )
    process = process_spec(node)
    assert process.name == 'hall/sync'
    assert process.command == (
        sys.executable, '-m', 'utt_ros.orchestration.node', 'sync', 'bag', '--ros-args',
        '-r', '__node:=sync', '-r', '__ns:=/hall', '-r', '/clock:=/hall/clock',
        '--params-file', '/hall.yaml', '-p', 'area:="hall"', '-p', 'use_sim_time:=true',
        '-p', 'x:=[1.0, 2.5]', '--log-level', 'warn',
    )
    assert process.respawn
    assert process.essential


def test_nodes_beside_another_one_are_told_apart_in_its_command() -> None:
    stairs = NodeSpec(
        'imu', 'imu', '/stairs', parameters={'area': 'stairs'},
        parameter_files=(Path('/a "b".yaml'),), ros_arguments=('--log-level', 'warn'))
    hall = NodeSpec('imu', 'imu', '/hall', beside=(stairs, replace(stairs, namespace='/attic')))
    words = process_spec(hall).command[4:]
    assert (words[0], words[2], words[4]) == ('--beside', '--beside', '--ros-args')
    assert json.loads(words[1]) == [
        '--ros-args', '-r', '__node:=imu', '-r', '__ns:=/stairs', '--params-file', '/a "b".yaml',
        '-p', 'area:="stairs"']
    assert '__ns:=/attic' in json.loads(words[3])


def test_parameters_keep_their_types(ros_domain: int) -> None:
    meant = {
        'text': 'it\'s "x": 1', 'digits': '123', 'truth': 'true', 'flag': False, 'whole': 7,
        'small': 1e-07, 'large': 1e300, 'names': ['a', 'b'], 'numbers': [1.0, -2.5],
    }
    command = process_spec(NodeSpec('n', 'n', '/hall', parameters=meant)).command
    context = rclpy.Context()
    rclpy.init(context=context, args=list(command[4:]), domain_id=ros_domain)
    try:
        node = Node(
            'default', context=context, automatically_declare_parameters_from_overrides=True,
        )
        got = {name: node.get_parameter(name).value for name in meant}
        assert node.get_fully_qualified_name() == '/hall/n'
        node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)
    assert got == meant
    assert [type(got[name]) for name in ('flag', 'whole', 'small')] == [bool, int, float]


def test_executable_is_found_in_a_sourced_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / 'lib' / 'tf2_ros' / 'static_transform_publisher'
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path}')
    assert find_ros_executable('tf2_ros', 'static_transform_publisher') == program
    node = NodeSpec('t', 'static_transform_publisher', package='tf2_ros')
    assert process_spec(node).command[0] == str(program)


def test_executable_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/nowhere')
    with pytest.raises(SettingsError, match='no_package/no_program is not installed'):
        process_spec(NodeSpec('t', 'no_program', package='no_package'))


@pytest.mark.parametrize(('value', 'given'), [('true', True), ('TRUE', True), ('', False)])
def test_node_has_an_enclave_of_its_own_where_sros2_is_on(
    value: str, given: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_SECURITY_ENABLE', value)
    command = process_spec(NodeSpec('sync', 'sync', '/hall')).command
    assert (command[-2:] == ('--enclave', '/hall/sync')) == given
