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

"""A bag is complete for every reader after each commit, and named as rosbag2 names it."""

import errno
import os
from pathlib import Path

import pytest
import yaml
from mcap.reader import make_reader
from rosbags.rosbag2 import Reader

from utt_ros.errors import SessionError
from utt_ros.sessions import bag_writer
from utt_ros.sessions.bag_io import find_topics, offered_qos
from utt_ros.sessions.bag_writer import BagWriter, TopicDefinition

TOPIC = TopicDefinition('/a', 'std_msgs/msg/String', (offered_qos(False),))


def message(number: int) -> bytes:
    return b'\x00\x01\x00\x00\x08\x00\x00\x00%07d\x00' % number


def make(folder: Path, commits: int = 3, messages: int = 40) -> BagWriter:
    """Return the writer of a bag that was committed some times and holds more in memory."""
    writer = BagWriter(folder, {'area': 'hall'})
    topic = writer.add_topic(TOPIC)
    for commit in range(commits):
        for number in range(messages):
            writer.write(topic, 1 + commit * messages + number, message(number))
        writer.commit()
    writer.write(topic, 10_000, message(0))
    return writer


@pytest.mark.parametrize('commits', [0, 1, 3])
def test_a_bag_that_was_not_closed_opens_in_every_reader(
        tmp_path: Path, contents, commits: int) -> None:
    make(tmp_path / 'bag', commits).abort()
    assert sorted(path.name for path in (tmp_path / 'bag').iterdir()) == sorted(
        ['bag_0.mcap', *['metadata.yaml'] * bool(commits)])
    with (tmp_path / 'bag' / 'bag_0.mcap').open('rb') as file:
        assert len(list(make_reader(file).iter_messages())) == commits * 40
    assert len(contents(tmp_path / 'bag' / 'bag_0.mcap')) == commits * 40
    if commits:
        with Reader(tmp_path / 'bag') as reader:
            assert [stamp for _, stamp, _ in reader.messages()] == list(range(1, commits * 40 + 1))
            assert reader.message_count == commits * 40
        assert [row[2] for row in contents(tmp_path / 'bag')] == [
            message(number) for number in list(range(40)) * commits]


def test_a_bag_whose_writer_dies_before_it_counts_a_new_topic_opens_in_every_reader(
        tmp_path: Path, contents, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = make(tmp_path / 'bag', commits=0)
    sync = bag_writer._CommittedFile.sync

    def sync_and_die(file: bag_writer._CommittedFile) -> None:
        sync(file)
        raise InterruptedError

    monkeypatch.setattr(bag_writer._CommittedFile, 'sync', sync_and_die)
    with pytest.raises(InterruptedError):
        writer.commit()
    with Reader(tmp_path / 'bag') as reader:
        assert [stamp for _, stamp, _ in reader.messages()] == [10_000]
    assert [row[2] for row in contents(tmp_path / 'bag')] == [message(0)]


def test_a_closed_bag_has_an_index_and_metadata_as_rosbag2_writes_it(tmp_path: Path) -> None:
    make(tmp_path / 'bag').close()
    with (tmp_path / 'bag' / 'bag_0.mcap').open('rb') as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == 121
    assert len(summary.chunk_indexes) == 4
    assert summary.channels[1].metadata['topic_type_hash'].startswith('RIHS01_')
    text = (tmp_path / 'bag' / 'metadata.yaml').read_text()
    information = yaml.safe_load(text)['rosbag2_bagfile_information']
    assert '*id' not in text
    assert information['version'] == 9
    assert information['relative_file_paths'] == ['bag_0.mcap']
    assert information['starting_time'] == {'nanoseconds_since_epoch': 1}
    assert information['duration'] == {'nanoseconds': 9999}
    assert information['custom_data'] == {'area': 'hall'}
    assert information['files'][0]['message_count'] == information['message_count'] == 121
    with Reader(tmp_path / 'bag') as reader:
        assert reader.ros_distro == 'jazzy'
        assert reader.connections[0].ext.offered_qos_profiles == [offered_qos(False)]


@pytest.mark.parametrize('room', [0, 700])
def test_a_full_disk_ends_a_bag_at_its_last_commit(
        tmp_path: Path, contents, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    writer = make(tmp_path / 'bag')
    write = os.pwrite
    left = [room]

    def limited(descriptor: int, data: bytes, offset: int) -> int:
        if len(data) > 100:  # beyond what the file holds already
            data, left[0] = data[:left[0]], 0
            if not data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data, offset)

    monkeypatch.setattr(os, 'pwrite', limited)
    for number in range(100):
        writer.write(0, 20_000 + number, message(number))
    with pytest.raises(OSError, match='No space left'):
        writer.commit()
    writer.abort()
    assert len(contents(tmp_path / 'bag')) == 120
    with (tmp_path / 'bag' / 'bag_0.mcap').open('rb') as file:
        assert len(list(make_reader(file).iter_messages())) == 120


def test_an_unknown_type_is_refused_unless_it_has_no_definition(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / 'bag')
    with pytest.raises(SessionError, match='the definition of x_msgs/msg/X is not known'):
        writer.add_topic(TopicDefinition('/x', 'x_msgs/msg/X'))
    writer.add_topic(TopicDefinition('/x', 'x_msgs/msg/X', encoding=''))
    writer.close()
    assert [(topic.name, topic.type) for topic in find_topics([tmp_path / 'bag'])] == [
        ('/x', 'x_msgs/msg/X')]


def test_an_existing_folder_and_one_that_cannot_be_made_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match='exists: it is not overwritten'):
        BagWriter(tmp_path)
    (tmp_path / 'file').touch()
    with pytest.raises(SessionError, match='Not a directory'):
        BagWriter(tmp_path / 'file' / 'bag')
