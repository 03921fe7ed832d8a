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

"""Bags of any storage are read and written message by message."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from mcap.reader import make_reader
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.errors import SessionError, SettingsError
from utt_ros.sessions.bag_io import find_topics, offered_qos, open_bag, topic_matches
from utt_ros.sessions.bag_topic import BagTopic
from utt_ros.sessions.message_types import typestore

TRACKS = 'utt_ros/msg/Tracks'


def write_sqlite3(path: Path) -> None:
    with Writer(path, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        slow, fast = (
            writer.add_connection(
                name, 'std_msgs/msg/String', typestore=typestore(), offered_qos_profiles=offered)
            for name, offered in (('/slow', [offered_qos(False, True, 7)]), ('/fast', [])))
        for stamp in range(1, 31):
            writer.write(fast, stamp, b'\x00\x01\x00\x00%d' % stamp)
            if stamp % 10 == 0:
                writer.write(slow, stamp, b'slow')


def test_mcap_bag_is_read_with_its_topics_and_what_they_offered(bag: Path, contents) -> None:
    found = {topic.name: topic for topic in find_topics([bag])}
    tracks = BagTopic('/hall/camera/tracks', TRACKS, False, False, 200)
    assert found['/hall/camera/tracks'] == tracks
    assert found['/hall/truth/anna/odom'].reliable
    messages = contents(bag, {'/hall/phones/anna/imu/data_raw'})
    assert len(messages) == 150
    assert [log_ns for log_ns, _, _ in messages] == sorted(log_ns for log_ns, _, _ in messages)


def test_sqlite3_bag_is_read_like_any_other(tmp_path: Path, contents) -> None:
    write_sqlite3(tmp_path / 'bag')
    assert find_topics([tmp_path / 'bag']) == [
        BagTopic('/fast', 'std_msgs/msg/String'),
        BagTopic('/slow', 'std_msgs/msg/String', False, True, 7)]
    messages = contents(tmp_path / 'bag')
    assert len(messages) == 33
    assert messages[0] == (1, '/fast', b'\x00\x01\x00\x001')
    with open_bag(tmp_path / 'bag') as opened:
        slow = list(opened.messages({'/slow'}, 10, 30))
        assert [log_ns for log_ns, _, _ in slow] == [10, 20]
        assert list(opened.messages(set(), 0, 99)) == []


@pytest.mark.parametrize('harm', [
    lambda bag: next(bag.glob('*.mcap')).write_bytes(b'no mcap'),
    lambda bag: next(bag.glob('*.mcap')).unlink(),
])
def test_broken_bag_is_an_error_that_names_it(bag: Path, harm: Callable[[Path], object]) -> None:
    harm(bag)
    with pytest.raises(SessionError, match=str(bag)), open_bag(bag):
        pass


def test_topics_are_chosen_by_whole_names(bag: Path) -> None:
    chosen = find_topics([bag], ['/hall/camera/.*', '/hall/phones/anna/ft'])
    assert [topic.name for topic in chosen] == ['/hall/camera/camera_info', '/hall/camera/tracks']
    with pytest.raises(SettingsError, match=r"'\(' is no regular expression"):
        topic_matches('/hall', ['('])


def test_log_times_are_stamps_in_order(bag: Path, stored) -> None:
    stamps = [stamp for _, _, stamp, _ in stored(bag)]
    assert stamps == sorted(stamps)
    for _, msgtype, stamp, data in stored(bag):
        header = typestore().deserialize_cdr(data, msgtype).header
        assert header.stamp.sec * 10**9 + header.stamp.nanosec == stamp


def test_metadata_holds_the_qos_for_players(bag: Path) -> None:
    document = yaml.safe_load((bag / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert document['ros_distro'] == 'jazzy'
    topics = [item['topic_metadata'] for item in document['topics_with_message_count']]
    reliability = {topic['name']: topic['offered_qos_profiles'][0]['reliability']
                   for topic in topics}
    assert reliability.pop('/hall/truth/anna/odom') == 'reliable'
    assert set(reliability.values()) == {'best_effort'}


def test_the_mcap_library_reads_the_file_and_its_definitions(bag: Path, stored) -> None:
    with (bag / 'first_0.mcap').open('rb') as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        count = sum(1 for _ in reader.iter_messages())
        assert reader.get_header().profile == 'ros2'
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == count == len(stored(bag))
    definitions = {item.name: item.data.decode() for item in summary.schemas.values()}
    assert 'float32 range_std' in definitions['utt_ros/msg/FtmRange']
    assert 'MSG: utt_ros/Track\n' in definitions['utt_ros/msg/Tracks']
