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

"""Positions of all areas of the ROS graph, for the people of a building."""

import re
from collections.abc import Callable
from functools import partial

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.node import Node
from rclpy.subscription import Subscription

from utt_ros.bridge.messages.predictions import PLANE
from utt_ros.bridge.messages.sensors import to_ns
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.bridge.node.topic_types import message_type_name
from utt_ros.building.located_people import MAX_BUILDING_AREAS, MAX_POSITIONS, BuildingPeople
from utt_ros.errors import MeasurementError
from utt_ros.map_pose import MapPose
from utt_ros.msg import TwinStatus
from utt_ros.settings import AREA_NAME

AREA_TOPIC = re.compile(
    r'(?P<root>(?:/\w+)+)/(?:(?P<status>twin_status)|twins/(?P<subject>\w+)/position)', re.ASCII)
TOPIC_TYPES = {True: message_type_name(TwinStatus),
               False: message_type_name(PoseWithCovarianceStamped)}  # by whether it is a status
MAX_TOPICS = MAX_BUILDING_AREAS + MAX_POSITIONS
REPEAT_LOG_SEC = 5.0


class AreaPositions:
    """Subscribes to the status of every area below `prefix`, and to the positions of its people.

    Positions of an area are subscribed to once its status has told its name. A late sample is
    worth less than the next one, so positions are received as measurements are.
    """

    def __init__(
        self, node: Node, people: BuildingPeople, prefix: str, now_ns: Callable[[], int],
    ) -> None:
        """`prefix`: namespace above the areas, '' for none; `now_ns`: a steady clock."""
        self._node, self._people, self._now_ns = node, people, now_ns
        self._prefix = f'{prefix}/'
        self.areas: dict[str, str] = {}  # names by namespace
        self._inputs: dict[str, Subscription] = {}  # by topic
        self.refused = 0  # messages
        self.topics_refused = 0  # at the last look

    def refresh(self) -> None:
        """Look at the graph: subscribe to new topics, and no longer to those that vanished."""
        wanted = self._wanted()
        for topic in self._inputs.keys() - wanted.keys():
            self._node.destroy_subscription(self._inputs.pop(topic))
        for topic, match in wanted.items():
            if topic not in self._inputs:
                self._inputs[topic] = self._subscribe(topic, match)
        roots = {match['root'] for match in wanted.values()}
        self.areas = {root: name for root, name in self.areas.items() if root in roots}

    def _wanted(self) -> dict[str, re.Match[str]]:
        """Return matches of the topics to subscribe to, states first, at most MAX_TOPICS."""
        found = []
        for topic, kinds in self._node.get_topic_names_and_types():
            match = AREA_TOPIC.fullmatch(topic) if topic.startswith(self._prefix) else None
            if match and TOPIC_TYPES[bool(match['status'])] in kinds and (
                    match['status'] or match['root'] in self.areas) and (
                    self._node.count_publishers(topic)):  # own subscriptions keep a topic listed
                found.append((not match['status'], topic, match))
        found.sort(key=lambda item: item[:2])
        self.topics_refused = max(0, len(found) - MAX_TOPICS)
        return {topic: match for _, topic, match in found[:MAX_TOPICS]}

    def _subscribe(self, topic: str, match: re.Match[str]) -> Subscription:
        if match['status']:
            return self._node.create_subscription(
                TwinStatus, topic, partial(self._on_status, match['root']), RELIABLE)
        on_position = partial(self._on_position, match['root'], match['subject'])
        return self._node.create_subscription(
            PoseWithCovarianceStamped, topic, on_position, SENSOR)

    def _on_status(self, root: str, status: TwinStatus) -> None:
        try:
            if not AREA_NAME.fullmatch(status.area):
                raise MeasurementError(f'{status.area!r:.80} is not the name of an area')
            self._people.update_area(
                status.area, MapPose(*status.map_pose.tolist()),
                dict(zip(status.subjects, status.sources, strict=False)), self._now_ns())
        except MeasurementError as err:
            self._refuse(root, err)
        else:
            self.areas[root] = status.area

    def _on_position(self, root: str, subject: str, message: PoseWithCovarianceStamped) -> None:
        area, frame = self.areas.get(root, ''), message.header.frame_id
        try:
            if frame != area:
                raise MeasurementError(f'the position of {subject} is in the frame {frame!r:.80}: '
                                       f'it must be {area!r}')
            place = message.pose.pose.position
            self._people.update_position(
                area, subject, np.array([place.x, place.y]),
                message.pose.covariance[list(PLANE)].reshape(2, 2),
                stamp_ns=to_ns(message.header.stamp), now_ns=self._now_ns())
        except MeasurementError as err:
            self._refuse(root, err)

    def _refuse(self, root: str, err: MeasurementError) -> None:
        self.refused += 1
        self._node.get_logger().warning(
            f'{root}: refused: {err}', throttle_duration_sec=REPEAT_LOG_SEC)
