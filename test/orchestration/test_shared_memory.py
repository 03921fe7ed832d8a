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

"""Shared memory of killed processes: removed, and nothing else."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.orchestration.discovery import closed_environment
from utt_ros.orchestration.shared_memory import (
    MIN_AGE_SEC,
    SHARED_MEMORY,
    remove_dead_segments,
    segment_locks,
)

SEGMENT = 'fastrtps_0123456789abcdef'
OLD_NS = 10**18
NODE = """
import rclpy, sys
rclpy.init()
node = rclpy.create_node('alone')
print('ready', flush=True)
sys.stdin.read()
"""


def make(folder: Path, name: str = SEGMENT, stamp_ns: int = OLD_NS) -> Path:
    """Write a segment and its lock; return the lock."""
    (folder / name).write_bytes(b'17 MB')
    lock = folder / f'{name}_el'
    lock.touch()
    os.utime(lock, ns=(stamp_ns, stamp_ns))
    return lock


def test_a_segment_without_owner_is_removed_with_its_lock(tmp_path: Path) -> None:
    make(tmp_path)
    assert remove_dead_segments(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []
    assert remove_dead_segments(tmp_path) == 0


def test_a_segment_of_a_living_owner_stays(tmp_path: Path) -> None:
    lock = make(tmp_path)
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert remove_dead_segments(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 2
    assert remove_dead_segments(tmp_path) == 1


def test_a_lock_that_its_owner_may_be_about_to_take_stays(tmp_path: Path) -> None:
    lock = make(tmp_path)
    os.utime(lock)
    assert remove_dead_segments(tmp_path) == 0
    assert MIN_AGE_SEC >= 1.0


@pytest.mark.parametrize('name', [
    'fastrtps_port7411', 'sem.fastrtps_port7411_mutex', 'fastrtps_0123', 'other_0123456789abcdef',
    'fastrtps_0123456789abcdeg', 'xfastrtps_0123456789abcdef'])
def test_files_that_are_no_segments_stay(tmp_path: Path, name: str) -> None:
    make(tmp_path, name)
    assert remove_dead_segments(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_removed_is_left_and_no_error(tmp_path: Path) -> None:
    target = make(tmp_path, 'target')
    (tmp_path / f'{SEGMENT}_el').symlink_to(target)
    (tmp_path / 'fastrtps_1123456789abcdef_el').mkdir()
    (tmp_path / 'fastrtps_2123456789abcdef_el').touch()
    assert remove_dead_segments(tmp_path) == 0
    assert target.exists()
    assert remove_dead_segments(tmp_path / 'missing') == 0


def test_segment_of_a_killed_node_is_removed_and_that_of_another_one_is_not(
    ros_domain: int, wait_until: Callable[..., None],
) -> None:
    environment = {**os.environ, **closed_environment()}
    nodes = [subprocess.Popen([sys.executable, '-c', NODE], env=environment,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        assert [node.stdout.readline() for node in nodes] == [b'ready\n'] * 2
        killed, living = (lock_of(node.pid) for node in nodes)
        nodes[0].kill()
        nodes[0].wait()

        def removed() -> bool:
            remove_dead_segments()
            return not killed.exists()

        wait_until(removed, timeout_sec=MIN_AGE_SEC + 10.0)
        assert not killed.with_name(killed.name.removesuffix('_el')).exists()
        assert living.exists()
    finally:
        for node in nodes:
            node.kill()
            node.communicate()


def lock_of(pid: int) -> Path:
    held = {Path(link).resolve() for link in Path(f'/proc/{pid}/fd').iterdir()}
    (lock,) = held & set(segment_locks())
    return lock


def test_shared_memory_is_where_the_middleware_has_it() -> None:
    assert SHARED_MEMORY.is_dir()
