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

"""Command line of a node: its own arguments, `--help`, and those of ROS."""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions

from utt_ros.errors import SettingsError
from utt_ros.orchestration.ros_environment import check_environment
from utt_ros.parameter_files import read_parameter_blocks

ROS_ARGUMENTS = """
ROS arguments follow --ros-args:
  --params-file FILE          parameters; share/utt_ros/config lists all of them with defaults
  -p NAME:=VALUE              one parameter
  -r NAME:=NEW                another topic, service, or name of the node (__node, __ns)
  --log-level LEVEL           debug, info, warn, error or fatal
"""
ROS_BEGIN, ROS_END = '--ros-args', '--'
PARAMETER_FLAG = '--params-file'


def default_parser(factory: Callable[..., Any]) -> ArgumentParser:
    """Return the parser of a node without arguments of its own, described by its module."""
    name = Path(sys.argv[0]).stem.removesuffix('_node')
    return ArgumentParser(prog=name, description=sys.modules[factory.__module__].__doc__)


def node_arguments(parser: ArgumentParser, words: Sequence[str]) -> Namespace:
    """Parse a node's own arguments, which are not those of ROS; `--help` ends the process."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = ROS_ARGUMENTS
    return parser.parse_args([word for word, is_ros in _split(words) if not is_ros])


def start_ros(words: Sequence[str]) -> None:
    """Initialise rclpy. Raises SettingsError for environment, files or arguments that prevent it.

    rcl would refuse them with several lines, or end the process.
    """
    check_environment()
    for path in parameter_files(words):
        check_parameter_file(path)
    try:
        rclpy.init(args=['node', *words], signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as err:  # RCLError and its kinds, which rclpy does not export
        raise SettingsError(_first_sentence(str(err))) from err


def parameter_files(words: Sequence[str]) -> list[Path]:
    """Return the parameter files among the arguments of ROS."""
    ros = [word for word, is_ros in _split(words) if is_ros]
    return [Path(path) for flag, path in pairwise(ros) if flag == PARAMETER_FLAG]


def check_parameter_file(path: Path) -> None:
    """Raise SettingsError for a file that rcl cannot read as parameters."""
    for block, parameters in read_parameter_blocks(path).items():
        for name, value in _leaves(parameters):
            kinds = {type(item) for item in (value if isinstance(value, list) else [value])}
            if len(kinds) > 1 or not kinds <= {bool, int, float, str}:
                raise SettingsError(f'{path}: {name} in {block!r} is {value!r:.200}: it must be a '
                                    'number, a text, a truth value, or a list of one of them')


def _leaves(parameters: dict[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for name, value in parameters.items():
        full = f'{prefix}{name}'
        if isinstance(value, dict):
            yield from _leaves(value, f'{full}.')
        else:
            yield full, value


def _split(words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield each argument and whether it is one of ROS, without `--ros-args` and its end."""
    is_ros = False
    for word in words:
        if word == ROS_BEGIN:
            is_ros = True
        elif word == ROS_END and is_ros:
            is_ros = False
        else:
            yield word, is_ros


def _first_sentence(text: str) -> str:
    """Return an error of rcl without the place in its source and what follows from it."""
    return text.partition(', at ')[0].partition('\n')[0].strip()
