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

"""Damaged bags are recovered into new ones that every reader opens."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_io import find_topics
from utt_ros.sessions.bag_recovery import recover_bag, recovered_path
from utt_ros.sessions.session_bags import read_session


def as_it_is(bag: Path) -> None:
    pass


def without_end(bag: Path) -> None:
    path = bag / 'first_0.mcap'
    path.write_bytes(path.read_bytes()[:-40])


def without_metadata(bag: Path) -> None:
    (bag / 'metadata.yaml').unlink()


@pytest.mark.parametrize(('damage', 'remark'), [
    (as_it_is, ''), (without_end, 'linear scan'), (without_metadata, 'does not exist')])
def test_a_bag_is_recovered_with_topics_qos_and_messages(
        bag: Path, tmp_path: Path, contents, damage: Callable[[Path], None], remark: str) -> None:
    expected, topics = contents(bag), find_topics([bag])
    damage(bag)
    recovered = recover_bag(bag, tmp_path / 'saved')
    assert recovered.messages == len(expected)
    assert recovered.topics == len(topics)
    assert remark in ' '.join(recovered.remarks)
    assert bool(recovered.remarks) == bool(remark)
    with Reader(tmp_path / 'saved') as reader:
        assert [(stamp, connection.topic, data)
                for connection, stamp, data in reader.messages()] == expected
    assert find_topics([tmp_path / 'saved']) == topics
    assert read_session(tmp_path / 'saved').split == ('' if damage is without_metadata else 'val')


def test_definitions_of_types_that_nobody_has_are_kept(tmp_path: Path) -> None:
    kind = 'strange_msgs/msg/Thing'
    for name, plugin in (('a', StoragePlugin.MCAP), ('b', StoragePlugin.SQLITE3)):
        with Writer(tmp_path / name, version=9, storage_plugin=plugin) as writer:
            topic = writer.add_connection('/x', kind, msgdef='int32 x', rihs01='RIHS01_0')
            writer.write(topic, 1, b'\x00\x01\x00\x00\x01\x00\x00\x00')
        recover_bag(tmp_path / name, tmp_path / f'{name}_new')
        with Reader(tmp_path / f'{name}_new') as reader:
            [connection] = reader.connections
        assert (connection.msgtype, connection.msgdef.data, connection.digest) == (
            kind, 'int32 x', 'RIHS01_0')


@pytest.mark.parametrize('content', [b'', bytes(60_000), b'\x89MCAP0\r\n'])
def test_a_file_without_any_message_is_refused_and_leaves_nothing(
        tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.mcap').write_bytes(content)
    with pytest.raises(SessionError, match=r'a\.mcap: .*'):
        recover_bag(tmp_path / 'a.mcap', tmp_path / 'new')
    assert [path.name for path in tmp_path.iterdir()] == ['a.mcap']


def test_an_existing_folder_is_not_overwritten(bag: Path) -> None:
    with pytest.raises(SessionError, match='exists: it is not overwritten'):
        recover_bag(bag, bag)


def test_the_default_path_is_beside_the_bag(bag: Path) -> None:
    assert recovered_path(bag) == bag.with_name('first_recovered')
    assert recovered_path(bag / 'first_0.mcap') == bag / 'first_0_recovered'
