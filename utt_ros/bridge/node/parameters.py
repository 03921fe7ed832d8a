"""Settings dataclasses as ROS parameters: declared with descriptors, read once, validated."""

from dataclasses import fields
from math import inf
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from utt_ros.errors import SettingsError
from utt_ros.settings import from_mapping

T = TypeVar('T')
MAX_INTEGER = 2**63 - 1
MAX_FLOAT = 1.0e308


def declare(node: Node, cls: type[T], prefix: str = '') -> T:
    """Declare every field of a settings class as a read-only parameter and return the settings.

    Raises SettingsError when a given value does not fit.
    """
    values: dict[str, Any] = {}
    for item in fields(cls):  # type: ignore[arg-type]
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        try:
            parameter = node.declare_parameter(prefix + item.name, default, _descriptor(item))
        except ParameterException as err:
            raise SettingsError(f'{node.get_fully_qualified_name()}: {err}') from err
        values[item.name] = parameter.value
    return from_mapping(cls, values)


def _descriptor(item: Any) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=item.metadata.get('text', ''),
        read_only=True,
        dynamic_typing=item.default == (),  # an empty list does not tell the type of its items
    )
    low, high = item.metadata.get('low'), item.metadata.get('high')
    if low is None and high is None:
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
