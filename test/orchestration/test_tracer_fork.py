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

"""A fork beside the threads of LTTng's tracer, which rclpy loads."""

import subprocess
import sys

import pytest

CODE = """
import os, sys
from pathlib import Path
import rclpy
from utt_ros.orchestration.tracer_fork import LIBRARY, TracerFork

def threads():
    return len(os.listdir('/proc/self/task'))

if not LIBRARY.search(Path('/proc/self/maps').read_text()):
    sys.exit(77)
before = threads()
tracer = TracerFork()
child = os.fork()
if not child:
    tracer.in_child()
    sys.exit(threads())
tracer.in_parent()
after = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(before != after or threads() != before)
"""
NOT_LOADED = 77


def test_child_of_a_fork_has_threads_of_its_own_and_ends_well() -> None:
    done = subprocess.run([sys.executable, '-c', CODE], timeout=60, check=False)
    if done.returncode == NOT_LOADED:
        pytest.skip('this rclpy does not load LTTng')
    assert done.returncode == 0


def test_process_without_the_tracer_forks_as_well() -> None:
    code = CODE.replace('import rclpy', '').replace('sys.exit(77)', 'pass')
    assert subprocess.run([sys.executable, '-c', code], timeout=60, check=False).returncode == 0
