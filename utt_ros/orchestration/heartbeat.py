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
"""Heartbeats of a node's executor, in memory that it shares with its supervisor.

The supervisor owns the memory and passes its path in the environment, so nothing is left behind
whoever is killed. A node counts up while its executor takes turns; other threads do not count.
"""

import mmap
import os
import struct
from time import monotonic

HEARTBEAT_VARIABLE = 'UTT_HEARTBEAT'
BEAT_SEC = 1.0
HANG_SEC = 15.0  # silence that is a hang, by default
START_SEC = 300.0  # from the first beat, before a node is constructed, to that of its executor
MAX_GAP_SEC = 1.0  # of one look at a heartbeat: a paused supervisor must not blame its nodes
_COUNT = struct.Struct('Q')


class HeartbeatMonitor:
    """Silence of one process, in the time of its supervisor."""

    def __init__(self, limit_sec: float) -> None:
        """`limit_sec`: longest time between two beats; 0 for none.

        A process that never beats, such as a program of another package, is not judged.
        """
        self._limit_sec = limit_sec
        self._file = os.fdopen(os.memfd_create('heartbeat'), 'r+b', buffering=0)
        self._file.truncate(_COUNT.size)
        self._count = 0
        self._silent_sec = 0.0
        self._seen_s: float | None = None

    @property
    def path(self) -> str:
        """Path of the shared memory, for processes of the same user while this one lives."""
        return f'/proc/{os.getpid()}/fd/{self._file.fileno()}'

    def count(self) -> int:
        """Return the number of beats."""
        (count,) = _COUNT.unpack(os.pread(self._file.fileno(), _COUNT.size, 0))
        return int(count)

    def is_hung(self, now_s: float) -> bool:
        """Check the heartbeat; call it at least every MAX_GAP_SEC."""
        count = self.count()
        gap_sec = 0.0 if self._seen_s is None else now_s - self._seen_s
        self._silent_sec = (
            0.0 if count != self._count else self._silent_sec + min(gap_sec, MAX_GAP_SEC))
        self._count, self._seen_s = count, now_s
        limit_sec = max(START_SEC, self._limit_sec) if count == 1 else self._limit_sec
        return count > 0 and self._limit_sec > 0.0 and self._silent_sec > limit_sec

    def close(self) -> None:
        """Release the memory."""
        self._file.close()


class Heartbeat:
    """Heartbeat of this process, when its supervisor monitors one."""

    def __init__(self, path: str | None = None) -> None:
        """`path`: of the shared memory; default: that of the environment.

        Memory that cannot be opened is done without. The variable is removed, since child
        processes have no executor.
        """
        inherited = os.environ.pop(HEARTBEAT_VARIABLE, '')
        self._memory = _map(path or inherited)
        self._count = 0
        self._due_s = 0.0

    def beat(self) -> None:
        """Count up, at most once in BEAT_SEC."""
        now_s = monotonic()
        if now_s >= self._due_s:
            self._due_s = now_s + BEAT_SEC
            self._count += 1
            _COUNT.pack_into(self._memory, 0, self._count)


def _map(path: str) -> mmap.mmap:
    """Map the memory at a path; private memory where there is none."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return mmap.mmap(-1, _COUNT.size)
    try:
        return mmap.mmap(descriptor, _COUNT.size)
    finally:
        os.close(descriptor)
