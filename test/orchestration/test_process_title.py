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

"""The command line of a process, which it writes itself."""

import subprocess
import sys

import psutil
import pytest

CODE = """
import sys
from utt_ros.orchestration.process_title import set_process_title
set_process_title(sys.argv[1])
print('ready', flush=True)
sys.stdin.read()
"""


def seen_title(command: list[str]) -> str:
    """Run a program that sets its title; return the command line that others see."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'ready\n'
        seen = ' '.join(psutil.Process(process.pid).cmdline())
        process.communicate(timeout=30)
    assert process.returncode == 0
    return seen


@pytest.mark.parametrize('title', ['node sync -p area:=hall', 'näher', 'x' * 3000])
def test_title_is_what_others_see_as_far_as_there_is_room(title: str) -> None:
    assert seen_title([sys.executable, '-c', CODE, title, ' ' * 100]) == title


def test_longer_title_than_the_arguments_is_cut() -> None:
    code = CODE.replace('sys.argv[1]', "'y' * 10000")
    command = [sys.executable, '-c', code]
    seen = seen_title(command)
    assert set(seen) == {'y'}
    assert len(seen) == len('\0'.join([*command, ''])) - 2


def test_program_keeps_its_name_in_the_c_library_after_which_log_files_are_named() -> None:
    code = """
import ctypes, sys
from utt_ros.orchestration.process_title import set_process_title
set_process_title('node sync --params-file /tmp/hall.yaml -p area:=hall')
print(ctypes.c_char_p.in_dll(ctypes.CDLL(None), 'program_invocation_name').value.decode())
"""
    said = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, check=True, text=True).stdout
    assert said == f'{sys.executable}\n'
