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

from pathlib import Path

import pytest
import zstandard
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from utt_ros.sessions.storage_repair import decompress_file, recover_mcap


def test_a_recovered_file_is_complete_and_keeps_definitions_and_qos(
        bag: Path, tmp_path: Path) -> None:
    damaged, target = tmp_path / 'cut.mcap', tmp_path / 'whole.mcap'
    damaged.write_bytes((bag / 'first_0.mcap').read_bytes()[:-40])
    assert recover_mcap(damaged, target) == 0
    with (bag / 'first_0.mcap').open('rb') as before, target.open('rb') as after:
        expected, recovered = (make_reader(file).get_summary() for file in (before, after))
    assert recovered is not None
    assert recovered.statistics is not None
    assert expected is not None
    assert {item.name: item.data for item in recovered.schemas.values()} == {
        item.name: item.data for item in expected.schemas.values()}
    assert {item.topic: item.metadata for item in recovered.channels.values()} == {
        item.topic: item.metadata for item in expected.channels.values()}


@pytest.mark.parametrize('begin', [36, 5000, 20_000])
def test_records_behind_a_broken_length_are_found_by_the_index(
        tmp_path: Path, begin: int) -> None:
    damaged, target = tmp_path / 'damaged.mcap', tmp_path / 'whole.mcap'
    with damaged.open('wb') as file:
        writer = Writer(file, chunk_size=4000, compression=CompressionType.NONE)
        writer.start('ros2')
        schema = writer.register_schema('std_msgs/msg/String', 'ros2msg', b'string data')
        channel = writer.register_channel('/a', 'cdr', schema)
        for number in range(1000):
            writer.add_message(channel, number, bytes(40), number)
        writer.finish()
    data = bytearray(damaged.read_bytes())
    data[begin:begin + 3000] = b'\xff' * 3000
    damaged.write_bytes(data)
    assert recover_mcap(damaged, target) >= 1
    with target.open('rb') as file:
        numbers = [message.log_time for _, _, message in make_reader(file).iter_messages()]
    assert numbers[-1] == 999
    assert 850 < len(numbers) < 1000


def test_a_cut_zstd_file_is_decompressed_up_to_the_cut(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    packed = zstandard.ZstdCompressor(level=1).compress(content)
    (tmp_path / 'a.zstd').write_bytes(packed + b'')
    decompress_file(tmp_path / 'a.zstd', tmp_path / 'a')
    assert (tmp_path / 'a').read_bytes() == content
    (tmp_path / 'a.zstd').write_bytes(packed[:len(packed) - 2])
    decompress_file(tmp_path / 'a.zstd', tmp_path / 'b')
    assert content.startswith((tmp_path / 'b').read_bytes())
