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

"""Shared memory of Fast DDS that killed processes left behind.

A process holds a lock (flock) on `<segment>_el` while it lives, and the kernel releases it when it
ends in any way. So a segment whose lock can be had has no owner [S: Fast DDS,
RobustExclusiveLock; `fastdds shm clean` decides the same way]. Living peers of a killed process
mostly remove its segment; nobody removes that of the last one.
"""

import fcntl
import os
import re
import time
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path('/dev/shm')  # noqa: S108 - where Fast DDS has its segments
LOCK_SUFFIX = '_el'
# Segments of participants. Ports, `fastrtps_port7411`, are small and taken over by successors.
SEGMENT_LOCK = re.compile(r'fast(rtps|dds)_[0-9a-f]{16}_el')
MIN_AGE_SEC = 2.0  # of a lock: a process creates its lock a moment before it holds it


def remove_dead_segments(folder: Path = SHARED_MEMORY) -> int:
    """Remove segments of this user whose owners have ended; return how many.

    One that cannot be judged or removed stays: cleaning up never fails.
    """
    oldest_s = time.time() - MIN_AGE_SEC
    return sum(_remove_if_dead(lock, oldest_s) for lock in segment_locks(folder))


def segment_locks(folder: Path = SHARED_MEMORY) -> list[Path]:
    """Return the lock files of all segments, sorted."""
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if SEGMENT_LOCK.fullmatch(path.name))
    return []


def _remove_if_dead(lock: Path, oldest_s: float) -> bool:
    with suppress(OSError):
        status = lock.lstat()
        if status.st_uid != os.geteuid() or status.st_mtime > oldest_s:
            return False
        descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.with_name(lock.name.removesuffix(LOCK_SUFFIX)).unlink(missing_ok=True)
            lock.unlink()
        finally:
            os.close(descriptor)
        return True
    return False
