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

"""Settings dataclasses as ROS parameters: declared with descriptors, and validated."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from math import inf
from typing import Any, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from utt_ros.errors import SettingsError
from utt_ros.settings import MAX_INTEGER, from_mapping

_T = TypeVar('_T')
MAX_FLOAT = 1.0e308


def declare_settings(
    node: Node, cls: type[_T], prefix: str = '', *, writable: Collection[str] = (),
) -> _T:
    """Declare every field of a settings class as a parameter and return the settings.

    All but the `writable` fields, see `follow_parameters`, are read-only.

    A renamed field is declared under its current name alone; a value that is given under its
    former name is accepted with one warning. Raises SettingsError when a given value does not fit,
    or when it is given under both names.
    """
    warn = node.get_logger().warning
    values: dict[str, Any] = {}
    for item in fields(cls):  # type: ignore[arg-type]
        if item.metadata.get('read'):
            values[item.name] = _declare_mapping(node, prefix + item.name, item)
            continue
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        former = _former_values(node, prefix, item)
        if former:
            default = getattr(from_mapping(cls, former, warn), item.name)
        try:
            parameter = node.declare_parameter(
                prefix + item.name, default, _descriptor(item, item.name in writable))
        except ParameterException as err:
            raise SettingsError(f'{node.get_fully_qualified_name()}: {err}') from err
        values[item.name] = parameter.value
    return from_mapping(cls, values)


def follow_parameters(
    node: Node, settings: _T, writable: Collection[str], apply: Callable[[_T], None],
) -> None:
    """Call `apply` with new settings when `writable` parameters, declared without prefix, are set.

    Values that the settings class refuses are refused with its error, and change nothing.
    """
    current = settings

    def on_set(parameters: Sequence[Parameter]) -> SetParametersResult:
        nonlocal current
        given = {each.name: each.value for each in parameters if each.name in writable}
        values = {item.name: getattr(current, item.name)
                  for item in fields(current)}  # type: ignore[arg-type]
        try:
            current = from_mapping(type(settings), {**values, **given})
        except SettingsError as err:
            return SetParametersResult(successful=False, reason=str(err))
        if given:
            apply(current)
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(on_set)


def _declare_mapping(node: Node, name: str, item: Any) -> dict[str, Any]:
    """Declare the parameters `name`.<key> that are given, in the order of the file."""
    given = [full for full in node._parameter_overrides  # noqa: SLF001  # rclpy lists them nowhere
             if full.startswith(f'{name}.')]
    descriptor = ParameterDescriptor(
        description=item.metadata['text'], read_only=True, dynamic_typing=True)
    values = {full.removeprefix(f'{name}.'): node.declare_parameter(full, None, descriptor).value
              for full in given}
    return {key: list(value) if isinstance(value, Sequence) and not isinstance(value, str)
            else value for key, value in values.items()}


def _former_values(node: Node, prefix: str, item: Any) -> dict[str, Any]:
    """Return what is given for a renamed field, if its former name is among it."""
    former = item.metadata.get('former', '')
    if not former:
        return {}
    given = {name: _given(node, prefix + name) for name in (former, item.name)}
    return {name: value for name, value in given.items()
            if value is not None and given[former] is not None}


def _given(node: Node, name: str) -> Any:
    """Return a parameter's value from files or the command line, without keeping it declared."""
    value = node.declare_parameter(name, None, ParameterDescriptor(dynamic_typing=True)).value
    node.undeclare_parameter(name)
    return value


def _descriptor(item: Any, writable: bool) -> ParameterDescriptor:
    """Describe a field.

    A writable one has its limits as text: rclpy would refuse a value outside a range without
    naming the limit.
    """
    descriptor = ParameterDescriptor(
        description=item.metadata.get('text', ''),
        read_only=not writable,
        dynamic_typing=item.default == (),  # an empty list has no item type
    )
    low, high = item.metadata.get('low'), item.metadata.get('high')
    if low is None and high is None:
        return descriptor
    if writable:
        descriptor.additional_constraints = f'{low} to {high}'
        return descriptor
    if isinstance(item.default, float):
        limits = FloatingPointRange(
            from_value=max(-inf if low is None else float(low), -MAX_FLOAT),
            to_value=min(inf if high is None else float(high), MAX_FLOAT),
        )
        descriptor.floating_point_range = [limits]
    elif isinstance(item.default, int) and not isinstance(item.default, bool):
        limits = IntegerRange(
            from_value=-MAX_INTEGER if low is None else int(low),
            to_value=MAX_INTEGER if high is None else int(high),
            step=1,
        )
        descriptor.integer_range = [limits]
    return descriptor
