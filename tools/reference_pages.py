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
"""Hook of MkDocs: prints commands, parameters, messages and Python names from the package.

A line `<!-- printed: commands -->` of a page is replaced by the result of the function `commands`.
"""

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import utt_ros
from utt_ros.cli.main import COMMANDS, command_parser

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r'^<!-- printed: (\w+) -->$', re.MULTILINE)
BLOCK = re.compile(r'^/\*\*(?:/(\w+))?:', re.MULTILINE)
COLUMNS = '100'  # of help texts


def commands() -> str:
    """Return the help of every command and of its verbs."""
    with mock.patch.dict(os.environ, {'COLUMNS': COLUMNS}):
        return '\n'.join(section('##', parser.prog, 'text', parser.format_help())
                         for parser in all_parsers(command_parser(COMMANDS)))


def all_parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of its commands, at every depth; each once."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in dict.fromkeys(action.choices.values()):
                yield from all_parsers(child)


def parameters() -> str:
    """Return the parameter files, a section for the block of each node."""
    return '\n'.join([*parameter_sections('area'), *parameter_sections('aggregator')])


def parameter_sections(name: str) -> Iterator[str]:
    """Yield a section per block of a parameter file."""
    text = (ROOT / f'config/{name}.yaml').read_text(encoding='utf-8')
    blocks = list(BLOCK.finditer(text))
    ends = [*(block.start() for block in blocks[1:]), len(text)]
    for block, end in zip(blocks, ends, strict=True):
        title = f'Node `{block[1]}`' if block[1] else f'Every node of config/{name}.yaml'
        yield section('##', title, 'yaml', text[block.start():end])


def messages() -> str:
    """Return the definitions of messages, services and actions."""
    parts = []
    for kind, title in (('msg', 'Messages'), ('srv', 'Services'), ('action', 'Actions')):
        parts.append(f'## {title}\n')
        parts += [section('###', path.stem, 'text', path.read_text(encoding='utf-8'))
                  for path in sorted((ROOT / kind).glob(f'*.{kind}'))]
    return '\n'.join(parts)


def names() -> str:
    """Return a directive of mkdocstrings for each stable name of the package."""
    return '\n'.join(f'::: {module_of(name)}.{name}' for name in utt_ros.__all__)


def module_of(name: str) -> str:
    """Return the module that defines a stable name."""
    return f'utt_ros.{utt_ros._MODULES[name]}'


def section(level: str, title: str, language: str, text: str) -> str:
    return f'{level} {title}\n\n```{language}\n{text.rstrip()}\n```\n'


def camera_source() -> str:
    """Return the example of a camera source, without its license."""
    text = (ROOT / 'examples/own_camera_source.py').read_text(encoding='utf-8')
    _, _, script = text.partition('\n\n')
    return f'```python\n{script.rstrip()}\n```'


PRINTED = {
    'commands': commands, 'parameters': parameters, 'messages': messages, 'names': names,
    'camera_source': camera_source}


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill the marks of a page in."""
    return MARK.sub(lambda mark: PRINTED[mark[1]](), markdown)
