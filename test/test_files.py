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

import os
import subprocess
import sys
from pathlib import Path

import pytest

from utt_ros.errors import DocumentError
from utt_ros.files import (
    create_private,
    make_temporary,
    read_limited,
    recover_folders,
    remove_leftovers,
    replace_folder,
    scratch_folder,
    write_atomically,
)


def test_a_write_replaces_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    write_atomically(path, b'old')
    write_atomically(path, b'new')
    assert path.read_bytes() == b'new'
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_file_and_removes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / 'model.safetensors'
    write_atomically(path, b'old')

    def fail(_descriptor: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', fail)
    with pytest.raises(OSError, match='No space left'):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / 'nowhere' / 'file', b'')


def leave(path: Path) -> Path:
    """Leave the temporary file of a writer that was killed."""
    script = ('import os, sys; from pathlib import Path\n'
              'from utt_ros.files import make_temporary\n'
              'make_temporary(Path(sys.argv[1])); os.kill(os.getpid(), 9)')
    subprocess.run([sys.executable, '-c', script, path], timeout=60, check=False)
    (left,) = path.parent.glob(f'.{path.name}.*.tmp')
    return left


def test_the_next_write_of_a_file_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    left, other = leave(path), leave(tmp_path / 'card.json')
    write_atomically(path, b'new')
    assert not left.exists()
    assert other.exists()
    assert remove_leftovers(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_living_writer_writes_is_not_left_over(tmp_path: Path) -> None:
    descriptor, temporary = make_temporary(tmp_path / 'model.safetensors')
    assert remove_leftovers(tmp_path) == 0
    assert temporary.exists()
    os.close(descriptor)
    assert remove_leftovers(tmp_path) == 1


def test_scratch_folder_of_a_killed_process_is_removed_by_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / '.bag.killed.tmp'
    (left / 'bag').mkdir(parents=True)
    with scratch_folder(tmp_path / 'bag') as scratch:
        assert not left.exists()
        with scratch_folder(tmp_path / 'bag'):
            assert scratch.exists(), 'that of a living process stays'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('name', ['bag', 'bag [1]*'])
def test_the_only_copy_of_a_folder_is_put_back(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / 'only').touch()
    script = ('import os, sys; from pathlib import Path\n'
              'from utt_ros.files import scratch_folder\n'
              'with scratch_folder(Path(sys.argv[1])) as scratch:\n'
              "    Path(sys.argv[1]).rename(scratch / '.former'); os.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, '-c', script, tmp_path / name], timeout=60, check=False)
    (left,) = tmp_path.iterdir()
    assert [entry.name for entry in left.iterdir()] == ['.former']
    with scratch_folder(tmp_path / name):
        assert (tmp_path / name / 'only').exists()
        assert not left.exists()


@pytest.mark.parametrize('is_replaced', [False, True])
def test_folders_of_killed_processes_are_found_at_any_depth(
    tmp_path: Path, is_replaced: bool,
) -> None:
    bag, left = tmp_path / 'hall/bag', tmp_path / 'hall/.bag.killed.tmp'
    (left / '.former').mkdir(parents=True)
    (left / '.former/first').touch()
    if is_replaced:
        bag.mkdir()
    recover_folders(tmp_path)
    assert list((tmp_path / 'hall').iterdir()) == [bag]
    assert (bag / 'first').exists() != is_replaced


@pytest.mark.parametrize(
    'left', ['.bag.old.killed.tmp', '.mine.tmp', 'bag.killed.tmp', '.bag.tmp'])
def test_folders_of_others_are_left_alone(tmp_path: Path, left: str) -> None:
    (tmp_path / left / 'kept').mkdir(parents=True)
    (tmp_path / 'bag').mkdir()
    recover_folders(tmp_path / 'bag')
    recover_folders(tmp_path)
    assert remove_leftovers(tmp_path) == 0
    assert (tmp_path / left / 'kept').exists()


@pytest.mark.parametrize('failing', [1, 2])
def test_an_interruption_between_two_renames_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int,
) -> None:
    bag, calls = tmp_path / 'bag', []
    bag.mkdir()
    (bag / 'only').touch()
    rename = Path.rename

    def interrupt(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        calls.append(target)
        if len(calls) == failing:
            raise KeyboardInterrupt
        return moved

    with scratch_folder(bag) as scratch:
        (scratch / 'bag').mkdir()
        (scratch / 'bag/only').touch()
        monkeypatch.setattr(Path, 'rename', interrupt)
        with pytest.raises(KeyboardInterrupt):
            replace_folder(bag, scratch / 'bag')
    assert (bag / 'only').exists()
    assert list(tmp_path.iterdir()) == [bag]


def test_folder_that_cannot_be_replaced_comes_back(tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    bag.mkdir()
    with scratch_folder(bag) as scratch:
        with pytest.raises(FileNotFoundError):
            replace_folder(bag, scratch / 'bag')
        assert bag.exists()
        (scratch / 'bag').mkdir()
        (scratch / 'bag/new').touch()
        replace_folder(bag, scratch / 'bag')
    assert [path.name for path in bag.iterdir()] == ['new']
    assert list(tmp_path.iterdir()) == [bag]


def test_leftovers_of_a_folder_that_does_not_exist_are_none(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / 'nowhere') == 0


def test_a_private_file_is_its_owners_and_the_first_one_stays(tmp_path: Path) -> None:
    path = tmp_path / 'secret'
    for data in (b'first', b'second'):
        create_private(path, data)
    assert path.read_bytes() == b'first'
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    path.write_bytes(b'1234')
    assert read_limited(path, 4) == b'1234'
    with pytest.raises(DocumentError, match='longer than 3 bytes'):
        read_limited(path, 3)


def test_a_file_without_an_end_is_refused() -> None:
    with pytest.raises(DocumentError, match='longer than'):
        read_limited(Path('/dev/zero'), 1000)
