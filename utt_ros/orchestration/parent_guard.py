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

"""First program of a child process: bind its life to its parent's, then execute the command.

It is a script of its own (`python -I -S parent_guard.py PARENT SIGNAL COMMAND...`), because the
same calls between fork and exec may deadlock in a process with threads (torch, DDS).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
NOT_FOUND = 127  # as a shell returns


def main() -> None:
    """Replace this process by COMMAND, which gets SIGNAL when PARENT dies."""
    parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    end_with_parent(parent, number)
    # A shell without job control starts background jobs with SIGINT ignored; that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as err:
        sys.stderr.write(f'cannot start {command[0]}: {err.strerror}\n')
        sys.exit(NOT_FOUND)


def end_with_parent(parent: int, number: int) -> None:
    """Get a signal when the parent ends, or exit now if it has ended or is another process."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit('the parent process has ended')


if __name__ == '__main__':
    main()
