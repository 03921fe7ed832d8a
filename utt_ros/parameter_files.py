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

"""ROS 2 parameter files: blocks of parameters by pattern of node names."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from utt_ros.errors import DocumentError, SettingsError
from utt_ros.files import read_limited
from utt_ros.parameter_yaml import MAX_PARAMETER_FILE_BYTES, dump_yaml, load_yaml
from utt_ros.settings import to_mapping

EVERY_NODE = '/**'  # block of a ROS 2 parameter file
AREA_FILE = 'area.yaml'  # of a folder with the recordings of one area


def read_parameter_blocks(path: Path) -> dict[str, dict[str, Any]]:
    """Read the blocks of a ROS 2 parameter file: parameters by pattern of node names.

    Raises SettingsError when the file cannot be read or has another form.
    """
    return {str(name): _parameters(path, name, content)
            for name, content in _read_document(path).items()}


def read_parameter_file(path: Path) -> dict[str, Any]:
    """Read the parameters of every node, those of the block '/**', from a ROS 2 parameter file.

    Other blocks, those of single nodes, may have any form. Raises SettingsError when the file
    cannot be read or has no such block.
    """
    document = _read_document(path)
    if EVERY_NODE not in document:
        raise SettingsError(f'{path}: expected a block "{EVERY_NODE}:" with "ros__parameters:"')
    return _parameters(path, EVERY_NODE, document[EVERY_NODE])


def _read_document(path: Path) -> dict[object, object]:
    try:
        document = load_yaml(read_limited(path, MAX_PARAMETER_FILE_BYTES))
    except (OSError, DocumentError) as err:
        raise SettingsError(f'{path}: {err}') from err
    if not isinstance(document, dict):
        raise SettingsError(f'{path}: expected blocks such as "{EVERY_NODE}:"')
    return document


def _parameters(path: Path, name: object, block: object) -> dict[str, Any]:
    parameters = block.get('ros__parameters') if isinstance(block, dict) else None
    if not isinstance(parameters, dict):
        raise SettingsError(f'{path}: expected "ros__parameters:" in the block {name!r:.80}')
    return parameters


def read_node_parameters(paths: Iterable[Path], node: str) -> dict[str, Any]:
    """Read the parameters of the node of that full name, as rcl does, from ROS 2 parameter files.

    All blocks that match the name count and later ones take precedence. Nested names are joined
    with dots. Raises SettingsError when a file cannot be read or has another form.
    """
    parameters: dict[str, Any] = {}
    for path in paths:
        for block, values in read_parameter_blocks(path).items():
            if _node_pattern(block).fullmatch(node):
                parameters |= flatten_parameters(values)
    return parameters


def _node_pattern(block: str) -> re.Pattern[str]:
    """Compile a block's name: ** matches any number of parts of a node's full name, * one."""
    return re.compile(re.escape(block).replace(r'/\*\*', '(/.*)?').replace(r'\*', '[^/]+'))


def flatten_parameters(values: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Join nested names with dots, as rcl does."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        full = f'{prefix}{name}'
        flat |= flatten_parameters(value, f'{full}.') if isinstance(value, dict) else {full: value}
    return flat


def write_parameter_file(
    path: Path, settings: Any, of_nodes: Mapping[str, Mapping[str, Any]] | None = None,
    comment: str = '',
) -> None:
    """Write settings as a ROS 2 parameter file for every node, and those of single nodes.

    `of_nodes`: parameters by pattern of node names; `comment`: a line above these.
    """
    blocks = {EVERY_NODE: to_mapping(settings), **(of_nodes or {})}
    texts = [dump_yaml({name: {'ros__parameters': dict(values)}})
             for name, values in blocks.items()]
    if comment and of_nodes:
        texts.insert(1, f'# {comment}\n')
    path.write_text(''.join(texts), encoding='utf-8')
