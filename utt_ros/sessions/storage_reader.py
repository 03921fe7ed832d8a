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

"""Readers of storage files, also of files that were cut, compressed, or not closed."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from rosbags.interfaces import Connection, ConnectionExtRosbag2
from rosbags.rosbag2 import Reader

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_files import COMPRESSED_SUFFIX
from utt_ros.sessions.storage_repair import (
    copy_database,
    decompress_file,
    decompress_message,
    recover_mcap,
)

MAX_COPIES = 8  # repaired files that are kept for further readers
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'  # no CDR message begins with it


class StorageReader:
    """One open storage file, for the thread that opened it.

    `remarks` tell what could not be read, or only from a repaired copy. With `scan`, MCAP files
    are read without relying on their index, so damage costs no more than itself. Raises
    SessionError with path and remedy when nothing can be read.
    """

    def __init__(self, path: Path, resources: ExitStack, *, scan: bool = False) -> None:
        self._path = path
        self.remarks: tuple[str, ...] = ()
        self._reader = reader = self._open(scan)
        resources.callback(reader.close)
        self.connections = [item for item in reader.connections if _is_cdr(item)]
        foreign = sorted({item.topic for item in reader.connections if not _is_cdr(item)})
        if foreign and not self.connections:
            raise SessionError(f'{path}: none of its topics is in CDR ({", ".join(foreign)}): '
                               'convert it with a middleware that writes CDR')
        if foreign:
            self._add_remark(f'{", ".join(foreign)} is not in CDR and left out')
        stored = reader.message_count
        chunks = getattr(reader.storage, 'chunks', ())  # statistics of a file leave out time 0
        starts = [reader.start_time, *(chunk.message_start_time for chunk in chunks)]
        ends = [reader.end_time, *(chunk.message_end_time + 1 for chunk in chunks)]
        self.start_ns = min(starts) if stored else 0
        self.end_ns = max(ends) if stored else 0  # 1 ns after the last message
        counted = sum(item.msgcount for item in reader.connections)
        if counted != stored:
            self._add_remark(f'{stored} messages are stored, but {counted} of declared topics')

    def messages(
        self, topics: Collection[str], start_ns: int, stop_ns: int,
    ) -> Iterator[tuple[int, str, bytes]]:
        """Yield log time, topic and data in order of log times, for start <= time < stop."""
        chosen = [item for item in self.connections if item.topic in topics]
        if not chosen:  # rosbags takes an empty list for all topics
            return
        messages = self._reader.messages(chosen, start_ns, stop_ns)
        while True:
            try:
                connection, log_ns, data = next(messages)
                if data[:4] == ZSTD_MAGIC:
                    data = decompress_message(data)
            except StopIteration:
                return
            except Exception as err:
                raise self._error(err) from err
            yield log_ns, connection.topic, data

    def _open(self, scan: bool) -> Reader:
        source = self._path
        try:
            if source.name.endswith(COMPRESSED_SUFFIX):
                source, _ = _copied(decompress_file, source)
            elif any(_sidecar_exists(source, suffix) for suffix in ('-wal', '-journal')):
                source, _ = _copied(copy_database, source)
            reader = _opened(source)
        except Exception as err:  # noqa: BLE001 - parsers raise errors of many types
            return self._open_repaired(source, err)
        chunks = getattr(reader.storage, 'chunks', None)
        if not reader.message_count or chunks is None or (chunks and not scan):
            return reader
        has_index = bool(chunks)  # without, rosbags reads messages only where they are in order
        reader.close()
        path, damaged = _copied(recover_mcap, source)
        if not has_index:
            self._add_remark('no index, as in a recording that was not closed: read by a linear '
                             f'scan; `utt recover {self._path}` writes one')
        if damaged:
            self._add_remark(f'{damaged} damaged chunks are left out')
        return _opened(path)

    def _open_repaired(self, source: Path, reason: Exception) -> Reader:
        """Open a readable copy of a file. Raises SessionError when no message of it is whole."""
        is_database = source.suffix == '.db3'
        try:
            path, damaged = _copied(copy_database if is_database else recover_mcap, source)
            reader = _opened(path)
        except Exception as err:
            if is_database:
                raise self._error(reason) from err
            raise SessionError(f'{self._path}: {_reason(reason)}: it is no MCAP file') from err
        if not reader.message_count:
            reader.close()
            raise SessionError(f'{self._path}: {_reason(reason)}, and no message of it is whole')
        how = 'a copy without what cannot be read' if is_database else 'a linear scan'
        left = f', without {damaged} damaged chunks' if damaged else ''
        self._add_remark(
            f'{_reason(reason)}: read by {how}: {reader.message_count} messages are whole{left}; '
            f'`utt recover {self._path}` writes them to a clean bag')
        return reader

    def _error(self, reason: Exception) -> SessionError:
        """Name the file, what is wrong with it, and the remedy."""
        remedy = (f'`sqlite3 {self._path} .recover` saves what is whole'
                  if '.db3' in self._path.suffixes else
                  f'`utt recover {self._path}` saves what is whole')
        return SessionError(f'{self._path}: {_reason(reason)}: {remedy}')

    def _add_remark(self, text: str) -> None:
        self.remarks += (f'{self._path}: {text}',)


def _copied(make: Callable[[Path, Path], Any], source: Path) -> tuple[Path, Any]:
    """Make a temporary copy of a file, once while the file does not change."""
    status = source.stat()
    _, path, result = _make_copy(make, source, status.st_size, status.st_mtime_ns)
    return path, result


@lru_cache(maxsize=MAX_COPIES)
def _make_copy(
    make: Callable[[Path, Path], Any], source: Path, size: int, mtime_ns: int,  # noqa: ARG001
) -> tuple['TemporaryDirectory[str]', Path, Any]:
    folder = TemporaryDirectory(prefix='utt-bag-')  # removed with the cache, or at exit
    path = Path(folder.name, source.name.removesuffix(COMPRESSED_SUFFIX))
    return folder, path, make(source, path)


def _opened(path: Path) -> Reader:
    reader = Reader(path)
    reader.open()
    return reader


def _sidecar_exists(path: Path, suffix: str) -> bool:
    sidecar = path.with_name(path.name + suffix)
    return sidecar.is_file() and sidecar.stat().st_size > 0


def _is_cdr(connection: Connection) -> bool:
    return cast(ConnectionExtRosbag2, connection.ext).serialization_format == 'cdr'


def _reason(err: Exception) -> str:
    return f'{type(err).__name__}: {err}'.rstrip('.: ')
