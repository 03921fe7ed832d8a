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

"""Readable copies of storage files that were cut, compressed, or not closed."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import IO

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.reader import SeekingReader
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import MCAP0_MAGIC, CompressionType, Writer

from utt_ros.sessions.bag_files import read_qos

QOS_KEY = 'offered_qos_profiles'
SCHEMA_ENCODINGS = ('ros2msg', 'ros2idl', 'omgidl')  # that rosbags reads


def decompress_file(source: Path, target: Path) -> None:
    """Decompress a zstd file, up to where it is cut."""
    with source.open('rb') as packed, target.open('wb') as file:
        zstandard.ZstdDecompressor().copy_stream(packed, file)


def decompress_message(data: bytes) -> bytes:
    """Decompress a message that rosbag2 compressed."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


def copy_database(source: Path, target: Path) -> None:
    """Copy a sqlite3 storage file and complete the transactions beside it (-wal, -journal).

    Message definitions and QoS that rosbags refuses are cleared. Raises sqlite3.Error.
    """
    for suffix in ('', '-wal', '-journal'):
        path = source.with_name(source.name + suffix)
        if path.exists():
            shutil.copyfile(path, target.with_name(target.name + suffix))
    with closing(sqlite3.connect(target)) as database:
        database.execute('pragma wal_checkpoint(truncate)')
        database.execute('pragma journal_mode=delete')
        columns = {row[1] for row in database.execute('pragma table_info(topics)')}
        if QOS_KEY in columns:
            rows = database.execute(f'select id, {QOS_KEY} from topics').fetchall()  # noqa: S608
            database.executemany(f'update topics set {QOS_KEY} = "" where id = ?',  # noqa: S608
                                 [(row,) for row, text in rows if not read_qos(text)])
        if database.execute('pragma table_info(message_definitions)').fetchall():
            database.execute('update message_definitions set encoding = "ros2msg" '
                             'where encoding not in ("ros2msg", "ros2idl")')
        database.commit()


def recover_mcap(source: Path, target: Path) -> int:
    """Copy all whole messages of an MCAP file, found by a linear scan, to a new file.

    Of a chunk at which the file is cut, whole messages are kept. Damaged chunks are left out;
    return their number.
    """
    damaged_chunks = 0
    with source.open('rb') as damaged, target.open('wb') as file:
        writer = Writer(file, compression=CompressionType.NONE)
        writer.start('ros2')
        schemas: dict[int, int] = {0: 0}
        channels: dict[int, int] = {}
        for record in _records(damaged):
            if record is None:
                damaged_chunks += 1
            elif isinstance(record, Schema) and record.id not in schemas:
                known = record.encoding in SCHEMA_ENCODINGS
                schemas[record.id] = writer.register_schema(
                    record.name, record.encoding if known else '', record.data if known else b'')
            elif isinstance(record, Channel) and record.id not in channels:
                metadata = {key: text for key, text in record.metadata.items()
                            if key != QOS_KEY or read_qos(text)}
                channels[record.id] = writer.register_channel(
                    record.topic, record.message_encoding, schemas.get(record.schema_id, 0),
                    metadata)
            elif isinstance(record, Message) and record.channel_id in channels:
                writer.add_message(channels[record.channel_id], record.log_time, record.data,
                                   record.publish_time, record.sequence)
        writer.finish()  # type: ignore[no-untyped-call]
    return damaged_chunks


def _records(file: IO[bytes]) -> Iterator[McapRecord | None]:
    """Yield the whole records of a file, also those in chunks, and None for a damaged chunk.

    Behind a record that cannot be read, the next chunk is found by the index where there is one.
    """
    definitions, offsets = _index(file)
    yield from definitions
    file.seek(len(MCAP0_MAGIC))
    records = StreamReader(file, skip_magic=True, emit_chunks=True).records
    while True:
        begin = file.tell()
        try:
            record = next(records, None)
        except Exception:  # noqa: BLE001 - cut records raise errors of many types
            following = next((offset for offset in offsets if offset > begin), None)
            if following is None:
                yield from _cut_chunk(file, begin)
                return
            yield None
            file.seek(following)
            records = StreamReader(file, skip_magic=True, emit_chunks=True).records
            continue
        if record is None:
            return
        if not isinstance(record, Chunk):
            yield record
            continue
        try:
            content = breakup_chunk(record, validate_crc=True)
        except Exception:  # noqa: BLE001 - of the decompressors as well
            yield None
            continue
        yield from content


def _index(file: IO[bytes]) -> tuple[list[McapRecord], list[int]]:
    """Return definitions and offsets of chunks in the summary of a file; none where it is cut."""
    try:
        summary = SeekingReader(file).get_summary()
    except Exception:  # noqa: BLE001 - a damaged summary raises errors of many types
        summary = None
    if summary is None:
        return [], []
    definitions: list[McapRecord] = [*summary.schemas.values(), *summary.channels.values()]
    return definitions, sorted(item.chunk_start_offset for item in summary.chunk_indexes)


def _cut_chunk(file: IO[bytes], begin: int) -> Iterator[McapRecord]:
    """Yield the whole records of the chunk that begins there, if it is one."""
    try:
        file.seek(begin + 9)  # behind opcode and length
        chunk = Chunk.read(ReadDataStream(file))
        data = chunk.data
        if chunk.compression == 'zstd':
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        yield from StreamReader(BytesIO(data), skip_magic=True).records
    except Exception:  # noqa: BLE001 - the end of what is whole
        return
