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

"""A forked process: its exit code, once and again."""

import os
import signal
import sys

import pytest

from utt_ros.twin.forked_process import ForkedProcess

ENDINGS = {'raise SystemExit(3)': 3, 'import os; os.kill(os.getpid(), 9)': -signal.SIGKILL}


def start(code: str) -> ForkedProcess:
    command = [sys.executable, '-I', '-S', '-c', code]
    return ForkedProcess(os.posix_spawn(command[0], command, {}))


@pytest.mark.parametrize('code', ENDINGS)
def test_exit_code_is_kept(code: str) -> None:
    process = start(code)
    assert process.wait() == process.wait() == process.poll() == ENDINGS[code]


def test_process_that_runs_has_no_exit_code_until_it_is_killed() -> None:
    process = start('import signal; signal.pause()')
    assert process.poll() is None
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.kill()  # another process may have its id by now: that gets no signal
