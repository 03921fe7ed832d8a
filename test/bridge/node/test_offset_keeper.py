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

"""Range offsets of a twin node: written at its end, and its start the next time."""

from pathlib import Path

from rclpy.node import Node

from utt_ros.bridge.node.offset_keeper import OffsetKeeper
from utt_ros.twin.kept_offsets import OFFSETS_FILE
from utt_ros.twin.range_offsets import ApOffset, RangeOffsets
from utt_ros.twin.settings import TwinSettings

LEARNED = RangeOffsets((ApOffset('aa:01', (0.0, 0.0, 2.5), -1.0, 0.15),))


def test_offsets_are_kept_when_a_node_ends_and_a_damaged_file_ends_no_node(
        ros: int, tmp_path: Path) -> None:
    node, settings = Node('twin'), TwinSettings(state_dir=str(tmp_path / 'hall'))
    first = OffsetKeeper(node, settings)
    assert first.begin is None
    first.keep(lambda: LEARNED)
    first.close(RangeOffsets())
    assert not (tmp_path / 'hall').exists(), 'nothing was learned'
    OffsetKeeper(node, settings).close(LEARNED)
    assert OffsetKeeper(node, settings).begin == LEARNED
    (tmp_path / 'hall' / OFFSETS_FILE).write_bytes(b'\x00')
    assert OffsetKeeper(node, settings).begin is None
    node.destroy_node()


def test_a_folder_that_cannot_be_written_ends_no_node(ros: int, tmp_path: Path) -> None:
    node = Node('twin')
    (tmp_path / 'state').write_bytes(b'')
    keeper = OffsetKeeper(node, TwinSettings(state_dir=str(tmp_path / 'state')))
    keeper.close(LEARNED)
    assert (tmp_path / 'state').read_bytes() == b''
    OffsetKeeper(node, TwinSettings()).close(LEARNED)
    node.destroy_node()
