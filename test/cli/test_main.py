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

"""`utt` imports one command, and reports errors in one sentence."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import tomllib

from utt_ros.cli import main as utt
from utt_ros.cli.main import COMMANDS, EXTRAS, describe_refusal, main

ROOT = Path(__file__).parents[2]


def test_help_lists_every_command_without_importing_one():
    code = ('import sys\nfrom utt_ros.cli.main import main\ntry: main(["--help"])\n'
            'except SystemExit: pass\n'
            'print([name for name in sys.modules if name.startswith("utt_ros.cli.")])')
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("['utt_ros.cli.main']")
    assert set(COMMANDS) <= set(done.stdout.split())


@pytest.mark.parametrize('command', COMMANDS.values(), ids=COMMANDS)
def test_every_command_has_a_module(command):
    assert find_spec(f'utt_ros.cli.{command.module}')


def test_error_of_the_package_is_printed_in_one_line_and_exits_with_2(capsys, tmp_path):
    assert main(['check', str(tmp_path / 'none.yaml')]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith('utt check: ')
    assert printed.count('\n') == 1


def test_missing_optional_package_is_reported_with_the_command_that_installs_it(
    monkeypatch, capsys,
):
    monkeypatch.setattr(utt, 'find_spec', lambda name: None if name == 'pandas' else object())
    assert main(['evaluate', '--data', 'in', '--out', 'out']) == 2
    assert capsys.readouterr().err == (
        'utt evaluate: pandas not installed: run '
        f'`{sys.executable} -m pip install filterpy pandas jinja2`\n')


def test_help_of_every_command_needs_no_optional_package():
    blocked = sorted({name for packages in EXTRAS.values() for name in packages})
    code = (f'import sys\nsys.modules.update(dict.fromkeys({blocked}))\n'
            'from utt_ros.cli.main import COMMANDS, main\n'
            'for name in COMMANDS:\n'
            '    try: print(name, main([name, "--help"]))\n'
            '    except SystemExit as end: assert not end.code\n')
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stderr == ''
    assert done.stdout.count('usage: utt ') == len(COMMANDS)


def test_optional_packages_are_those_of_the_extras_in_pyproject():
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    for extra, packages in EXTRAS.items():
        wanted = project['optional-dependencies'][extra]
        assert [name.split('>=')[0] for name in wanted] == list(packages)


@pytest.mark.parametrize('command', [name for name, item in COMMANDS.items() if item.nodes])
def test_commands_that_start_nodes_name_a_variable_that_prevents_it(command, monkeypatch, capsys):
    required = {'replay': ['bag'], 'record': ['bag'], 'run': [], 'demo': []}[command]
    monkeypatch.setenv('ROS_DOMAIN_ID', 'robot')
    assert main([command, *required]) == 2
    assert capsys.readouterr().err == (
        f"utt {command}: ROS_DOMAIN_ID is 'robot': it must be an integer in 0..232\n")


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match='0'):
        main(['--version'])
    version = ET.parse(ROOT / 'package.xml').findtext('version')
    assert capsys.readouterr().out == f'utt_ros {version}\n'


@pytest.mark.parametrize(('error', 'text'), [
    (PermissionError(13, 'Permission denied', '/srv/x'), '/srv/x: Permission denied'),
    (OSError(28, 'No space left on device'), 'No space left on device'),
    (OSError('odd'), 'odd')])
def test_refusal_of_the_system_has_path_and_reason(error, text):
    assert describe_refusal(error) == text
