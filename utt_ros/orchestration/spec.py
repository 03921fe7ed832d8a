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

"""Specifications of a node of the graph and of the process that runs it."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from utt_ros.errors import SettingsError

PACKAGE_NAME = 'utt_ros'
UTT_PROGRAM = (  # the command line, where it is not on PATH either
    sys.executable, '-c', 'import sys; from utt_ros.cli.main import main; sys.exit(main())')
BESIDE_FLAG = '--beside'  # of drivers: ROS arguments of another node of the process, in JSON
NODE_PROGRAM = (sys.executable, '-m', f'{PACKAGE_NAME}.orchestration.node')
Scalar = bool | int | float | str
ParameterValue = Scalar | Sequence[Scalar]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node, to be translated by `launch` and `utt run`."""

    name: str
    executable: str
    namespace: str = '/'
    package: str = PACKAGE_NAME
    parameters: dict[str, ParameterValue] = field(default_factory=dict)  # override the files
    parameter_files: tuple[Path, ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    ros_arguments: tuple[str, ...] = ()
    respawn: bool = False  # restart after its end
    essential: bool = False  # its final end ends its unit, or the run
    after: str = ''  # label of the node whose end starts this one
    area: str = ''  # unit that fails alone, which may be the label; empty: it ends the run
    beside: tuple['NodeSpec', ...] = ()  # nodes of other areas in its process

    @property
    def unit(self) -> str:
        """Name of the nodes that are stopped together when one of them keeps failing."""
        return self.area or self.label

    @property
    def label(self) -> str:
        """Unique name within the graph, such as 'area/sync'."""
        return f'{self.namespace}/{self.name}'.strip('/')


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process; `respawn`, `essential`, `after` and `area` as in NodeSpec."""

    name: str
    command: tuple[str, ...]
    respawn: bool = False
    essential: bool = False
    after: str = ''
    area: str = ''

    @property
    def unit(self) -> str:
        """Name of the processes that are stopped together when one of them keeps failing."""
        return self.area or self.name


def process_spec(node: NodeSpec) -> ProcessSpec:
    """Convert a node to the command that starts it.

    Raises SettingsError when its executable is not installed.
    """
    arguments = (*own_arguments(node), *ros_words(node), *node.ros_arguments,
                 *enclave_arguments(node))
    command = (*_program(node), *arguments)
    return ProcessSpec(
        node.label, command, node.respawn, node.essential, node.after, node.area)


def own_arguments(node: NodeSpec) -> tuple[str, ...]:
    """Return the arguments of a node that are not those of ROS."""
    beside = (word for other in node.beside
              for word in (BESIDE_FLAG, json.dumps(ros_words(other))))
    return (*node.arguments, *beside)


def ros_words(node: NodeSpec) -> list[str]:
    """Return the arguments of ROS that name a node and its parameters."""
    words = ['--ros-args', '-r', f'__node:={node.name}', '-r', f'__ns:={node.namespace}']
    for old, new in node.remappings:
        words += ['-r', f'{old}:={new}']
    for path in node.parameter_files:
        words += ['--params-file', str(path)]
    for name, value in node.parameters.items():
        words += ['-p', f'{name}:={json.dumps(value)}']
    return words


def enclave_arguments(node: NodeSpec) -> tuple[str, ...]:
    """Return the arguments that select a node's enclave, where SROS 2 is switched on."""
    secured = os.environ.get('ROS_SECURITY_ENABLE', '').lower() == 'true'
    return ('--enclave', f'/{node.label}') if secured else ()


def find_ros_executable(package: str, executable: str) -> Path | None:
    """Find an executable of a ROS package like `ros2 run`, or on PATH."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    for prefix in filter(None, prefixes):
        path = Path(prefix, 'lib', package, executable)
        if os.access(path, os.X_OK) and path.is_file():
            return path
    path_name = shutil.which(executable)
    return Path(path_name) if path_name else None


def _program(node: NodeSpec) -> tuple[str, ...]:
    if node.package == PACKAGE_NAME:
        return (*NODE_PROGRAM, node.executable)
    path = find_ros_executable(node.package, node.executable)
    if path is None:
        raise SettingsError(f'{node.package}/{node.executable} is not installed')
    return (str(path),)
