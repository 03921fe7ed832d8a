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

"""People of a building and counters of nodes are read from a bag."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.evaluation.recorded_people import read_listed_people, read_newest_values
from utt_ros.sessions.message_types import typestore

PEOPLE, DIAGNOSTICS = 'utt_ros/msg/People', 'diagnostic_msgs/msg/DiagnosticArray'
S = 1_000_000_000


def make(kind: str, **values: Any) -> Any:
    return typestore().types[kind](**values)


def header() -> Any:
    time = make('builtin_interfaces/msg/Time', sec=0, nanosec=0)
    return make('std_msgs/msg/Header', stamp=time, frame_id='map')


def person(name: str, area: str, seconds: int, x: float) -> Any:
    return make(
        'utt_ros/msg/Person', stamp=make('builtin_interfaces/msg/Time', sec=seconds, nanosec=7),
        id=name, area=area, areas=[area], sources=[''], x=x, y=-1.0, z=0.0,
        covariance=np.eye(2).ravel(), age=0.0)


def report(count: int) -> Any:
    values = [make('diagnostic_msgs/msg/KeyValue', key=key, value=value)
              for key, value in (('beliefs_taken', str(count)), ('message', ''))]
    status = make('diagnostic_msgs/msg/DiagnosticStatus', level=0, name='hall: twin', message='',
                  hardware_id='', values=values)
    return make(DIAGNOSTICS, header=header(), status=[status])


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    types = typestore()
    messages = ([], [person('ann', 'hall', 100, 2.0)],
                [person('ann', 'yard', 101, 3.0), person('bob', 'hall', 101, 5.0)])
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        people = writer.add_connection('/utt/people', PEOPLE, typestore=types)
        reports = writer.add_connection('/diagnostics', DIAGNOSTICS, typestore=types)
        for number, listed in enumerate(messages):
            message = make(PEOPLE, header=header(), people=listed)
            writer.write(people, (500 + number) * S, types.serialize_cdr(message, PEOPLE))
            writer.write(reports, (500 + number) * S, types.serialize_cdr(
                report(number), DIAGNOSTICS))
    return tmp_path / 'bag'


def test_people_of_the_building_are_read_by_message(bag: Path) -> None:
    found = read_listed_people(bag)
    assert found.message.tolist() == [1, 2, 2]
    assert found.subjects.tolist() == ['ann', 'ann', 'bob']
    assert found.areas.tolist() == ['hall', 'yard', 'hall']
    assert found.stamps_ns.tolist() == [100 * S + 7, 101 * S + 7, 101 * S + 7]
    assert found.positions_m.tolist() == [[2.0, -1.0], [3.0, -1.0], [5.0, -1.0]]


def test_newest_value_of_a_counter_is_read_by_node(bag: Path) -> None:
    assert read_newest_values(bag, 'beliefs_taken') == {'hall: twin': '2'}
    assert read_newest_values(bag, 'unknown') == {}
