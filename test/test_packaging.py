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
"""Unit of systemd and files of the container, compared with the commands that they start."""

import configparser
import re
import shlex
from argparse import Namespace
from pathlib import Path

import yaml

from utt_ros.cli.main import COMMANDS, command_parser

PACKAGING = Path(__file__).resolve().parents[1] / 'packaging'
ROOT = PACKAGING.parent


def parsed(words: list[str]) -> Namespace:
    return command_parser([words[0]]).parse_args(words)


def test_the_unit_runs_one_area_as_a_user_of_its_own() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(PACKAGING / 'systemd/utt@.service', encoding='utf-8')
    program, *words = shlex.split(unit['Service']['ExecStart'])
    args = parsed([word for word in words if word != '$UTT_OPTIONS'])
    assert (Path(program).name, args.command, args.areas) == (
        'utt', 'run', [Path('/etc/utt_ros/%i.yaml')])
    assert unit['Service']['User'] == 'utt'
    state = Path('/var/lib') / unit['Service']['StateDirectory']
    assert args.state.parent == state


def test_commands_of_the_compose_file_are_those_of_utt() -> None:
    services = yaml.safe_load((PACKAGING / 'docker/compose.yaml').read_text())['services']
    assert parsed(services['area']['command']).areas == [Path('/etc/utt_ros/${AREA:-hall}.yaml')]
    assert services['demo']['command'] == ['demo']
    assert 'demo' in COMMANDS
    context = (PACKAGING / 'docker' / services['area']['build']['context']).resolve()
    assert context == ROOT
    assert (context / services['area']['build']['dockerfile']).is_file()


def test_files_that_the_image_copies_exist() -> None:
    text = (PACKAGING / 'docker/Dockerfile').read_text(encoding='utf-8')
    copied = re.findall(r'^COPY (\S+) ', text, re.MULTILINE)
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    inside = re.findall(r'src/utt_ros/(packaging/\S+)', text)
    assert inside
    assert all((ROOT / name).is_file() for name in inside)
