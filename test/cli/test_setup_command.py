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

"""`utt setup` in a terminal, with a simulated camera and phones, to a file that checks out."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from utt_ros.cli.main import main
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.orchestration.ros_environment import CHECKOUT

PEERS = Path(__file__).parents[1] / 'drivers' / 'peers'
CAPTURE = CHECKOUT / 'docs/sources/captures/two_people.mp4'
WAIT_SEC = 50.0
Wait = Callable[..., None]


@pytest.fixture
def start_peer() -> Iterator[Callable[..., Any]]:
    with ExitStack() as stack:
        def start(script: str, *words: object) -> Any:
            process = subprocess.Popen(
                [sys.executable, str(PEERS / script), *map(str, words)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True)
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process
        yield start


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(('', 0))
        return int(probe.getsockname()[1])


def test_answers_become_an_area_file_that_checks_out(
    tmp_path: Path, terminal: Callable[..., Any], start_peer: Callable[..., Any],
    wait_until: Wait, capsys: pytest.CaptureFixture[str],
) -> None:
    motion, ranges = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    start_peer('imu_apps.py', 'sensor_logger', '127.0.0.1', motion)
    start_peer('android_phone.py', 'udp', ranges, 'one', 5_000_000, 20)
    shown = terminal('setup', 'hall', '--listen', 5)

    def answer(question: str, words: object) -> None:
        wait_until(lambda: re.search(rf'{question}[^\n]*: $', shown.text), WAIT_SEC)
        shown.press(f'{words}\n')

    answer('camera: a device', CAPTURE)
    answer('field of view', 100)
    answer('motion of phones, sent by', 'sensor_logger')
    answer('port', motion)
    wait_until(lambda: f':{motion}/data' in shown.text, WAIT_SEC)
    answer('ranges of phones, sent by', 'android_udp')
    answer('port', ranges)
    answer('listen for 5 s', 'y')
    answer('height and pitch of the camera, from', 'numbers')
    answer('height of the camera above', 2.4)
    answer('looks below the horizon', 10)
    answer('compass bearing', 90)
    answer('access point in the area', '')
    assert shown.process.wait(WAIT_SEC) == 0, shown.text
    assert 'hall/area.yaml is written; next: utt run hall/area.yaml' in shown.text
    area = read_area_plan(tmp_path / 'hall/area.yaml')
    assert area.drivers == ('camera', 'ftm', 'imu')
    assert (area.settings.camera_height, area.settings.magnetic_yaw, area.assumed) == (2.4, 0, ())
    start_peer('imu_apps.py', 'sensor_logger', '127.0.0.1', motion)  # the first one hung up
    assert main(['check', str(tmp_path / 'hall/area.yaml'), '--seconds', '5']) == 0
    assert 'nothing from' not in capsys.readouterr().out


@pytest.mark.parametrize(('words', 'complaint'), [
    (['ha-ll'], "area is 'ha-ll': a letter, then"), (['hall', '--listen', '0'], '--listen is 0')])
def test_what_no_area_can_be_is_refused(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['setup', *words]) == 2
    assert complaint in capsys.readouterr().err


def test_an_existing_file_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'area.yaml').write_text('mine')
    assert main(['setup', 'hall', '--out', str(tmp_path / 'area.yaml')]) == 2
    assert 'exists: give another file with --out' in capsys.readouterr().err
    assert (tmp_path / 'area.yaml').read_text() == 'mine'
