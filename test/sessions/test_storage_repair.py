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

import zstandard
from mcap.reader import make_reader

from utt_ros.sessions.storage_repair import decompress_file, recover_mcap


def test_a_recovered_file_is_complete_and_keeps_definitions_and_qos(
        bag: Path, tmp_path: Path) -> None:
    damaged, target = tmp_path / 'cut.mcap', tmp_path / 'whole.mcap'
    damaged.write_bytes((bag / 'first.mcap').read_bytes()[:-40])
    assert recover_mcap(damaged, target) == 0
    with (bag / 'first.mcap').open('rb') as before, target.open('rb') as after:
        expected, recovered = (make_reader(file).get_summary() for file in (before, after))
    assert recovered is not None
    assert recovered.statistics is not None
    assert expected is not None
    assert {item.name: item.data for item in recovered.schemas.values()} == {
        item.name: item.data for item in expected.schemas.values()}
    assert {item.topic: item.metadata for item in recovered.channels.values()} == {
        item.topic: item.metadata for item in expected.channels.values()}


def test_a_cut_zstd_file_is_decompressed_up_to_the_cut(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    packed = zstandard.ZstdCompressor(level=1).compress(content)
    (tmp_path / 'a.zstd').write_bytes(packed + b'')
    decompress_file(tmp_path / 'a.zstd', tmp_path / 'a')
    assert (tmp_path / 'a').read_bytes() == content
    (tmp_path / 'a.zstd').write_bytes(packed[:len(packed) - 2])
    decompress_file(tmp_path / 'a.zstd', tmp_path / 'b')
    assert content.startswith((tmp_path / 'b').read_bytes())
