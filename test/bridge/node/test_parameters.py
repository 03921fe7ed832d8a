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

"""ROS parameters of a node are the fields of its settings: names, limits, former names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter

from utt_ros.bridge.node.parameters import declare_settings, follow_parameters
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings, check, setting


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """Settings with a renamed field."""

    max_norm: float = setting(1.0, 'norm [m]', low=0.5, high=9.0, former='largest_norm')
    names: tuple[str, ...] = setting((), 'names')

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class StepSettings:
    """Settings of which one can change."""

    steps: int = setting(3, 'steps', low=1, high=9)
    rate: float = setting(0.1, 'rate', low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check(self)


@pytest.fixture
def make_node(ros: int) -> Iterator[Callable[..., Node]]:
    nodes: list[Node] = []

    def make(**given: Any) -> Node:
        overrides = [Parameter(f'clip.{name}', value=value) for name, value in given.items()]
        nodes.append(Node('clipper', parameter_overrides=overrides))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


def test_field_becomes_a_read_only_parameter_with_its_text_and_limits(make_node):
    node = make_node(names=['a', 'b'])
    assert declare_settings(node, ClipSettings, 'clip.') == ClipSettings(names=('a', 'b'))
    descriptor = node.describe_parameter('clip.max_norm')
    assert descriptor.read_only
    assert descriptor.description == 'norm [m]'
    limits = descriptor.floating_point_range[0]
    assert (limits.from_value, limits.to_value) == (0.5, 9.0)


def test_positions_by_address_are_parameters_in_the_order_of_their_file(make_node, tmp_path):
    path = tmp_path / 'area.yaml'
    path.write_text('/**:\n  ros__parameters:\n    access_points:\n'
                    '      "02:00:00:00:00:0b": [1.0, 2.0, 2.5]\n'
                    '      02:00:00:00:00:0a: [4, 5, 6]\n')
    node = Node('reader', cli_args=['--ros-args', '--params-file', str(path)])
    try:
        area = declare_settings(node, AreaSettings)
        assert area.ap_addresses == ('02:00:00:00:00:0b', '02:00:00:00:00:0a')
        assert area.ap_positions == ((1.0, 2.0, 2.5), (4.0, 5.0, 6.0))
        name = 'access_points.02:00:00:00:00:0b'
        assert list(node.get_parameter(name).value) == [1.0, 2.0, 2.5]
        assert node.describe_parameter(name).read_only
    finally:
        node.destroy_node()


@pytest.mark.parametrize('value', [0.25, 'wide'])
def test_value_outside_the_limits_or_of_another_type_is_refused(make_node, value):
    with pytest.raises(SettingsError, match='max_norm'):
        declare_settings(make_node(max_norm=value), ClipSettings, 'clip.')


def test_former_name_is_accepted_with_one_warning_and_listed_under_the_new_one(
    make_node, capfd,
):
    node = make_node(largest_norm=2)
    assert declare_settings(node, ClipSettings, 'clip.').max_norm == 2.0
    assert node.get_parameter('clip.max_norm').value == 2.0
    assert not node.has_parameter('clip.largest_norm')
    assert capfd.readouterr().err.count('largest_norm is now max_norm') == 1


def test_current_name_is_accepted_without_a_warning(make_node, capfd):
    assert declare_settings(make_node(max_norm=2.0), ClipSettings, 'clip.').max_norm == 2.0
    assert not capfd.readouterr().err


def test_both_names_of_a_renamed_parameter_are_refused(make_node):
    with pytest.raises(SettingsError, match='largest_norm and max_norm are both given'):
        declare_settings(make_node(largest_norm=2.0, max_norm=1.0), ClipSettings, 'clip.')


def test_writable_parameter_is_followed_and_wrong_values_change_nothing(make_node):
    node, applied = make_node(), []
    settings = declare_settings(node, StepSettings, writable=('steps',))
    follow_parameters(node, settings, ('steps',), applied.append)

    def put(name, value):
        return node.set_parameters([Parameter(name, value=value)])[0]

    assert put('steps', 7).successful
    refused = put('steps', 0)
    assert (refused.successful, refused.reason) == (
        False, 'steps is 0: it must be at least 1')
    assert not put('steps', 'many').successful
    assert not put('rate', 0.5).successful
    assert put('use_sim_time', False).successful
    assert applied == [StepSettings(steps=7)]
    assert node.get_parameter('steps').value == 7
    assert node.describe_parameter('steps').additional_constraints == '1 to 9'
