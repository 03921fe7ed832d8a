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

"""Metadata that people, tools and crashes leave: read, or refused with the remedy."""

import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_files import METADATA, find_bag_files, read_qos, storage_files
from utt_ros.sessions.bag_io import find_topics, offered_qos, open_bag
from utt_ros.sessions.message_types import typestore

pytestmark = pytest.mark.slow

MESSAGES = 60  # of each of two topics, in turn
PROFILE = {
    'history': 'keep_last', 'depth': 10, 'reliability': 'reliable', 'durability': 'volatile',
    'deadline': {'sec': 0, 'nsec': 0}, 'lifespan': {'sec': 0, 'nsec': 0},
    'liveliness': 'automatic', 'liveliness_lease_duration': {'sec': 0, 'nsec': 0},
    'avoid_ros_namespace_conventions': False}


def write_bag(folder: Path, plugin: StoragePlugin, version: Any = 9, begin: int = 0) -> Path:
    with Writer(folder, version=version, storage_plugin=plugin) as writer:
        topics = [writer.add_connection(name, 'std_msgs/msg/String', typestore=typestore(),
                                        offered_qos_profiles=[offered_qos(False)])
                  for name in ('/a', '/b')]
        for stamp in range(2 * MESSAGES):
            writer.write(topics[stamp % 2], begin + stamp, b'\x00\x01\x00\x00%d' % stamp)
    return folder


@pytest.fixture(params=[StoragePlugin.MCAP, StoragePlugin.SQLITE3], ids=['mcap', 'sqlite3'])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return write_bag(tmp_path / 'bag', request.param)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = yaml.safe_load((folder / METADATA).read_text())
    change(document['rosbag2_bagfile_information'])
    (folder / METADATA).write_text(yaml.safe_dump(document))


def offer(profiles: Any, *topics: int) -> Callable[[dict[str, Any]], None]:
    def change(metadata: dict[str, Any]) -> None:
        for index in topics or (0, 1):
            topic = metadata['topics_with_message_count'][index]['topic_metadata']
            topic['offered_qos_profiles'] = profiles
    return change


def without(profile: str) -> dict[str, Any]:
    return {key: value for key, value in PROFILE.items() if key != profile}


@pytest.mark.parametrize('profiles', [
    [], '', None, [PROFILE], yaml.safe_dump([PROFILE]), [PROFILE, PROFILE],
    [{**PROFILE, 'depth': 0}], [{**PROFILE, 'depth': 'ten'}], [{**PROFILE, 'history': 'unknown'}],
    [{**PROFILE, 'reliability': 'best'}], [{**PROFILE, 'durability': 7}], [without('depth')],
    [without('deadline')], [{}], 'reliable', '- {', 3,
], ids=lambda profiles: str(profiles)[:12])
def test_all_messages_are_read_whatever_qos_the_metadata_tell(
        folder: Path, contents, profiles: Any) -> None:
    edit(folder, offer(profiles))
    assert len(contents(folder)) == 2 * MESSAGES
    edit(folder, offer([], 0))
    assert len(contents(folder)) == 2 * MESSAGES


def test_qos_edited_in_the_metadata_counts_and_that_of_the_storage_where_none_can_be_read(
        folder: Path) -> None:
    edit(folder, offer([{**PROFILE, 'depth': 7}], 0))
    edit(folder, offer([{'depth': 7}], 1))
    assert [(topic.reliable, topic.depth) for topic in find_topics([folder])] == [
        (True, 7), (False, 200)]
    assert read_qos([PROFILE])[0].depth == 10


@pytest.mark.parametrize('version', [4, 5, 6, 7, 8, 10, 11])
def test_metadata_of_all_versions_are_read(folder: Path, contents, version: int) -> None:
    edit(folder, lambda metadata: metadata.update(version=version))
    if version < 9:
        edit(folder, offer(yaml.safe_dump([PROFILE])))
    for key in ('custom_data', 'ros_distro', 'files')[version - 4:]:
        edit(folder, lambda metadata, key=key: metadata.pop(key, None))
    assert len(contents(folder)) == 2 * MESSAGES


@pytest.mark.parametrize(('start_ns', 'duration'), [(0, 0), (0, 50), (50, 70), (10**9, 10**9)])
def test_wrong_spans_of_the_metadata_lose_nothing(
        folder: Path, contents, start_ns: int, duration: int) -> None:
    edit(folder, lambda metadata: metadata.update(
        duration={'nanoseconds': duration},
        starting_time={'nanoseconds_since_epoch': start_ns}))
    assert len(contents(folder)) == 2 * MESSAGES


@pytest.mark.parametrize('change', [
    lambda metadata: metadata.update(message_count=500),
    lambda metadata: metadata['topics_with_message_count'][0].update(message_count=61),
    lambda metadata: metadata['topics_with_message_count'].append(
        {'topic_metadata': {'name': '/c', 'type': 'std_msgs/msg/String'}, 'message_count': 3}),
], ids=['total', 'topic', 'lost topic'])
def test_another_number_of_messages_than_in_the_metadata_is_logged_once(
        folder: Path, contents, change: Any, caplog: pytest.LogCaptureFixture) -> None:
    edit(folder, change)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert len(contents(folder)) == 2 * MESSAGES
    (line,) = caplog.messages
    assert re.search(r'holds 120 of the \d+ messages in metadata\.yaml', line)


def test_a_whole_bag_is_read_without_a_line(
        folder: Path, contents, caplog: pytest.LogCaptureFixture) -> None:
    assert len(contents(folder)) == 2 * MESSAGES
    assert caplog.messages == []


@pytest.mark.parametrize('text', [None, '', '{', 'no: bag', 'rosbag2_bagfile_information: 3',
                                  'rosbag2_bagfile_information: {version: 9}', '\udcff'])
def test_without_readable_metadata_all_storage_files_are_read(
        folder: Path, contents, text: str | None, caplog: pytest.LogCaptureFixture) -> None:
    path = folder / METADATA
    path.unlink()
    (folder / '._bag.mcap').write_bytes(b'of another system')
    if text is not None:
        path.write_bytes(text.encode('utf-8', 'surrogateescape'))
    assert len(contents(folder)) == 2 * MESSAGES
    assert f'`ros2 bag reindex {folder}`' in caplog.text


def split(folder: Path, suffix: str, order: tuple[int, ...]) -> None:
    """Replace a bag by one of three files, listed in the given order."""
    plugin = StoragePlugin.MCAP if suffix == '.mcap' else StoragePlugin.SQLITE3
    for number in (1, 2):
        part = write_bag(folder.parent / f'part{number}', plugin, begin=1000 * number)
        shutil.copy(part / f'part{number}{suffix}', folder / f'bag_{number}{suffix}')
    (folder / f'bag{suffix}').rename(folder / f'bag_0{suffix}')
    edit(folder, lambda metadata: metadata.update(
        message_count=6 * MESSAGES,
        relative_file_paths=[f'bag_{number}{suffix}' for number in order]))
    for topic in (0, 1):
        edit(folder, lambda metadata, topic=topic: metadata['topics_with_message_count'][topic]
             .update(message_count=3 * MESSAGES))


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 0, 1)])
def test_split_bags_are_read_in_order_of_times(
        folder: Path, contents, order: tuple[int, ...], caplog: pytest.LogCaptureFixture) -> None:
    (stored,) = storage_files(folder)
    split(folder, stored.suffix, order)
    times = [log_ns for log_ns, _, _ in contents(folder)]
    assert len(times) == 6 * MESSAGES
    assert times == sorted(times)
    assert caplog.messages == []
    (folder / METADATA).unlink()
    assert [log_ns for log_ns, _, _ in contents(folder)] == times


def test_a_missing_file_of_a_split_bag_is_an_error_with_its_name(folder: Path) -> None:
    (stored,) = storage_files(folder)
    split(folder, stored.suffix, (0, 1, 2))
    (folder / f'bag_1{stored.suffix}').unlink()
    with pytest.raises(SessionError, match=r'bag_1\.\w+ is missing.*restore it'):
        find_bag_files(folder)


def test_a_file_that_the_metadata_do_not_list_is_named(
        folder: Path, contents, caplog: pytest.LogCaptureFixture) -> None:
    (stored,) = storage_files(folder)
    split(folder, stored.suffix, (0, 1))
    assert len(contents(folder)) == 4 * MESSAGES
    assert f'bag_2{stored.suffix} is not listed in metadata.yaml and not read' in caplog.text
    assert 'holds 240 of the 360 messages' in caplog.text


@pytest.mark.parametrize(('make', 'reason'), [
    (lambda path: None, 'does not exist'),
    (lambda path: path.touch(), r'rosbags-convert'),
    (lambda path: path.mkdir(), r'nor is there a \.mcap or \.db3'),
], ids=['nothing', 'another file', 'empty folder'])
def test_what_is_no_bag_is_refused(tmp_path: Path, make: Any, reason: str) -> None:
    path = tmp_path / 'walk.bag'
    make(path)
    with pytest.raises(SessionError, match=reason), open_bag(path):
        pass


def test_two_storages_without_metadata_are_ambiguous(folder: Path) -> None:
    (folder / METADATA).unlink()
    (folder / 'other.db3').touch()
    (folder / 'other.mcap').touch()
    with pytest.raises(SessionError, match='give one of these files'):
        find_bag_files(folder)
