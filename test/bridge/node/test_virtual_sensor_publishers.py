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

"""Virtual sensors are published while they have subscribers and sources."""

from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Imu, MagneticField
from utt_ros.msg import DeployedTwin, Tracks

from utt_ros.bridge.messages.virtual_measurements import task_deployment_to_message
from utt_ros.bridge.node.qos import SENSOR, STATE
from utt_ros.bridge.node.subject_publishers import KEEP_NS
from utt_ros.bridge.node.virtual_sensor_publishers import (
    MAX_WAITING,
    VirtualSensorPublishers,
)
from utt_ros.federation.types import TaskDeployment
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.virtual_sensors import MAX_VIRTUAL_SENSORS, VirtualSensors
from utt_ros.types import CHANNELS, Windows

AREA = AreaSettings(area='hall')
SHAPE = WindowSettings()
T0 = 1_700_000_000_000_000_000
ROWS_NS = T0 - 20_000_000 * np.arange(5, 0, -1)
BOX = CameraModel(AREA).project([8.0, 1.0])
TRACKS, TRACKS_STD = '/hall/twins/t/camera/tracks', '/hall/twins/t/camera/tracks_std'


def tick(*names, stamp_ns=T0):
    """A tick of subjects whose ranges and IMU are measured."""
    values, masks = {}, {}
    for name, channels in CHANNELS.items():
        rows = SHAPE.ticks * (SHAPE.imu_rows if name == 'imu' else 1)
        values[name] = np.ones((len(names), rows, len(channels)), np.float32)
        masks[name] = np.full((len(names), rows), name != 'camera')
    windows = Windows(np.full(len(names), stamp_ns), names, values, masks)
    located = SimpleNamespace(windows=windows, batch=SimpleNamespace(stamp_ns=stamp_ns))
    return SimpleNamespace(windows=windows, located=located)


class Rig:
    """Virtual sensors of a node, the topic of their task twins, and subscribers."""

    def __init__(self, wait_until):
        self.node = Node('twin', namespace='/hall')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._wait_until = wait_until
        self._trainers = {}
        self.gaps, self.trials = [], []
        self.virtual = VirtualSensorPublishers(
            self.node, AREA, SHAPE, lambda: self.gaps.append(1),
            check_graph=lambda graph, _: self.trials.append(graph))

    def wait(self, condition):
        self._wait_until(condition, 30.0, self.spin)

    def spin(self):
        self._executor.spin_once(timeout_sec=0.02)

    def deploy(self, name, target, graph, sources=('ftm',), area='hall'):
        if name not in self._trainers:
            self._trainers[name] = self.node.create_publisher(
                DeployedTwin, 'deployed_twins', STATE)
        self._trainers[name].publish(task_deployment_to_message(TaskDeployment(
            area, name, sources, target, 'run', 1, '{}', (), graph), Time()))

    def hear(self, kind, topic):
        heard = []
        self.node.create_subscription(kind, topic, heard.append, SENSOR)
        return heard

    def topics(self):
        return {name for name, _ in self.node.get_topic_names_and_types()
                if '/twins/' in name and self.node.count_publishers(name)}

    def values(self):
        return self.virtual.values()

    def listening(self, topic):
        """Refresh until the subscription to a topic is known."""
        def known():
            self.virtual.refresh()
            return any(topic in topics.heard for topics in self.virtual._topics.values())
        self.wait(known)


def nothing_expected(target, stamp_ns):
    """A belief that knows nobody."""
    return {}


@pytest.fixture
def rig(ros, wait_until):
    rig = Rig(wait_until)
    yield rig
    rig.virtual.close()
    rig.virtual.end()
    rig.node.destroy_node()


def test_boxes_are_published_while_somebody_subscribes_and_never_computed_otherwise(
    rig, make_task_graph,
):
    rig.deploy('t', 'camera', make_task_graph(('ftm',), 'camera', BOX[None]))
    rig.wait(lambda: rig.values()['task_twins'] == 't')
    assert rig.gaps  # it was opened between ticks
    rig.virtual.refresh()
    rig.wait(lambda: rig.topics() == {TRACKS, TRACKS_STD})
    rig.virtual._sensors.measure = None  # which would raise an error
    rig.virtual.publish(tick('ann'), ROWS_NS, nothing_expected)
    del rig.virtual._sensors.measure
    boxes = rig.hear(Tracks, TRACKS)
    rig.listening('camera/tracks')

    def heard():
        rig.virtual.publish(tick('ann', 'bob'), ROWS_NS, nothing_expected)
        rig.spin()
        return boxes
    rig.wait(heard)
    assert [track.subject for track in boxes[0].tracks] == ['ann', 'bob']
    assert boxes[0].tracks[0].depth == pytest.approx(BOX[2])
    count = len(boxes)
    rig.virtual.publish(tick(), ROWS_NS, nothing_expected)  # no sources: not even nobody
    rig.spin()
    assert len(boxes) == count


def test_topics_of_phones_come_and_go_with_their_sources(rig, make_task_graph):
    rig.deploy('t', 'imu', make_task_graph(('ftm',), 'imu', np.full((5, 9), 1e-5)))
    rig.wait(lambda: rig.values()['task_twins'] == 't')
    rig.virtual.publish(tick('ann', 'bob'), ROWS_NS, nothing_expected)
    rig.virtual.refresh()
    of = {name: {f'/hall/twins/t/phones/{name}/imu/{kind}' for kind in ('data_raw', 'mag')}
          for name in ('ann', 'bob')}
    rig.wait(lambda: rig.topics() == of['ann'] | of['bob'])
    rows = rig.hear(Imu, '/hall/twins/t/phones/bob/imu/data_raw')
    others = rig.hear(MagneticField, '/hall/twins/t/phones/ann/imu/mag')
    rig.listening('phones/bob/imu/data_raw')
    rig.listening('phones/ann/imu/mag')

    def heard():
        rig.virtual.publish(tick('ann', 'bob'), ROWS_NS, nothing_expected)
        rig.spin()
        return len(rows) >= 5 and len(others) >= 5
    rig.wait(heard)
    assert [each.header.frame_id for each in rows[:5]] == ['hall/bob'] * 5
    rig.virtual.publish(tick('ann', stamp_ns=T0 + KEEP_NS + 1), ROWS_NS, nothing_expected)
    rig.virtual.refresh()
    rig.wait(lambda: rig.topics() == of['ann'])


def test_a_withdrawn_task_twin_takes_its_topics_with_it(rig, make_task_graph):
    graph = make_task_graph(('ftm',), 'camera', BOX[None])
    for name in ('t', 'u'):
        rig.deploy(name, 'camera', graph)
    rig.wait(lambda: rig.values()['task_twins'] == 't u')
    rig.virtual.refresh()
    rig.wait(lambda: len(rig.topics()) == 4)
    rig.deploy('u', 'camera', b'')
    rig.wait(lambda: rig.values()['task_twins'] == 't')
    rig.virtual.refresh()
    rig.wait(lambda: rig.topics() == {TRACKS, TRACKS_STD})


def test_a_repeated_deployment_is_not_tried_again(rig, make_task_graph, monkeypatch):
    found, serves = [], VirtualSensors.serves

    def note(sensors, deployment):
        found.append(serves(sensors, deployment))
        return found[-1]

    monkeypatch.setattr(VirtualSensors, 'serves', note)
    graph = make_task_graph(('ftm',), 'camera', BOX[None])
    rig.deploy('t', 'camera', graph)
    rig.wait(lambda: rig.values()['task_twins'] == 't')
    rig.deploy('t', 'camera', graph)
    rig.wait(lambda: any(found))
    other = make_task_graph(('ftm',), 'camera', 2.0 * BOX[None])
    rig.deploy('t', 'camera', other)
    rig.wait(lambda: rig.trials[1:])
    assert rig.trials == [graph, other]


def test_a_refused_task_twin_is_counted_and_named(rig, make_task_graph):
    rig.deploy('t', 'camera', b'no graph')
    rig.wait(lambda: rig.values()['task_twins_refused'] == 1)
    assert "task twin 't' refused: not a graph" in rig.virtual.failure
    rig.deploy('t', 'camera', make_task_graph(('ftm',), 'camera', BOX[None]), area='yard')
    rig.wait(lambda: rig.virtual.failures == 2)
    assert rig.values()['task_twins'] == ''


def test_after_closing_topics_return_with_the_next_refresh(rig, make_task_graph):
    rig.deploy('t', 'camera', make_task_graph(('ftm',), 'camera', BOX[None]))
    rig.wait(lambda: rig.values()['task_twins'] == 't')
    rig.virtual.refresh()
    rig.wait(lambda: rig.topics() == {TRACKS, TRACKS_STD})
    rig.virtual.close()
    rig.wait(lambda: not rig.topics())
    rig.virtual.refresh()
    rig.wait(lambda: rig.topics() == {TRACKS, TRACKS_STD})


def test_deployments_beyond_those_that_may_wait_are_refused(rig, make_task_graph):
    graph = make_task_graph(('ftm',), 'camera', BOX[None])
    go_on = Event()
    rig.virtual._wait_for_gap = go_on.wait
    for number in range(MAX_WAITING + 3):
        rig.deploy(f't{number}', 'camera', graph)
    rig.wait(lambda: rig.virtual.failures == 2)  # one is being opened
    assert 'graphs of 16 others wait to be opened' in rig.virtual.failure
    go_on.set()
    rig.wait(lambda: len(rig.values()['task_twins'].split()) == MAX_VIRTUAL_SENSORS)
