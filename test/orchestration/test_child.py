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

"""A child process: lines of its output, its group, its end."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from utt_ros.orchestration.child import MAX_UNFINISHED_BYTES, ChildProcess, child_environment
from utt_ros.orchestration.spec import ProcessSpec


@contextmanager
def child(code: str) -> Iterator[ChildProcess]:
    spec = ProcessSpec('twin', (sys.executable, '-I', '-S', '-c', code))
    process = ChildProcess(spec, os.environ)
    yield process
    process.signal(signal.SIGKILL)
    process.reap()
    process.output.close()


def read(process, wait_until, count):
    lines = []
    wait_until(lambda: lines.extend(process.read_lines() or ()) or len(lines) >= count)
    return lines


def test_complete_lines_are_returned_and_the_rest_at_the_end(wait_until):
    with child('print("one\\ntwo\\nthree", end="", flush=True)') as process:
        assert read(process, wait_until, 3) == [b'one', b'two', b'three']
        assert process.closed
        assert process.read_lines() is None


def test_endless_line_is_cut(wait_until):
    code = (f'print("x" * {2 * MAX_UNFINISHED_BYTES}, end="", flush=True)\n'
            'import signal\nsignal.pause()')
    with child(code) as process:
        assert len(read(process, wait_until, 1)[0]) > MAX_UNFINISHED_BYTES
        assert not process.closed


def test_end_is_noticed_without_reaping_and_the_code_returned(wait_until):
    with child('raise SystemExit(7)') as process:
        wait_until(process.has_ended)
        assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
        assert process.has_ended()
        assert process.reap() == 7


def test_descendants_in_its_group_get_its_signals(wait_until):
    code = ('import subprocess, sys\n'
            'other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])\n'
            'print(other.pid, flush=True)\nother.wait()')
    with child(code) as process:
        descendant = psutil.Process(int(read(process, wait_until, 1)[0]))
        process.signal(signal.SIGKILL)
        wait_until(lambda: not descendant.is_running()
                   or descendant.status() == psutil.STATUS_ZOMBIE)
        assert process.reap() == -signal.SIGKILL


def test_environment_keeps_the_values_of_the_user():
    given = child_environment(colour=False, base={'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'})
    assert given['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'SUBNET'
    assert given['OMP_NUM_THREADS'] == '1'
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' not in given
    closed = child_environment(colour=False, base={})
    assert closed['FASTRTPS_DEFAULT_PROFILES_FILE'].endswith('config/fastdds_localhost.xml')
