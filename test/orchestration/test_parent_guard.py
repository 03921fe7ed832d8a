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

"""The guard ends a child with its parent, and reports a command that cannot be started."""

import os
import subprocess
import sys

from utt_ros.orchestration.child import GUARD
from utt_ros.orchestration.parent_guard import NOT_FOUND


def guard(parent: int, *command: str) -> 'subprocess.CompletedProcess[str]':
    return subprocess.run(
        [sys.executable, '-I', '-S', str(GUARD), str(parent), '9', *command], capture_output=True,
        text=True, check=False, timeout=30)


def test_command_replaces_the_guard_with_its_interrupt_handler_restored():
    code = 'import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)'
    assert guard(os.getpid(), sys.executable, '-c', code).stdout == 'True\n'


def test_command_that_cannot_be_started_is_named():
    done = guard(os.getpid(), '/nowhere/node')
    assert done.returncode == NOT_FOUND
    assert done.stderr.startswith('cannot start /nowhere/node: ')


def test_guard_whose_parent_is_another_process_ends():
    done = guard(1, sys.executable, '-c', 'print("started")')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'parent process has ended' in done.stderr
