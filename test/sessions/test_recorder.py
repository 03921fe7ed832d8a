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
import yaml

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_io import find_topics
from utt_ros.sessions.bag_topic import BagTopic
from utt_ros.sessions.recorder import BagRecorder
from utt_ros.sessions.session_bags import read_session


def test_recording_holds_the_bytes_it_was_given(bag: Path, tmp_path: Path, contents) -> None:
    given = contents(bag)
    recorder = BagRecorder(tmp_path / 'copy')
    for topic in find_topics([bag]):
        recorder.add(topic)
    for message in given:
        recorder.write(*message)
    recorder.close()
    assert (recorder.written, recorder.dropped, recorder.error) == (len(given), 0, None)
    assert contents(tmp_path / 'copy') == given
    assert find_topics([tmp_path / 'copy']) == [
        topic for topic in find_topics([bag]) if any(topic.name == name for _, name, _ in given)]
    copy, original = read_session(tmp_path / 'copy'), read_session(bag)
    assert copy.phones['anna'].inertial.tobytes() == original.phones['anna'].inertial.tobytes()
    document = yaml.safe_load((tmp_path / 'copy' / 'metadata.yaml').read_text())
    assert document['rosbag2_bagfile_information']['message_count'] == len(given)
    assert document['rosbag2_bagfile_information']['ros_distro'] == 'jazzy'


def test_recording_of_nothing_is_a_bag(tmp_path: Path, contents) -> None:
    BagRecorder(tmp_path / 'bag').close()
    assert find_topics([tmp_path / 'bag']) == []
    assert contents(tmp_path / 'bag') == []


def test_recording_over_a_bag_is_refused(bag: Path) -> None:
    with pytest.raises(SessionError, match='exists'):
        BagRecorder(bag)


def test_messages_beyond_the_bound_are_dropped_and_counted(tmp_path: Path) -> None:
    recorder = BagRecorder(tmp_path / 'bag', max_bytes=10_000)
    recorder.add(BagTopic('/a', 'std_msgs/msg/String'))
    recorder.write(1, '/a', bytes(9_900))
    assert (recorder.written, recorder.dropped) == (0, 1)
    recorder.write(2, '/a', bytes(1000))
    recorder.close()
    assert (recorder.written, recorder.dropped) == (1, 1)


def test_failure_while_writing_ends_the_recording_and_is_kept(tmp_path: Path) -> None:
    recorder = BagRecorder(tmp_path / 'bag')
    recorder.add(BagTopic('/a', 'nobody_msgs/msg/Knows'))
    assert not recorder.can_record('nobody_msgs/msg/Knows')
    recorder.write(1, '/a', b'')
    recorder.close()
    assert isinstance(recorder.error, SessionError)
    recorder.write(2, '/a', b'')
    assert recorder.dropped == 1
