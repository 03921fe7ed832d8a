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

"""Publishers of a twin's subjects, created and destroyed as subjects come and go."""

from dataclasses import dataclass
from itertools import compress

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import Imu

from utt_ros.bridge.messages.predictions import imu_messages, path_messages, position_messages
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.twin.tick_types import TickImu, TickPositions, TickPredictions

KEEP_NS = 10_000_000_000  # lifetime of the publishers of a subject that left


@dataclass(slots=True)
class _Subject:
    position: Publisher
    trajectory: Publisher
    imu: Publisher
    seen_ns: int


class SubjectPublishers:
    """Publishes predictions below twins/<subject>/."""

    def __init__(self, node: Node, area: str) -> None:
        self._node, self._area = node, area
        self._subjects: dict[str, _Subject] = {}
        self.published = 0  # subjects times ticks

    def publish_positions(self, positions: TickPositions) -> None:
        """Publish the positions of a tick, which are available first."""
        messages = position_messages(
            self._area, positions.position, positions.covariance, positions.stamp_ns)
        for name, data in zip(positions.subjects, messages, strict=True):
            _send(self._subject(name, positions.stamp_ns).position, data)

    def imu_readers(self) -> set[str]:
        """Return the subjects whose synthesized IMU somebody subscribes to."""
        return {name for name, subject in self._subjects.items()
                if subject.imu.get_subscription_count()}

    def publish_trajectories(self, predictions: TickPredictions) -> None:
        """Publish the trajectories of a tick, which are available next."""
        subjects = [self._subject(name, predictions.stamp_ns) for name in predictions.subjects]
        trajectories = path_messages(
            self._area, predictions.trajectory, predictions.stamp_ns,
            predictions.trajectory_stamps_ns)
        for subject, data in zip(subjects, trajectories, strict=True):
            _send(subject.trajectory, data)
        self.published += len(subjects)

    def publish_imu(self, imu: TickImu) -> None:
        """Publish the synthesized IMU of the subjects whose topic exists."""
        messages = imu_messages(self._area, imu.subjects, imu.rows, imu.stamps_ns)
        plausible = np.isfinite(imu.rows[:, 0, 0])
        for name, rows in compress(zip(imu.subjects, messages, strict=True), plausible):
            for data in rows:
                _send(self._subjects[name].imu, data)

    def forget(self, now_ns: int) -> list[str]:
        """Destroy the publishers of subjects that left long ago, or before a jump back in time."""
        left = [name for name, subject in self._subjects.items()
                if not 0 <= now_ns - subject.seen_ns <= KEEP_NS]
        for name in left:
            self._destroy(self._subjects.pop(name))
        return left

    def close(self) -> None:
        for subject in self._subjects.values():
            self._destroy(subject)
        self._subjects.clear()

    def _subject(self, name: str, now_ns: int) -> _Subject:
        subject = self._subjects.get(name)
        if subject is None:
            create, root = self._node.create_publisher, f'twins/{name}'
            subject = self._subjects[name] = _Subject(
                create(PoseWithCovarianceStamped, f'{root}/position', RELIABLE),
                create(Path, f'{root}/trajectory', RELIABLE),
                create(Imu, f'{root}/imu', RELIABLE), now_ns)
        subject.seen_ns = now_ns
        return subject

    def _destroy(self, subject: _Subject) -> None:
        for publisher in (subject.position, subject.trajectory, subject.imu):
            self._node.destroy_publisher(publisher)


def _send(publisher: Publisher, data: bytes) -> None:
    """Publish like `publisher.publish(data)`, without checks that take a third of its time."""
    publisher.handle.publish_raw(data)
