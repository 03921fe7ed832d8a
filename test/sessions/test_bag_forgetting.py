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

"""Bags are rewritten without a person: nothing of them stays, and everything of others does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_forgetting import forget_in_bag
from utt_ros.sessions.bag_io import write_bag
from utt_ros.sessions.bag_streams import BagStream
from utt_ros.sessions.message_types import typestore

SECOND = 1_000_000_000
STRING = 'std_msgs/msg/String'


def new(kind: str, **values: Any) -> Any:
    return typestore().types[kind](**values)


def header() -> Any:
    return new('std_msgs/msg/Header', stamp=new('builtin_interfaces/msg/Time', sec=1, nanosec=0),
               frame_id='hall')


def track(track_id: str, subject: str) -> Any:
    return new('utt_ros/msg/Track', track_id=track_id, subject=subject, center_x=1.0,
               center_y=1.0, depth=1.0, width=1.0, height=1.0, confidence=1.0)


def status(subjects: list[str], note: str = '') -> Any:
    count = len(subjects)
    return new('utt_ros/msg/TwinStatus', header=header(), area='hall', map_pose=np.zeros(4),
               round=7, model_ready=True, modalities=['imu'], missing=[], subjects=subjects,
               sources=['imu'] * count, position_std=np.arange(count, dtype=np.float32), ticks=1,
               ticks_lost=0, predictions=1, compute_p50=1.0, compute_p99=1.0, note=note)


def stream(topic: str, kind: str, *messages: Any) -> BagStream:
    data = [bytes(typestore().serialize_cdr(message, kind)) for message in messages]
    return BagStream(topic, kind, True, SECOND * np.arange(1, len(data) + 1), data)


def image() -> Any:
    return new('sensor_msgs/msg/Image', header=header(), height=1, width=1, encoding='mono8',
               is_bigendian=0, step=1, data=np.zeros(1, np.uint8))


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    empty = new('std_msgs/msg/Empty', structure_needs_at_least_one_member=0)
    write_bag(tmp_path / 'bag', [
        *(stream(f'/hall/phones/{name}/ftm', 'std_msgs/msg/Empty', empty)
          for name in ('ann', 'ann2', 'ben')),
        stream('/hall/camera/tracks', 'utt_ros/msg/Tracks',
               new('utt_ros/msg/Tracks', header=header(), tracks=[track('1', ''), track('2', '')]),
               new('utt_ros/msg/Tracks', header=header(), tracks=[track('1', 'ann')])),
        stream('/hall/camera/image_raw', 'sensor_msgs/msg/Image', image()),
        stream('/hall/twin_status', 'utt_ros/msg/TwinStatus', status(['ann', 'ben'], 'ann left'),
               status(['ben'])),
        stream('/rosout', STRING, new(STRING, data='phone ann is here'),
               new(STRING, data='phone ann2 is here')),
    ], {'area': 'hall', 'name': 'walk of ann'})
    return tmp_path / 'bag'


def decoded(contents: Callable[..., list[Any]], bag: Path, topic: str, kind: str) -> list[Any]:
    return [typestore().deserialize_cdr(data, kind) for _, _, data in contents(bag, {topic})]


def test_a_person_is_removed_and_others_stay(bag: Path, contents: Callable[..., Any]) -> None:
    found = forget_in_bag(bag, ['ann'])
    topics = {topic for _, topic, _ in contents(bag)}
    assert topics == {'/hall/phones/ann2/ftm', '/hall/phones/ben/ftm', '/hall/camera/tracks',
                      '/hall/twin_status', '/rosout'}
    assert (found.removed, found.changed, found.pictures) == (3, 3, 1)
    assert found.rounds == {'hall': (7,)}
    stored = b''.join(data for _, _, data in contents(bag)).replace(b'ann2', b'')
    assert b'ann' not in stored
    assert b'walk of' not in (bag / 'metadata.yaml').read_bytes()


def test_camera_tracks_of_the_person_go_also_before_they_had_a_name(
    bag: Path, contents: Callable[..., Any],
) -> None:
    forget_in_bag(bag, ['ann'])
    frames = decoded(contents, bag, '/hall/camera/tracks', 'utt_ros/msg/Tracks')
    assert [[each.track_id for each in frame.tracks] for frame in frames] == [['2'], []]


def test_rows_of_the_person_leave_the_lists(bag: Path, contents: Callable[..., Any]) -> None:
    forget_in_bag(bag, ['ann'])
    states = decoded(contents, bag, '/hall/twin_status', 'utt_ros/msg/TwinStatus')
    assert [(list(each.subjects), each.position_std.tolist(), each.note) for each in states] == [
        (['ben'], [1.0], ''), (['ben'], [0.0], '')]


def test_a_dry_run_and_a_stranger_change_nothing(bag: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in bag.iterdir()}
    assert forget_in_bag(bag, ['ann'], dry_run=True).removed == 3
    assert forget_in_bag(bag, ['carl']).is_unchanged
    assert {path.name: path.read_bytes() for path in bag.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ['bag']


def test_a_file_of_a_bag_is_refused(bag: Path) -> None:
    with pytest.raises(SessionError, match='is a file of a bag: give its folder'):
        forget_in_bag(next(bag.glob('*.mcap')), ['ann'])
