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

"""Command line of a process, as `ps` shows it, written by the process itself."""

import ctypes
import sys
from pathlib import Path

PROGRAM = ctypes.create_string_buffer(sys.executable.encode())  # for as long as the process lives
ARG_START, ARG_END = 48, 49  # fields of /proc/self/stat, counted from 1 [S: proc(5)]
FIRST_FIELD = 3  # after the name of the program, which may contain spaces


def set_process_title(title: str) -> None:
    """Write over the arguments of this process; what they have no room for is cut off.

    ROS names log files after the program, whose name in the C library pointed to the arguments.
    A last byte that is not 0 makes the kernel read up to the first 0 [S: fs/proc/base.c].
    """
    stat = Path('/proc/self/stat').read_text(encoding='utf-8').rpartition(') ')[2].split()
    begin, end = (int(stat[field - FIRST_FIELD]) for field in (ARG_START, ARG_END))
    text = title.encode()[:end - begin - 2]
    ctypes.memmove(begin, text.ljust(end - begin - 1, b'\0') + b' ', end - begin)
    name = ctypes.c_void_p.in_dll(ctypes.CDLL(None), 'program_invocation_name')
    name.value = ctypes.addressof(PROGRAM)
