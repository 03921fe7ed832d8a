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

"""The node of a building: people of two areas over DDS, and a floor plan for late subscribers."""

from collections.abc import Callable
from pathlib import Path
from time import time_ns
from typing import Any

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import OccupancyGrid
from utt_ros.msg import People, TwinStatus
from utt_ros.srv import GetHostTime
from visualization_msgs.msg import MarkerArray

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.types import NS_PER_S

IN_UTT = ('--ros-args', '-r', '__ns:=/utt')
WAIT_SEC = 30.0


class Areas:
    """Two areas of which each sees a person at x [m] in `map`; hall begins at 0, stairs at 10."""

    def __init__(self, node: Any, stairs_m: float = 10.0) -> None:
        self.x_m = 3.0
        self.origins = {'hall': 0.0, 'stairs': stairs_m}
        self._statuses = {name: node.create_publisher(
            TwinStatus, f'/{name}/twin_status', RELIABLE) for name in self.origins}
        self._positions = {name: node.create_publisher(
            PoseWithCovarianceStamped, f'/{name}/twins/ann/position', RELIABLE)
            for name in self.origins}

    def publish(self) -> None:
        for name, origin_m in self.origins.items():
            self._statuses[name].publish(TwinStatus(
                area=name, map_pose=[origin_m, 0.0, 0.0, 0.0], subjects=['ann'],
                sources=['camera+imu']))
            if abs(self.x_m - origin_m - 5.0) <= 6.0:  # areas overlap from 9 to 11 m
                message = PoseWithCovarianceStamped()
                message.header.frame_id, message.header.stamp.sec = name, 7
                message.pose.pose.position.x = self.x_m - origin_m
                message.pose.covariance[[0, 7]] = 0.04
                self._positions[name].publish(message)


def test_who_walks_through_two_areas_is_listed_once_all_the_way(
    start_node: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
) -> None:
    start_node('building', *IN_UTT)
    areas = Areas(listener.node)
    heard = listener.hear(People, '/utt/people', RELIABLE)
    drawn = listener.hear(MarkerArray, '/utt/building_markers', RELIABLE)

    def step() -> None:
        areas.publish()
        listener.spin()

    def areas_of_ann() -> list[str]:
        return list(heard[-1].people[0].areas) if heard and heard[-1].people else []

    for x_m, expected in ((3.0, ['hall']), (10.0, ['hall', 'stairs']), (14.0, ['stairs'])):
        areas.x_m = x_m
        wait_until(lambda: areas_of_ann() == expected, WAIT_SEC, step)  # noqa: B023
    assert {len(message.people) for message in heard} <= {0, 1}
    located = [message for message in heard if message.people]
    assert all(message.people for message in heard[heard.index(located[0]):])
    person = heard[-1].people[0]
    assert (heard[-1].header.frame_id, person.id, person.area) == ('map', 'ann', 'stairs')
    assert list(person.sources) == ['camera+imu']
    assert person.x == pytest.approx(14.0)
    wait_until(lambda: any(array.markers for array in drawn), WAIT_SEC, step)


def test_two_phones_of_one_name_are_reported(
    start_node: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
) -> None:
    start_node('building', *IN_UTT)
    areas = Areas(listener.node, stairs_m=100.0)
    reports = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)

    def step() -> None:
        for areas.x_m in (3.0, 103.0):
            areas.publish()
        listener.spin()

    def messages() -> list[str]:
        return [status.message for array in reports for status in array.status
                if status.name == 'utt: building']

    wait_until(lambda: any('two phones of one name' in text for text in messages()),
               WAIT_SEC, step)


def test_late_subscribers_get_the_floor_plan(
    start_node: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
    tmp_path: Path,
) -> None:
    cv2.imwrite(str(tmp_path / 'plan.png'), np.array([[0, 255]], np.uint8))
    (tmp_path / 'plan.yaml').write_text(
        'image: plan.png\nresolution: 0.1\norigin: [1.0, 2.0, 0.0]\n')
    start_node('building', '--floor-plan', tmp_path / 'plan.yaml', *IN_UTT)
    wait_until(lambda: listener.node.count_publishers('/map'), WAIT_SEC, listener.spin)
    heard = listener.hear(OccupancyGrid, '/map', STATE)
    wait_until(lambda: heard, WAIT_SEC, listener.spin)
    assert list(heard[0].data) == [100, 0]
    assert heard[0].header.frame_id == 'map'


def test_bad_floor_plan_ends_the_node_with_one_sentence(
    start_node: Callable[..., Any], tmp_path: Path,
) -> None:
    node = start_node('building', '--floor-plan', tmp_path / 'none.yaml', *IN_UTT)
    node.expect(2)
    assert node.wait() == 2
    assert 'none.yaml' in node.said
    assert 'Traceback' not in node.said


def test_a_host_whose_clock_is_ahead_is_reported(
    start_node: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
) -> None:
    def answer(_request: GetHostTime.Request, response: Any) -> Any:
        response.received = response.sent = to_time(time_ns() + 60 * NS_PER_S)
        return response

    listener.node.create_service(GetHostTime, '/hall/twin/get_host_time', answer)
    start_node('building', *IN_UTT)
    areas = Areas(listener.node)
    reports = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)

    def step() -> None:
        areas.publish()
        listener.spin()

    def said(key: str) -> str:
        return next((value.value for array in reversed(reports) for status in array.status
                     if status.name == 'utt: building' for value in status.values
                     if value.key == key), '')

    wait_until(lambda: said('clock_offsets').startswith('hall +'), WAIT_SEC, step)
    assert 'stairs' not in said('clock_offsets')
    wait_until(lambda: any(
        'the clock of the host of hall is 60.' in status.message
        and 'ahead of that of this host' in status.message
        for array in reports for status in array.status), WAIT_SEC, step)
