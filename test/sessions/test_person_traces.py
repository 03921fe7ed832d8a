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

"""Rows of a person leave synchronized samples, beliefs and the people of a building."""

from typing import Any

import numpy as np

from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.person_traces import (
    BELIEFS,
    NAMELESS_TYPES,
    OBSERVED_TYPES,
    PEOPLE,
    SYNCED,
    PersonTraces,
)


def new(kind: str, **values: Any) -> Any:
    return typestore().types[kind](**values)


def header() -> Any:
    return new('std_msgs/msg/Header', stamp=new('builtin_interfaces/msg/Time', sec=1, nanosec=0),
               frame_id='hall')


def dumped(message: Any, kind: str) -> bytes:
    return bytes(typestore().serialize_cdr(message, kind))


def synced(subjects: list[str], tracks: list[str]) -> bytes:
    """Serialize samples with A = 1 further access point and C = 2 rows of IMU."""
    count = len(subjects)

    def numbers(width: int, kind: type = np.float32) -> Any:
        return (np.repeat(np.arange(1, count + 1), width)).astype(kind)

    return dumped(new(
        SYNCED, header=header(), epoch=0, sequence=0, camera_tick=True, subjects=subjects,
        track_ids=tracks, association=numbers(1), camera=numbers(5),
        camera_mask=numbers(1, np.uint8), ftm=numbers(2), ftm_age=numbers(1),
        ftm_mask=numbers(1, np.uint8), further_aps=1, further_ftm=numbers(2),
        further_ftm_age=numbers(1), further_ftm_mask=numbers(1, np.uint8), imu_rows=2,
        imu=numbers(18), imu_mask=numbers(2, np.uint8)), SYNCED)


def stripped(traces: PersonTraces, topic: str, kind: str, data: bytes) -> Any:
    left = traces.strip(topic, kind, data)
    assert left is not None
    return typestore().deserialize_cdr(left, kind)


def test_samples_lose_the_rows_of_the_person_in_every_list() -> None:
    message = stripped(PersonTraces(['ben']), '/hall/synced', SYNCED,
                       synced(['ann', 'ben', 'carl'], ['', '', '']))
    assert list(message.subjects) == ['ann', 'carl']
    widths = {'camera': 5, 'ftm': 2, 'further_ftm': 2, 'imu': 18, 'imu_mask': 2,
              'association': 1, 'further_ftm_age': 1}
    for field, width in widths.items():
        assert getattr(message, field).tolist() == [1] * width + [3] * width


def test_a_box_of_the_person_leaves_the_row_of_another() -> None:
    traces = PersonTraces(['ben'])
    traces.observe('/hall/synced', SYNCED, synced(['ben'], ['7']))
    message = stripped(traces, '/hall/synced', SYNCED, synced(['ann', 'carl'], ['7', '8']))
    assert message.camera_mask.tolist() == [0, 2]
    assert message.camera.tolist() == [0] * 5 + [2] * 5
    assert list(message.track_ids) == ['', '8']
    same = synced(['ann'], ['8'])
    assert traces.strip('/hall/synced', SYNCED, same) is same


def test_beliefs_lose_rows_and_their_signature() -> None:
    data = dumped(new(
        BELIEFS, header=header(), area='hall', subjects=['ann', 'ben'],
        mean=np.arange(10.0), covariance=np.arange(50.0), motion=np.arange(6.0),
        guided=np.array([True, False]), key_id='key', counter=3,
        signature=np.ones(64, np.uint8)), BELIEFS)
    message = stripped(PersonTraces(['ann']), '/utt/beliefs', BELIEFS, data)
    assert message.mean.tolist() == [5, 6, 7, 8, 9]
    assert message.guided.tolist() == [False]
    assert (message.key_id, message.counter, len(message.signature)) == ('', 0, 0)


def test_people_of_a_building_lose_the_person() -> None:
    def person(name: str) -> Any:
        return new('utt_ros/msg/Person', stamp=header().stamp, id=name, area='hall',
                   areas=['hall'], sources=['imu'], x=0.0, y=0.0, z=0.0,
                   covariance=np.zeros(4), age=0.0)

    data = dumped(new(PEOPLE, header=header(), people=[person('ann'), person('ben')]), PEOPLE)
    message = stripped(PersonTraces(['ann']), '/utt/people', PEOPLE, data)
    assert [each.id for each in message.people] == ['ben']


def test_a_name_is_a_whole_word() -> None:
    traces = PersonTraces(['ann', 'ben'])
    assert traces.is_own('/hall/phones/ann/ftm')
    assert not traces.is_own('/hall/phones/ann_2/ftm')
    assert traces.mentions(b'hall/ben: lost')
    assert not traces.mentions(b'anna, ann_2 and ruben')


def test_weights_are_not_searched_for_names() -> None:
    data = b'\x00\x01\x00\x00 ann '
    traces = PersonTraces(['ann'])
    assert traces.strip('/utt/model', 'utt_ros/msg/GlobalModel', data) is data
    assert traces.strip('/rosout', 'std_msgs/msg/String', data) is None


def test_types_that_are_named_exist() -> None:
    assert NAMELESS_TYPES | OBSERVED_TYPES | {PEOPLE, BELIEFS} <= typestore().types.keys()


def test_weights_that_happen_to_spell_a_name_stay() -> None:
    weights = b'\0ann\0'
    for kind in ('DeployedModel', 'DeployedTwin', 'GlobalModel', 'ModelUpdate'):
        kept = PersonTraces(['ann']).strip('/hall/model', f'utt_ros/msg/{kind}', weights)
        assert kept is weights
