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

"""Positions and clocks in a recorded bag."""

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.demo.recorded import read_published_positions, read_replay_clocks
from utt_ros.sessions.message_types import typestore

POSE = 'geometry_msgs/msg/PoseWithCovarianceStamped'
CLOCK = 'rosgraph_msgs/msg/Clock'
S = 1_000_000_000


def pose(types, seconds, x, y):
    kind = types.types
    time = kind['builtin_interfaces/msg/Time'](sec=seconds, nanosec=5)
    covariance = np.zeros(36)
    covariance[[0, 1, 6, 7]] = 4.0, 1.0, 1.0, 9.0
    inner = kind['geometry_msgs/msg/Pose'](
        position=kind['geometry_msgs/msg/Point'](x=x, y=y, z=0.0),
        orientation=kind['geometry_msgs/msg/Quaternion'](x=0.0, y=0.0, z=0.0, w=1.0))
    return kind[POSE](
        header=kind['std_msgs/msg/Header'](stamp=time, frame_id='hall'),
        pose=kind['geometry_msgs/msg/PoseWithCovariance'](pose=inner, covariance=covariance))


@pytest.fixture
def bag(tmp_path):
    types = typestore()
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        places = {name: writer.add_connection(f'/{name}/position', POSE, typestore=types)
                  for name in ('hall/twins/ann', 'hall/twins/bob', 'yard/twins/ann')}
        clocks = [writer.add_connection(name, CLOCK, typestore=types)
                  for name in ('/clock', '/yard/clock')]
        for number, place in enumerate(places.values()):
            message = pose(types, 100 + number, 1.0 + number, -2.0)
            writer.write(place, (500 + number) * S, types.serialize_cdr(message, POSE))
        for number, clock in enumerate(clocks):
            time = types.types['builtin_interfaces/msg/Time'](sec=100 + number, nanosec=0)
            data = types.serialize_cdr(types.types[CLOCK](clock=time), CLOCK)
            writer.write(clock, (600 + number) * S, data)
    return tmp_path / 'bag'


def test_positions_are_read_by_area_with_receive_times(bag):
    found = read_published_positions(bag)
    assert sorted(found) == ['hall', 'yard']
    hall = found['hall']
    assert hall.subjects.tolist() == ['ann', 'bob']
    assert hall.stamps_ns.tolist() == [100 * S + 5, 101 * S + 5]
    assert hall.received_ns.tolist() == [500 * S, 501 * S]
    assert hall.positions_m.tolist() == [[1.0, -2.0], [2.0, -2.0]]
    assert hall.covariances_m2[0].tolist() == [[4.0, 1.0], [1.0, 9.0]]


def test_unnamed_clock_belongs_to_all_areas_that_are_named(bag):
    found = read_replay_clocks(bag, ['hall', 'attic'])
    assert found['hall'].tolist() == found['attic'].tolist() == [[100 * S, 600 * S]]
    assert found['yard'].tolist() == [[101 * S, 601 * S]]
