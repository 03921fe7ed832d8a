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

"""Storage files that a power cut, a full disk or another tool left are read as far as possible."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from utt_ros.errors import SessionError
from utt_ros.sessions.message_types import typestore

MESSAGES = 200


def write_mcap(path: Path, *, profile: str = 'ros2', encoding: str = 'ros2msg', qos: str = '',
               messages: str = 'cdr', chunked: bool = True, step: int = 1,
               compression: CompressionType = CompressionType.NONE) -> Path:
    """One topic in chunks of a few messages; stamps in steps of `step`, modulo their number."""
    with path.open('wb') as file:
        writer = McapWriter(file, chunk_size=800, compression=compression, use_chunking=chunked)
        writer.start(profile)
        schema = writer.register_schema('std_msgs/msg/String', encoding, b'string data')
        channel = writer.register_channel('/a', messages, schema, {'offered_qos_profiles': qos})
        for number in range(MESSAGES):
            stamp = 1 + number * step % MESSAGES
            writer.add_message(channel, stamp, b'\x00\x01\x00\x00%032d' % stamp, stamp)
        writer.finish()
    return path


@pytest.mark.parametrize('compression', list(CompressionType))
@pytest.mark.parametrize('part', [0.1, 0.3, 0.5, 0.7])
def test_a_cut_mcap_is_read_up_to_the_cut(
        tmp_path: Path, contents, compression: CompressionType, part: float,
        caplog: pytest.LogCaptureFixture) -> None:
    path = write_mcap(tmp_path / 'a.mcap', compression=compression)
    data = path.read_bytes()
    path.write_bytes(data[:round(part * len(data))])
    messages = contents(path)
    assert 0 < len(messages) < MESSAGES
    assert [log_ns for log_ns, _, _ in messages] == list(range(1, len(messages) + 1))
    assert f'read by a linear scan: {len(messages)} messages are whole' in caplog.text


@pytest.mark.parametrize('change', [
    lambda data: data[:-1], lambda data: data[:-8], lambda data: data[:-40],
    lambda data: data[:-200], lambda data: data + bytes(4096), lambda data: data[:-37] + bytes(37),
], ids=['last byte', 'magic', 'footer', 'summary', 'zeros behind', 'zeros for the footer'])
def test_an_mcap_without_its_end_is_read_whole(
        tmp_path: Path, contents, change: Callable[[bytes], bytes]) -> None:
    path = write_mcap(tmp_path / 'a.mcap')
    path.write_bytes(change(path.read_bytes()))
    assert len(contents(path)) == MESSAGES


def test_messages_before_the_cut_of_the_only_chunk_are_read(bag: Path, contents) -> None:
    path = bag / 'first_0.mcap'
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])
    assert len(contents(bag)) > 100


def test_a_damaged_chunk_costs_itself_and_is_counted(
        tmp_path: Path, contents, caplog: pytest.LogCaptureFixture) -> None:
    path = write_mcap(tmp_path / 'a.mcap')
    data = path.read_bytes()[:-40]
    path.write_bytes(data.replace(b'%032d' % 100, b'x' * 32))
    assert MESSAGES - 20 < len(contents(path)) < MESSAGES
    assert 'without 1 damaged chunks' in caplog.text


def test_a_damaged_chunk_of_an_indexed_file_is_an_error_with_the_remedy(
        tmp_path: Path, contents) -> None:
    path = write_mcap(tmp_path / 'a.mcap')
    path.write_bytes(path.read_bytes().replace(b'%032d' % 100, b'x' * 32))
    with pytest.raises(SessionError, match=r'Chunk checksum mismatch: `utt recover'):
        contents(path)


def test_a_file_without_an_index_is_read_by_a_scan_which_is_logged(
        tmp_path: Path, contents, caplog: pytest.LogCaptureFixture) -> None:
    assert len(contents(write_mcap(tmp_path / 'a.mcap', chunked=False))) == MESSAGES
    assert 'a.mcap: no index' in caplog.text
    assert f'read by a linear scan; `utt recover {tmp_path}/a.mcap` writes one' in caplog.text


@pytest.mark.parametrize('data', [b'', b'\x89MCAP0\r\n', b'no mcap at all'])
def test_an_mcap_without_any_message_is_an_error_that_names_it(
        tmp_path: Path, contents, data: bytes) -> None:
    path = tmp_path / 'a.mcap'
    path.write_bytes(data)
    with pytest.raises(SessionError, match=r'a\.mcap: .*(no MCAP file|no message .* whole)'):
        contents(path)


@pytest.mark.parametrize('form', [
    {'profile': ''}, {'encoding': 'protobuf'}, {'encoding': 'unknown'}, {'qos': '- {'},
    {'qos': '- {depth: 3}'}, {'chunked': False}, {'chunked': False, 'step': 3}, {'step': 77},
], ids=str)
def test_an_mcap_of_another_writer_is_read_in_order_of_times(
        tmp_path: Path, contents, form: dict[str, str]) -> None:
    messages = contents(write_mcap(tmp_path / 'a.mcap', **form))
    assert [log_ns for log_ns, _, _ in messages] == list(range(1, MESSAGES + 1))


def test_messages_that_are_not_cdr_are_refused(tmp_path: Path, contents) -> None:
    with pytest.raises(SessionError, match=r'none of its topics is in CDR \(/a\)'):
        contents(write_mcap(tmp_path / 'a.mcap', messages='json'))


def write_sqlite3(folder: Path, compression: CompressionMode = CompressionMode.NONE) -> Path:
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3)
    if compression is not CompressionMode.NONE:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        topic = writer.add_connection('/a', 'std_msgs/msg/String', typestore=typestore())
        for stamp in range(MESSAGES):
            writer.write(topic, stamp, b'\x00\x01\x00\x00%032d' % stamp)
    return folder


@pytest.mark.parametrize('compression', [CompressionMode.FILE, CompressionMode.MESSAGE])
@pytest.mark.parametrize('listed', [True, False])
def test_compressed_bags_are_read_also_without_metadata(
        tmp_path: Path, contents, compression: CompressionMode, listed: bool) -> None:
    folder = write_sqlite3(tmp_path / 'bag', compression)
    if not listed:
        (folder / 'metadata.yaml').unlink()
    messages = contents(folder)
    assert len(messages) == MESSAGES
    assert messages[7][2] == b'\x00\x01\x00\x00%032d' % 7


def test_an_mcap_that_was_cut_and_compressed_is_read_up_to_the_cut(
        tmp_path: Path, contents) -> None:
    data = write_mcap(tmp_path / 'a.mcap').read_bytes()
    path = tmp_path / 'a.mcap.zstd'
    path.write_bytes(zstandard.compress(data[:len(data) // 2]))
    assert 0 < len(contents(path)) < MESSAGES


@pytest.mark.parametrize('listed', [True, False])
def test_messages_in_the_log_beside_a_database_are_read(
        tmp_path: Path, contents, listed: bool) -> None:
    folder = write_sqlite3(tmp_path / 'bag')
    database = sqlite3.connect(folder / 'bag.db3')
    database.execute('pragma journal_mode=wal')
    database.execute('pragma wal_autocheckpoint=0')
    database.execute('insert into messages(topic_id, timestamp, data) values (1, 999, "late")')
    database.commit()
    shutil.copytree(folder, tmp_path / 'killed')
    database.close()
    if not listed:
        (tmp_path / 'killed' / 'metadata.yaml').unlink()
    assert len(contents(tmp_path / 'killed')) == MESSAGES + 1


@pytest.mark.parametrize('statement', [
    'update message_definitions set encoding = "unknown"',
    'update topics set offered_qos_profiles = "- {"',
    'update topics set offered_qos_profiles = "- {depth: 1}"',
])
def test_a_database_with_unreadable_definitions_is_read(
        tmp_path: Path, contents, statement: str) -> None:
    folder = write_sqlite3(tmp_path / 'bag')
    database = sqlite3.connect(folder / 'bag.db3')
    database.execute(statement)
    database.commit()
    database.close()
    assert len(contents(folder)) == MESSAGES


@pytest.mark.parametrize('size', [0, 100, 5000, 12_000])
def test_a_cut_database_is_an_error_with_the_remedy(tmp_path: Path, contents, size: int) -> None:
    path = write_sqlite3(tmp_path / 'bag') / 'bag.db3'
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SessionError, match=r'bag\.db3: .*`sqlite3 .* \.recover`'):
        contents(path)


def test_messages_of_no_declared_topic_are_counted(
        tmp_path: Path, contents, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_sqlite3(tmp_path / 'bag')
    database = sqlite3.connect(folder / 'bag.db3')
    database.execute('update messages set topic_id = 9 where timestamp < 5')
    database.commit()
    database.close()
    assert len(contents(folder)) == MESSAGES - 5
    assert '200 messages are stored, but 195 of declared topics' in caplog.text
