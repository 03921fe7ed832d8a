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

"""Counter keys of the drivers against the table of docs/sources/diagnostics.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from utt_ros.orchestration.ros_environment import CHECKOUT

PARSERS = {'android_json.py', 'serial_format.py', 'assembler.py', 'readings.py'}  # return keys
KEY = re.compile(r'[a-z][a-z_]*')
DRIVERS = CHECKOUT / 'utt_ros' / 'drivers'


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts that an expression can be; that of an f-string is its beginning and '*'."""
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        yield f'{first.value}*' if isinstance(first, ast.Constant) else ''
    elif isinstance(node, ast.IfExp):
        yield from (text for part in (node.body, node.orelse) for text in texts(part))
    elif isinstance(node, ast.BoolOp):
        yield from (text for part in node.values for text in texts(part))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def keys(path: Path) -> Iterator[str]:
    """Yield counter keys: subscripts of counters, arguments of refusals, returned keys."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and re.search(
                r'(counters|refused)$', ast.unparse(node.value)):
            yield from texts(node.slice)
        elif isinstance(node, ast.Call) and re.search(
                r'(refuse|IwFailure)$', ast.unparse(node.func)):
            yield from (text for argument in node.args[:2] for text in texts(argument))
        elif isinstance(node, ast.Return) and path.name in PARSERS and node.value is not None:
            yield from texts(node.value)


def test_every_counted_key_has_a_meaning_and_every_meaning_is_counted() -> None:
    sources = [*DRIVERS.rglob('*.py'), CHECKOUT / 'utt_ros/bridge/node/camera_topics.py']
    counted = {key for path in sources for key in keys(path)}
    counted = {key for key in counted if KEY.fullmatch(key.rstrip('*'))}
    document = (CHECKOUT / 'docs' / 'sources' / 'diagnostics.md').read_text()
    table = document.split('Other values of a status')[0]
    rows = [line.split('|')[1] for line in table.splitlines() if line.startswith('| `')]
    described = {key for row in rows for key in re.findall(r'`([a-z_*]+)`', row)}
    assert counted == described
