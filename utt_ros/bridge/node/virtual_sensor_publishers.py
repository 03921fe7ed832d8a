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

"""Virtual sensors of an area: task twins from its trainer in, measurements on topics out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher

from utt_ros.bridge.messages.virtual_measurements import (
    VIRTUAL_TOPICS,
    task_deployment_from_message,
    virtual_messages,
)
from utt_ros.bridge.node.qos import CONTESTED_STATES, SENSOR
from utt_ros.bridge.node.subject_publishers import KEEP_NS
from utt_ros.errors import ModelError
from utt_ros.federation.signing import Verifier
from utt_ros.federation.types import TaskDeployment
from utt_ros.msg import DeployedTwin
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.expected_measurements import ExpectedMeasurements
from utt_ros.twin.graph_layout import NEWEST_OUTPUTS
from utt_ros.twin.latest_worker import LatestOnlyWorker, describe_error
from utt_ros.twin.tick_types import PendingTick
from utt_ros.twin.virtual_sensors import (
    MAX_TASK_TWIN_ID_LENGTH,
    MAX_VIRTUAL_SENSORS,
    VirtualSensors,
    check_task_twin,
)
from utt_ros.types import Stamps

MAX_NEW_TOPICS = 16  # of a task twin at a refresh: each takes a millisecond or so
MAX_WAITING = 2 * MAX_VIRTUAL_SENSORS  # deployments that wait to be opened
GraphCheck = Callable[[bytes, Sequence[str]], object]
Expect = Callable[[str, int], ExpectedMeasurements]


class VirtualSensorPublishers:
    """Publishes measurements of task twins below twins/<id>/ while somebody subscribes to them.

    Topics exist while a task twin is in service and, of a phone, for KEEP_NS after its sources
    were last present. Task twins without subscribers are not evaluated.
    """

    def __init__(
        self, node: Node, area: AreaSettings, window: WindowSettings,
        wait_for_gap: Callable[[], object], *, check_graph: GraphCheck | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        """`wait_for_gap` returns between ticks: a graph is opened then, in a worker thread.

        `check_graph` raises ModelError for a graph that must not be opened in this process.
        """
        self._check_graph = check_graph
        self._node, self._area, self._wait_for_gap = node, area.area, wait_for_gap
        self._verifier = verifier
        self._sensors = VirtualSensors(area, window)
        self._topics: dict[str, _TwinTopics] = {}  # by id
        self._tick: PendingTick | None = None
        self._refused, self._refusal = 0, ''
        self._worker: LatestOnlyWorker[TaskDeployment] = LatestOnlyWorker(
            'task twin', self._open, lambda deployment, err: self._refuse(deployment.id, err),
            key=lambda deployment: deployment.id, max_waiting=MAX_WAITING)
        node.create_subscription(
            DeployedTwin, 'deployed_twins', self._on_message, CONTESTED_STATES)

    @property
    def failures(self) -> int:
        """Refused task twins, ticks at which one failed, and measurements out of limits."""
        return self._refused + self._sensors.failures + self._sensors.implausible

    @property
    def failure(self) -> str:
        """Reason of the newest of the failures."""
        return self._sensors.failure or self._refusal

    def publish(self, tick: PendingTick, imu_stamps_ns: Stamps, expect: Expect) -> None:
        """Publish the measurements of a tick; `imu_stamps_ns` (C,) are those of its IMU rows.

        `expect(target, stamp_ns)` returns those that the belief expects at the tick.
        """
        self._tick = tick
        for name, topics in self._topics.items():
            if topics.heard:
                made = self._sensors.measure(
                    name, tick.windows, topics.heard_phones,
                    lambda target: expect(target, tick.located.batch.stamp_ns))
                if made is not None:
                    for topic, message in virtual_messages(
                            topics.target, self._area, made, tick.located.batch.stamp_ns,
                            imu_stamps_ns):
                        topics.publish(topic, message)

    def refresh(self) -> None:
        """Create topics of new task twins and phones, drop old ones, look for subscribers."""
        targets = self._sensors.targets
        for name in self._topics.keys() - targets.keys():
            self._topics.pop(name).close()
        for name, target in targets.items():
            if name not in self._topics:
                self._topics[name] = _TwinTopics(self._node, f'twins/{name}', target)
            tick = self._tick.located if self._tick else None
            self._topics[name].refresh(
                self._sensors.subjects(name, tick.windows) if tick else (),
                tick.batch.stamp_ns if tick else 0)

    def close(self) -> None:
        """Destroy the topics."""
        for topics in self._topics.values():
            topics.close()
        self._topics.clear()
        self._tick = None

    def end(self) -> None:
        """Wait for a graph that is being opened."""
        self._worker.close()

    def values(self) -> Mapping[str, object]:
        """Return diagnostics, counted since start."""
        return {
            'task_twins': ' '.join(sorted(self._sensors.targets)),
            'task_twins_refused': self._refused,
            'task_twins_dropped': self._sensors.dropped,
            'task_twin_failures': self._sensors.failures,
            'task_twin_implausible': self._sensors.implausible,
        }

    def _on_message(self, message: DeployedTwin) -> None:
        """Refuse what cannot be genuine before it waits for the worker."""
        try:
            deployment = task_deployment_from_message(message, self._verifier, self._area)
            check_task_twin(deployment, self._area)
            if not self._worker.put(deployment):
                raise ModelError(f'graphs of {MAX_WAITING} others wait to be opened')
        except ModelError as err:
            self._refuse(message.id, err)

    def _open(self, deployment: TaskDeployment) -> None:
        if not deployment.graph:
            self._wait_for_gap()
            self._sensors.remove(deployment.id)
        elif not self._sensors.serves(deployment):
            if self._check_graph is not None:
                self._check_graph(deployment.graph, (NEWEST_OUTPUTS[deployment.target],))
            self._wait_for_gap()
            self._sensors.deploy(deployment, is_tried=self._check_graph is not None)

    def _refuse(self, name: str, err: Exception) -> None:
        self._refused += 1
        name = name[:MAX_TASK_TWIN_ID_LENGTH]
        self._refusal = f'task twin {name!r} refused: {describe_error(err)}'
        self._node.get_logger().error(self._refusal, throttle_duration_sec=1.0)


class _TwinTopics:
    """Topics of one task twin."""

    def __init__(self, node: Node, root: str, target: str) -> None:
        self.target = target
        self.heard: set[str] = set()  # topics that have subscribers
        self.heard_phones: set[str] | None = None  # None: a camera, which shows all people
        self._node, self._root = node, root
        self._publishers: dict[str, Publisher] = {}  # by topic
        self._phones: dict[str, int] = {}  # stamps at which sources were last present [ns]
        self._kinds = VIRTUAL_TOPICS[target]
        self._per_phone = '{}' in next(iter(self._kinds))

    def refresh(self, subjects: tuple[str, ...], stamp_ns: int) -> None:
        self._phones.update(dict.fromkeys(subjects, stamp_ns))
        self._phones = {phone: seen_ns for phone, seen_ns in self._phones.items()
                        if 0 <= stamp_ns - seen_ns <= KEEP_NS}
        owners = sorted(self._phones) if self._per_phone else ['']
        wanted = {topic.format(owner): kind for owner in owners
                  for topic, kind in self._kinds.items()}
        for topic in self._publishers.keys() - wanted.keys():
            self._node.destroy_publisher(self._publishers.pop(topic))
        missing = sorted(wanted.keys() - self._publishers.keys())
        for topic in missing[:MAX_NEW_TOPICS]:
            self._publishers[topic] = self._node.create_publisher(
                wanted[topic], f'{self._root}/{topic}', SENSOR)
        self.heard = {topic for topic, publisher in self._publishers.items()
                      if publisher.get_subscription_count()}
        if self._per_phone:
            self.heard_phones = {topic.split('/')[1] for topic in self.heard}

    def publish(self, topic: str, message: Any) -> None:
        if topic in self.heard:
            self._publishers[topic].publish(message)

    def close(self) -> None:
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers, self.heard = {}, set()
