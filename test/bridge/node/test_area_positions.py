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

"""Positions of the areas of a graph reach the people of a building, over real DDS."""

from collections.abc import Callable

import numpy as np
import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.node import Node
from std_msgs.msg import String
from utt_ros.msg import TwinStatus

from utt_ros.bridge.node.area_positions import AreaPositions
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.building.located_people import BuildingPeople

Wait = Callable[..., None]
Spin = Callable[[], None]
NOW_NS = 1000


def status(area: str = 'hall', x: float = 10.0) -> TwinStatus:
    return TwinStatus(
        area=area, map_pose=[x, 0.0, 0.0, 0.0], subjects=['ann'], sources=['camera+ftm'])


def position(frame: str = 'hall', x: float = 2.0) -> PoseWithCovarianceStamped:
    message = PoseWithCovarianceStamped()
    message.header.frame_id, message.header.stamp.sec = frame, 7
    message.pose.pose.position.x = x
    message.pose.covariance[[0, 7]] = 0.04
    return message


@pytest.fixture
def people() -> BuildingPeople:
    return BuildingPeople()


@pytest.fixture
def inputs(node: Node, people: BuildingPeople) -> AreaPositions:
    return AreaPositions(node, people, '', lambda: NOW_NS)


def publish(node: Node, root: str, area: str = 'hall', subject: str = 'ann') -> Spin:
    """Return a function that publishes status and position of an area in a namespace."""
    statuses = node.create_publisher(TwinStatus, f'{root}/twin_status', RELIABLE)
    positions = node.create_publisher(
        PoseWithCovarianceStamped, f'{root}/twins/{subject}/position', RELIABLE)

    def send() -> None:
        statuses.publish(status(area))
        positions.publish(position(area))

    return send


def test_areas_are_found_wherever_their_namespace_is(
    node: Node, inputs: AreaPositions, people: BuildingPeople, spin: Spin, wait_until: Wait,
) -> None:
    senders = [publish(node, '/hall'), publish(node, '/site/stairs', 'stairs', 'ben')]

    def step() -> None:
        inputs.refresh()
        for send in senders:
            send()
        spin()

    wait_until(lambda: len(people.people(NOW_NS)) == 2, spin=step)
    ann, ben = people.people(NOW_NS)
    assert ann.stamp_ns == 7_000_000_000
    assert (ann.subject, ann.area, ann.sources) == ('ann', 'hall', ('camera+ftm',))
    assert ann.position_m == pytest.approx((12.0, 0.0, 0.0))
    np.testing.assert_allclose(ann.covariance, 0.04 * np.eye(2), atol=1e-3)
    assert (ben.subject, ben.area, ben.sources) == ('ben', 'stairs', ('',))
    assert not inputs.refused


def test_areas_of_other_namespaces_and_topics_of_other_types_are_left_alone(
    node: Node, people: BuildingPeople, spin: Spin, wait_until: Wait,
) -> None:
    inputs = AreaPositions(node, people, '/site', lambda: NOW_NS)
    senders = [publish(node, '/site/hall'), publish(node, '/elsewhere/stairs', 'stairs', 'ben')]
    other = node.create_publisher(String, '/site/hall/twins/eve/position', RELIABLE)

    def step() -> None:
        inputs.refresh()
        for send in senders:
            send()
        spin()

    wait_until(lambda: people.people(NOW_NS), spin=step)
    assert [each.subject for each in people.people(NOW_NS)] == ['ann']
    assert people.areas == ('hall',)
    assert not other.get_subscription_count()


def test_subscriptions_end_with_their_topics(
    node: Node, inputs: AreaPositions, people: BuildingPeople, spin: Spin, wait_until: Wait,
) -> None:
    other = Node('other')
    send = publish(other, '/hall')

    def step() -> None:
        inputs.refresh()
        send()
        spin()

    wait_until(lambda: people.people(NOW_NS), spin=step)
    assert len(inputs._inputs) == 2
    other.destroy_node()
    wait_until(lambda: not inputs._inputs, spin=lambda: (inputs.refresh(), spin()))
    assert not inputs.areas


def test_positions_in_another_frame_and_statuses_without_a_name_are_refused(
    inputs: AreaPositions, people: BuildingPeople,
) -> None:
    inputs._on_status('/hall', status())
    inputs._on_position('/hall', 'ann', position('stairs'))
    inputs._on_position('/yard', 'ann', position(''))
    inputs._on_position('/hall', 'ann', position(x=float('nan')))
    inputs._on_status('/yard', status('no name'))
    inputs._on_status('/yard', status('yard', float('nan')))
    assert inputs.refused == 5
    assert people.areas == ('hall',)
    assert not people.people(NOW_NS)
    inputs._on_position('/hall', 'ann', position())
    assert len(people.people(NOW_NS)) == 1
