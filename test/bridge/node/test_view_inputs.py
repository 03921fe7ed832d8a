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

"""A scene of live topics: it subscribes to what is wanted, and lets go of the rest."""

import time

import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path
from rclpy.node import Node
from utt_ros.msg import RoundStatus, TwinStatus

from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.bridge.node.view_inputs import ViewInputs
from utt_ros.view.scene import Scene

WAIT_SEC = 40.0


@pytest.fixture
def hall(ros):
    """Publish a status and positions of ann, who walks ahead, each time it is called."""
    node = Node('twin', namespace='hall')
    status = node.create_publisher(TwinStatus, 'twin_status', RELIABLE)
    position = node.create_publisher(PoseWithCovarianceStamped, 'twins/ann/position', RELIABLE)
    future = node.create_publisher(Path, 'twins/ann/trajectory', RELIABLE)
    rounds = node.create_publisher(RoundStatus, '/utt/rounds', STATE)
    rounds.publish(RoundStatus(round=7, state='collecting'))
    walked = [0.0]

    def publish():
        status.publish(TwinStatus(area='hall', subjects=['ann'], sources=['camera+ftm'],
                                  position_std=[0.2]))
        message = PoseWithCovarianceStamped()
        message.header.stamp.sec, message.header.frame_id = 5, 'hall'
        walked[0] += 0.01
        message.pose.pose.position.x = walked[0]
        message.pose.covariance[0] = message.pose.covariance[7] = 0.04
        position.publish(message)

    publish.position, publish.future = position, future
    yield publish
    node.destroy_node()


def test_people_of_running_areas_are_shown_while_they_are_wanted(hall, wait_until):
    scene, wanted = Scene(), {'status', 'position', 'rounds'}
    with ViewInputs() as inputs:
        assert inputs.playback is None

        def turn():
            hall()
            inputs.advance(scene, lambda topic: topic.kind in wanted, time.monotonic_ns())

        def people():
            return {person.name: person for person in scene.people()}

        wait_until(lambda: 'ann' in people() and scene.federation.round, WAIT_SEC, turn)
        first = people()['ann']
        assert (first.sources, first.root) == ('camera+ftm', '/hall')
        assert scene.federation.round.round == 7
        wait_until(lambda: people()['ann'].position[0] > first.position[0], WAIT_SEC, turn)
        assert inputs.topics == (
            '/hall/twin_status', '/hall/twins/ann/position', '/utt/rounds')
        wait_until(lambda: hall.position.get_subscription_count() == 1, WAIT_SEC)
        assert hall.future.get_subscription_count() == 0
        wanted.clear()
        wait_until(lambda: not hall.position.get_subscription_count(), WAIT_SEC, turn)
        assert inputs.topics == ()
    assert not scene.refused
