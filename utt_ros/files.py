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

"""Atomic writes, what is left of those that were killed, and reads of limited size."""

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utt_ros.errors import DocumentError

FORMER = '.former'  # in a scratch folder: the one that is replaced


def write_atomically(path: Path, data: bytes, *, is_synced: bool = True) -> None:
    """Replace `path` by `data`: a temporary file beside it, fsync, rename, fsync of the folder.

    A reader sees the old file or the new one, never a part. The folder must exist. Raises OSError;
    `path` is then unchanged and the temporary file removed. A process that is killed in between
    leaves a file named '.<name>.<random>.tmp', which the next write of `path` removes. Unless it
    `is_synced` nothing waits for the disk, and a power cut may undo it.
    """
    remove_leftovers(path.parent, path.name)
    descriptor, temporary = make_temporary(path)
    try:
        with os.fdopen(descriptor, 'wb') as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            if is_synced:
                os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if is_synced:
        sync_folder(path.parent)


def create_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, unless another process has just done so.

    Raises OSError.
    """
    descriptor, temporary = make_temporary(path)
    try:
        with os.fdopen(descriptor, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_temporary(path: Path) -> tuple[int, Path]:
    """Create a temporary file beside `path`, mode 0600; return its descriptor and its name.

    It is locked while it is open, which tells it from one that a killed process left.
    """
    while True:
        descriptor, name = tempfile.mkstemp(
            prefix=f'.{path.name}.', suffix='.tmp', dir=path.parent)
        with suppress(OSError):  # a file system without locks: nothing is removed there either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # it was taken for a remnant before it was locked


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside `path` for what becomes `path`, and remove it in the end.

    That of a killed process is removed by the next one for the same path. Raises OSError.
    """
    recover_folder(path)
    with tempfile.TemporaryDirectory(
            prefix=f'.{path.name}.', suffix='.tmp', dir=path.parent) as name:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(descriptor)


def replace_folder(path: Path, new: Path) -> None:
    """Put `new`, in a scratch folder of `path`, in its place; the former one goes to the scratch.

    Where that fails the former one comes back. Raises OSError.
    """
    former = new.with_name(FORMER)
    try:
        if path.exists():
            path.rename(former)
        new.rename(path)
    except BaseException:
        if former.exists() and not path.exists():
            former.rename(path)
        raise


def recover_folder(path: Path) -> None:
    """Remove scratch folders of `path` that killed processes left.

    One that was killed within `replace_folder` may have left the only copy: it is put back first.
    Raises OSError.
    """
    path = path.absolute()
    if not path.exists():
        for former in path.parent.glob(f'.{glob.escape(path.name)}.*.tmp/{FORMER}'):
            if _is_leftover(former.parent.name, path.name) and _is_unlocked(former.parent):
                former.rename(path)
                break
    remove_leftovers(path.parent, path.name)


def recover_folders(root: Path) -> None:
    """Do so for `root` and the folders within it. Raises OSError."""
    recover_folder(root)
    for scratch in list(root.rglob('.*.tmp')):
        name = scratch.name[1:-len('.tmp')].rpartition('.')[0]
        if name and ((scratch / FORMER).exists() or (scratch / name).exists()):
            recover_folder(scratch.with_name(name))


def remove_leftovers(folder: Path, name: str = '') -> int:
    """Remove temporary files of killed writers of `name`, or of any path; return their number.

    Those of living writers stay, and what cannot be removed. Scratch folders are removed for a
    name only.
    """
    removed = 0
    with suppress(OSError), os.scandir(folder) as entries:
        found = [entry.name for entry in entries if _is_leftover(entry.name, name)
                 and (name or not entry.is_dir(follow_symlinks=False))]
        for item in found:
            removed += _remove_unlocked(folder / item)
    return removed


def _is_leftover(found: str, name: str) -> bool:
    """Return whether a file or folder is named as temporary ones of `name`, or of any path."""
    prefix = f'.{name}.' if name else '.'
    random = found.removeprefix(prefix).removesuffix('.tmp')
    is_temporary = found == f'{prefix}{random}.tmp' and bool(random)
    return is_temporary and not (name and '.' in random)  # not those of `name.more`


def _remove_unlocked(path: Path) -> bool:
    """Remove a file or folder that no process has locked; return whether it did."""
    try:
        with _locked(path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError:
        return False
    return True


def _is_unlocked(path: Path) -> bool:
    with suppress(OSError), _locked(path):
        return True
    return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock a file or folder. Raises OSError where another process has."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def read_limited(path: Path, max_bytes: int) -> bytes:
    """Read a file of at most that size. Raises OSError, and DocumentError for a larger one."""
    with path.open('rb') as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise DocumentError(f'it is longer than {max_bytes} bytes')
    return content


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, those of new and renamed files included."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
