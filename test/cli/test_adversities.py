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

"""Paths that cannot be written, ASCII terminals, closed pipes, Ctrl-C while a program starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from utt_ros.cli.main import COMMANDS, main
from utt_ros.parameter_files import write_parameter_file
from utt_ros.settings import AreaSettings

PREFIX = Path(sys.prefix)
NOWHERE = '/dev/null/x'  # not even root can write there
ASCII = {'LC_ALL': 'C', 'PYTHONIOENCODING': 'ascii', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}
UNWRITABLE = {
    'simulate': ['--out', NOWHERE, '--areas', '1', '--minutes', '0.5'],
    'recover': ['{area}/bag', '--out', NOWHERE],
    'demo': ['--out', NOWHERE],
    'run': ['{area}', '--external', '--state', NOWHERE],
    'run ': ['{area}', '--external', '--record', NOWHERE],
    'run  ': ['{area}', '--external', '--keys', NOWHERE],
    'keys': ['create', 'hall', '--keys', NOWHERE],
    'calibrate': ['ftm', NOWHERE, '--out', NOWHERE],
    'check': [NOWHERE],
}
WAIT_SEC = 60.0


@pytest.fixture
def area(tmp_path: Path, make_bag) -> Path:
    write_parameter_file(tmp_path / 'area.yaml', AreaSettings(area='hall'))
    make_bag(tmp_path / 'bag', '/hall/camera/tracks')
    return tmp_path


@pytest.mark.parametrize('command', UNWRITABLE)
def test_path_that_cannot_be_written_is_named_in_one_line(
    command: str, area: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_LOG_DIR', str(area))
    words = [word.format(area=area) for word in UNWRITABLE[command]]
    assert main([command.strip(), *words]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith(f'utt {command.strip()}: ')
    assert '/dev/null' in line


def test_recording_over_another_one_is_refused_before_anything_starts(
    area: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_LOG_DIR', str(area))
    words = ['--external', '--record', str(area / 'bag'), '--state', str(area / 'state')]
    assert main(['run', str(area), *words]) == 2
    assert 'exists: a recording needs a new folder' in capsys.readouterr().err
    assert not (area / 'state').exists()


@pytest.mark.parametrize('environment', [ASCII, {**ASCII, 'LC_ALL': 'POSIX'}])
def test_every_command_helps_on_an_ascii_terminal(environment: dict[str, str]) -> None:
    code = ('from utt_ros.cli.main import COMMANDS, main\n'
            'for name in COMMANDS:\n'
            '    try: main([name, "--help"])\n'
            '    except SystemExit as end: assert not end.code\n'
            'print("caf" + chr(233), chr(177))')
    done = subprocess.run([sys.executable, '-c', code], env={**os.environ, **environment},
                          capture_output=True, text=True, check=True)
    assert done.stderr == ''
    assert done.stdout.count('usage: utt ') == len(COMMANDS)
    assert done.stdout.endswith('caf? ?\n')


@pytest.mark.parametrize('word', ['sources', '--help', '--version'])
def test_reader_that_ends_early_is_no_error(word: str) -> None:
    code = ('import sys\nfrom utt_ros.cli.main import main\n'
            f'sys.stdin.readline()\nsys.exit(main(["{word}"]))')
    with subprocess.Popen(
            [sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, 'PYTHONUNBUFFERED': ''}) as process:
        process.stdout.close()
        process.stdin.write(b'\n')
        process.stdin.close()
        said = process.stderr.read().decode()
        process.wait(WAIT_SEC)
    assert said == ''


@pytest.mark.parametrize('module', ['utt_ros.errors', 'numpy'])
@pytest.mark.parametrize('program', [
    'bin/utt run', 'bin/utt replay', 'lib/utt_ros/sync', 'lib/utt_ros/recorder',
    'lib/utt_ros/wait_ready', 'lib/utt_ros/trainer'])
def test_interrupt_while_a_program_starts_is_no_traceback(
    program: str, module: str, area: Path, ros_domain: int,
) -> None:
    path, *words = program.split()
    arguments = {'run': [str(area), '--state', str(area / 'state')], 'replay': [str(area / 'bag')]}
    own = {'recorder': [str(area / 'new')], 'wait_ready': ['hall'],
           'trainer': ['--ros-args', '-p', f'state_dir:={area / "state"}', '-p',
                       f'keys:={area / "keys"}'],
           'sync': ['--ros-args', '-p', f'keys:={area / "keys"}']}
    given = arguments[words[0]] if words else own[Path(path).name]
    with subprocess.Popen(
            [PREFIX / path, *words, *given], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, 'PYTHONPROFILEIMPORTTIME': '1'}) as process:
        said, is_interrupted = [], False
        for line in process.stderr:
            is_import = line.startswith('import time:')
            if not is_import:
                said.append(line)
            if not is_interrupted and (not is_import or line.split('|')[-1].strip() == module):
                process.send_signal(signal.SIGINT)
                is_interrupted = True
        assert process.wait(WAIT_SEC) in (0, 1, 2, 130, -signal.SIGINT)
    assert 'Traceback' not in ''.join(said)
