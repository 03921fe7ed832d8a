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

"""Publishers of subjects are created on first use and destroyed after they left."""

import numpy as np
import rclpy
from sensor_msgs.msg import Imu

from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.subject_publishers import KEEP_NS, SubjectPublishers
from utt_ros.twin.tick_types import TickImu, TickPositions


def positions(stamp_ns, *subjects):
    count = len(subjects)
    return TickPositions(
        stamp_ns, subjects, np.zeros((count, 2), np.float32),
        np.tile(np.eye(2, dtype=np.float32), (count, 1, 1)))


def topics(node):
    return {name for name, _ in node.get_topic_names_and_types() if '/twins/' in name
            and node.count_publishers(name)}


def test_publishers_of_a_subject_that_left_are_destroyed_also_after_a_jump_back(node):
    outputs = SubjectPublishers(node, 'hall')
    outputs.publish_positions(positions(0, 'ann', 'bob'))
    outputs.publish_positions(positions(KEEP_NS, 'bob'))
    assert outputs.forget(KEEP_NS + 1) == ['ann']
    outputs.publish_positions(positions(KEEP_NS, 'bob'))
    assert outputs.forget(5) == ['bob']


def test_topics_of_a_subject_exist_until_close(node, wait_until):
    outputs = SubjectPublishers(node, 'hall')
    outputs.publish_positions(positions(0, 'ann'))
    expected = {f'/hall/twins/ann/{name}' for name in ('position', 'trajectory', 'imu')}
    wait_until(lambda: topics(node) == expected)
    outputs.close()
    wait_until(lambda: not topics(node))


def test_synthesized_imu_is_published_to_those_who_read_it(node, wait_until):
    outputs, heard = SubjectPublishers(node, 'hall'), []
    outputs.publish_positions(positions(0, 'ann', 'bob'))
    assert outputs.imu_readers() == set()
    node.create_subscription(Imu, 'twins/bob/imu', heard.append, RELIABLE)
    wait_until(lambda: outputs.imu_readers() == {'bob'})
    rows = np.arange(18, dtype=np.float32).reshape(1, 2, 9)

    def publish():
        outputs.publish_imu(TickImu(('bob',), rows, rows, np.array([5, 7])))
        rclpy.spin_once(node, timeout_sec=0.05)

    wait_until(lambda: len(heard) >= 2, 30.0, publish)
    assert heard[1].header.stamp.nanosec == 7
    assert heard[1].linear_acceleration.x == 9.0
