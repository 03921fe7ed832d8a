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
"""Pages of the reference, as they are printed from the package."""

import argparse
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from utt_ros.cli.main import COMMANDS, command_parser

pytestmark = pytest.mark.slow  # every command is imported

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='module')
def printer() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        'reference_pages', ROOT / 'tools/reference_pages.py')
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def site(printer: ModuleType) -> dict[str, str]:
    """Fill in the pages of the reference."""
    paths = [*(ROOT / 'docs/reference').glob('*.md'), ROOT / 'docs/api.md']
    return {path.stem: printer.on_page_markdown(path.read_text(encoding='utf-8'))
            for path in paths}


def test_every_text_is_printed_on_a_page(printer: ModuleType) -> None:
    pages = ''.join(path.read_text() for path in (ROOT / 'docs').rglob('*.md'))
    assert sorted(printer.MARK.findall(pages)) == sorted(printer.PRINTED)


def test_no_mark_is_left_and_no_path_of_this_machine_told(site: dict[str, str]) -> None:
    text = ''.join(site.values())
    assert '<!--' not in text
    assert str(Path.home()) not in text
    assert str(ROOT) not in text


def test_commands_have_a_section_with_each_of_their_options(
    site: dict[str, str], printer: ModuleType,
) -> None:
    sections = dict(re.findall(
        r'^## (utt.*?)\n(.*?)(?=^## |\Z)', site['cli'], re.MULTILINE | re.DOTALL))
    assert {f'utt {name}' for name in COMMANDS} <= set(sections)
    for parser in printer.all_parsers(command_parser(COMMANDS)):
        for action in parser._actions:
            if action.help != argparse.SUPPRESS:
                assert all(option in sections[parser.prog] for option in action.option_strings)
                assert action.dest == 'help' or action.help is None or (
                    action.help.split()[0] in sections[parser.prog])


def test_parameter_files_are_printed_whole_by_node(site: dict[str, str]) -> None:
    blocks = re.findall(r'```yaml\n(.*?)```', site['parameters'], re.DOTALL)
    printed = [yaml.safe_load(block) for block in blocks]
    area, aggregator = (yaml.safe_load((ROOT / f'config/{name}.yaml').read_text())
                        for name in ('area', 'aggregator'))
    assert {name: values for block in printed[:-1] for name, values in block.items()} == area
    assert printed[-1] == aggregator
    assert '## Node `trainer`' in site['parameters']


def test_every_message_and_stable_name_has_its_definition(site: dict[str, str]) -> None:
    for path in [*ROOT.glob('msg/*.msg'), *ROOT.glob('srv/*.srv'), *ROOT.glob('action/*.action')]:
        assert f'### {path.stem}\n\n```text\n{path.read_text().rstrip()}' in site['messages']
    assert '::: utt_ros.settings.AreaSettings' in site['api']


def test_types_of_the_topic_table_exist(site: dict[str, str]) -> None:
    named = set(re.findall(r'utt_ros/(\w+)', site['topics']))
    assert named <= {path.stem for path in ROOT.glob('msg/*.msg')}
    assert {'Tracks', 'People'} <= named
