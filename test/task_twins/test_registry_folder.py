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

"""Folder of task twins: damage, remains of a killed process and missing files."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from utt_ros.documents import MAX_DOCUMENT_BYTES
from utt_ros.errors import TwinError
from utt_ros.task_twins import registry_folder
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import TaskTwin

TRANSFER = TaskTwin('', 'hall', 'trajectory', ('ftm',), operation='transfer')


def open_registry(folder: Path, area: str = 'hall') -> TwinRegistry:
    return TwinRegistry(folder, area, ('ftm',), lambda: 1)


def write(path: Path) -> None:
    path.write_bytes(b'weights')
    path.with_suffix('.json').write_bytes(b'{}')


def damage_content(folder: Path) -> None:
    path = folder / 'registry.json'
    path.write_bytes(path.read_bytes()[:-40])


def test_a_damaged_registry_is_kept_aside_with_its_models(tmp_path: Path) -> None:
    folder = tmp_path / 'twins'
    open_registry(folder).register(TRANSFER, write)
    damage_content(folder)
    registry = open_registry(folder)
    assert [twin.id for twin in registry.twins] == ['hall_position']
    assert 'cannot be read as a registry of task twins' in registry.problem
    assert f'it is kept in {folder}.damaged-1, and hall begins with its' in registry.problem
    assert (tmp_path / 'twins.damaged-1/hall_trajectory_2.safetensors').exists()
    assert open_registry(folder).problem == ''


def test_ids_of_a_damaged_registry_are_not_given_again(tmp_path: Path) -> None:
    folder = tmp_path / 'twins'
    for expected in ('hall_trajectory_2', 'hall_trajectory_3', 'hall_trajectory_4'):
        assert open_registry(folder).register(TRANSFER).id == expected
        damage_content(folder)
        open_registry(folder)
    assert len(list(tmp_path.glob('twins.damaged-*'))) == 3


def test_a_folder_of_another_area_is_refused(tmp_path: Path) -> None:
    open_registry(tmp_path)
    with pytest.raises(TwinError, match='holds the task twins of hall: give stairs a state_dir'):
        open_registry(tmp_path, 'stairs')


def test_remains_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    twin = open_registry(tmp_path).register(TRANSFER, write)
    (tmp_path / '.registry.json.x1.tmp').write_bytes(b'')
    write(tmp_path / 'hall_trajectory_3.safetensors')
    assert open_registry(tmp_path).serving == (twin,)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'hall_trajectory_2.json', 'hall_trajectory_2.safetensors', 'registry.json']


def test_a_twin_without_its_file_is_paused_and_cannot_be_resumed(tmp_path: Path) -> None:
    twin = open_registry(tmp_path).register(TRANSFER, write)
    (tmp_path / twin.model.file).unlink()
    registry = open_registry(tmp_path)
    assert registry.serving == ()
    assert registry.problem == (
        f'hall_trajectory_2.safetensors missing in {tmp_path}: paused hall_trajectory_2')
    with pytest.raises(TwinError, match=r'its file hall_trajectory_2.safetensors is missing'):
        registry.resume(twin.id)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    path.write_text('')
    with pytest.raises(TwinError, match=r'registry\.json cannot be read: .*Not a directory'):
        open_registry(path)
    assert path.read_text() == ''


def test_a_failed_read_touches_neither_registry_nor_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, 'Input/output error')

    open_registry(tmp_path).register(TRANSFER, write)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(registry_folder, 'read_limited', fail)
        with pytest.raises(TwinError, match=r'cannot be read: .*Input/output error'):
            open_registry(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_registry_that_is_too_large_is_kept_aside(tmp_path: Path) -> None:
    folder = tmp_path / 'twins'
    open_registry(folder).register(TRANSFER)
    with (folder / 'registry.json').open('ab') as file:
        file.truncate(MAX_DOCUMENT_BYTES + 1)
    registry = open_registry(folder)
    assert f'it is longer than {MAX_DOCUMENT_BYTES} bytes; it is kept in' in registry.problem
    assert registry.register(TRANSFER).id == 'hall_trajectory_3'


@pytest.mark.parametrize('numbers', [(7, 3), (3, 7)])
def test_ids_follow_the_largest_of_all_damaged_registries(
    tmp_path: Path, numbers: tuple[int, ...],
) -> None:
    for index, number in enumerate(numbers):
        aside = tmp_path / f'twins.damaged-{index}'
        aside.mkdir()
        (aside / 'registry.json').write_text(f'"hall_trajectory_{number}"')
    (tmp_path / 'twins.damaged-8').mkdir()  # without a registry
    assert open_registry(tmp_path / 'twins').register(TRANSFER).id == 'hall_trajectory_8'


KILLED = """
import os, signal, sys
from pathlib import Path
from utt_ros.task_twins import registry_folder
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import TaskTwin

registry = TwinRegistry(Path(sys.argv[1]), 'hall', ('ftm',), lambda: 1)
registry_folder.write_atomically = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
registry.register(TaskTwin('', 'hall', 'trajectory', ('ftm',), operation='transfer'),
                  lambda path: path.write_bytes(b'weights'))
"""


def test_kill_between_model_and_record_leaves_the_registry_as_it_was(tmp_path: Path) -> None:
    before = open_registry(tmp_path).twins
    done = subprocess.run([sys.executable, '-c', KILLED, str(tmp_path)], timeout=60, check=False)
    assert done.returncode == -9
    assert (tmp_path / 'hall_trajectory_2.safetensors').exists()
    registry = open_registry(tmp_path)
    assert registry.twins == before
    assert not (tmp_path / 'hall_trajectory_2.safetensors').exists()
