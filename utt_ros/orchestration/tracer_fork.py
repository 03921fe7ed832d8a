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

"""Forks of a process that has loaded LTTng's user space tracer, as rclpy has.

The tracer runs two threads, which a fork does not copy, and cancels them at the end of the
process: unaware of the fork it would cancel others. Its own functions around a fork, which tools
preload as liblttng-ust-fork, end that: a child begins with threads of its own.
"""

import ctypes
import re
from pathlib import Path

LIBRARY = re.compile(r'/\S*/liblttng-ust(?:-[0-9a-f]+)?\.so\S*$', re.MULTILINE)
MAX_SIGNAL_SET_BYTES = 128  # of sigset_t


class TracerFork:
    """One fork: create it before, call `in_parent` or `in_child` after."""

    def __init__(self) -> None:
        loaded = LIBRARY.search(Path('/proc/self/maps').read_text(encoding='utf-8'))
        self._library = ctypes.CDLL(loaded.group()) if loaded else None
        self._signals = ctypes.create_string_buffer(MAX_SIGNAL_SET_BYTES)
        self._call('before_fork')

    def in_parent(self) -> None:
        """Let the tracer go on; where the fork failed as well."""
        self._call('after_fork_parent')

    def in_child(self) -> None:
        """Start the tracer."""
        self._call('after_fork_child')

    def _call(self, name: str) -> None:
        """Call a function of the tracer; its name depends on the release."""
        for full in (f'ust_{name}', f'lttng_ust_{name}'):
            function = getattr(self._library, full, None)
            if function is not None:
                function(self._signals)
                return
