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

"""Nodes as processes in the test's ROS domain, and a node that subscribes to their topics."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import Path as TrajectoryPath
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Imu
from std_srvs.srv import SetBool, Trigger
from utt_ros.msg import DeployedModel, SyncedSamples, TwinStatus

from utt_ros.bridge.messages.federation import deployment_to_message
from utt_ros.bridge.messages.sensors import samples_to_message, to_ns, to_time
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, sealed
from utt_ros.federation.types import Deployment
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import SyncedBatch

T0 = 1_700_000_000_000_000_000
CAMERA = CameraModel(AreaSettings(area='hall'))
ROOT = Path(__file__).parents[2]
EXIT_SEC = 30.0
TICK_SEC = 0.1


class NodeProcess:
    """One node; leaving a test stops it as Ctrl-C does and demands exit code 0."""

    def __init__(self, name: str, words: tuple[object, ...], stdin: int) -> None:
        command = [sys.executable, '-m', f'utt_ros.nodes.{name}_node', *map(str, words)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=stdin, stderr=subprocess.PIPE, text=True)
        self.said = ''
        self.expected = 0

    def expect(self, code: int) -> None:
        """Set the expected exit code."""
        self.expected = code

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal if it still runs; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; `said` is its stderr from then on."""
        if not self.process.stderr.closed:
            self.said += self.process.communicate(timeout=EXIT_SEC)[1]
        return self.process.returncode


class Listener:
    """A node in the test's process."""

    def __init__(self) -> None:
        self.node = Node('listener')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def hear(self, kind: type, topic: str, qos: QoSProfile, **options: Any) -> list[Any]:
        """Return a list to which the messages of a topic are appended on arrival."""
        heard: list[Any] = []
        self.node.create_subscription(kind, topic, heard.append, qos, **options)
        return heard

    def is_matched(self, topic: str) -> bool:
        """Return whether every subscription of a topic has a publisher."""
        return all(each.get_publisher_count() for each in self.node.subscriptions
                   if each.topic_name == topic)

    def spin(self) -> None:
        """Serve one callback."""
        self._executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()


class Operator:
    """Calls services of nodes, from a node of its own."""

    def __init__(self, wait_until: Callable[..., None]) -> None:
        self._node = Node('operator')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._wait_until = wait_until

    def call(self, kind: type, service: str, **fields: Any) -> Any:
        """Return the response of a service, which may have to appear first."""
        client = self._node.create_client(kind, service)
        spin = lambda: self._executor.spin_once(timeout_sec=0.05)  # noqa: E731
        self._wait_until(client.service_is_ready, 30.0, spin)
        future = client.call_async(kind.Request(**fields))
        self._wait_until(future.done, 30.0, spin)
        self._node.destroy_client(client)
        return future.result()

    def change(self, node: str, transition: str) -> bool:
        """Request 'activate', 'deactivate', ...; return whether it was carried out."""
        number = getattr(Transition, f'TRANSITION_{transition.upper()}')
        return self.call(
            ChangeState, f'{node}/change_state', transition=Transition(id=number)).success

    def trigger(self, service: str) -> tuple[bool, str]:
        response = self.call(Trigger, service)
        return response.success, response.message

    def switch(self, service: str, *, on: bool) -> tuple[bool, str]:
        response = self.call(SetBool, service, data=on)
        return response.success, response.message

    def set_parameter(self, node: str, name: str, value: Any) -> SetParametersResult:
        given = Parameter(name, value=value).to_parameter_msg()
        return self.call(SetParameters, f'{node}/set_parameters', parameters=[given]).results[0]

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()


class Hall:
    """An area whose twin gets ticks and graphs, and what it publishes."""

    def __init__(self, listener, wait_until):
        self.start = {'ann': (6.0, 1.0), 'bob': (8.0, -1.0)}  # both walk along x at 1 m/s
        self.listener, self._wait_until = listener, wait_until
        node = listener.node
        self.samples = node.create_publisher(SyncedSamples, '/hall/synced', RELIABLE)
        self.models = node.create_publisher(DeployedModel, '/hall/deployed_model', STATE)
        self.statuses = listener.hear(TwinStatus, '/hall/twin_status', RELIABLE)
        self.outputs = {
            (name, output): listener.hear(kind, f'/hall/twins/{name}/{output}', RELIABLE)
            for name in self.start for output, kind in (
                ('position', PoseWithCovarianceStamped), ('trajectory', TrajectoryPath),
                ('imu', Imu))}
        self.sequence = 0

    def wait(self, condition, timeout_sec=60.0):
        self._wait_until(condition, timeout_sec, self.listener.spin)

    def wait_listening(self):
        self.wait(lambda: self.samples.get_subscription_count()
                  and self.models.get_subscription_count())

    def wait_served(self, name, output='position'):
        """Tick until an output of a subject arrives; no later one is lost.

        Not faster than a live area, or queues of outputs overflow.
        """
        due_s = 0.0

        def step():
            nonlocal due_s
            if monotonic() >= due_s:
                due_s = monotonic() + TICK_SEC
                self.tick()
            self.listener.spin()
        self._wait_until(lambda: self.outputs[name, output], 60.0, step)

    def newest_ns(self, name, output='position'):
        """Stamp of the newest output of a subject; 0 without one."""
        heard = self.outputs[name, output]
        return to_ns(heard[-1].header.stamp) if heard else 0

    @property
    def status(self):
        return self.statuses[-1] if self.statuses else TwinStatus()

    def truth(self, name, sequence):
        x, y = self.start[name]
        return x + 0.1 * sequence, y

    def tick(self, names=('ann', 'bob'), *, camera=True, phones=True):
        """The phones lie flat and point north, which is along x."""
        count = len(names)
        truth = np.array([self.truth(name, self.sequence) for name in names]).reshape(-1, 2)
        imu = np.zeros((count, 5, 9), np.float32)
        imu[..., 2], imu[..., 6:] = 9.81, (0.0, 28e-6, -30e-6)
        ranges = np.hypot(np.hypot(*truth.T), 1.3)
        batch = SyncedBatch(
            T0 + self.sequence * 100_000_000, 0, self.sequence, camera, tuple(names),
            ('',) * count, np.ones(count, np.float32),
            CAMERA.project(truth).astype(np.float32) * camera, np.full(count, camera),
            np.stack([ranges, 0 * ranges + 0.3], 1).astype(np.float32),
            np.full(count, 0.1, np.float32), np.full(count, phones), imu,
            np.full((count, 5), phones))
        self.samples.publish(samples_to_message(batch, 'hall'))
        self.sequence += 1

    def deploy(self, graph, model_round, checksum=None, signer=None, area='hall'):
        deployment = Deployment(area, 'run', model_round, '{}', graph)
        message = deployment_to_message(sealed(deployment, signer or self.signer), to_time(T0))
        message.checksum = checksum or message.checksum
        self.models.publish(message)


@pytest.fixture
def operator(ros: int, wait_until: Callable[..., None]) -> Iterator[Operator]:
    node = Operator(wait_until)
    yield node
    node.close()


@pytest.fixture
def start_node(ros_domain: int, tmp_path: Path) -> Iterator[Callable[..., NodeProcess]]:
    """`start_node('sync', '--ros-args', ...)` runs a node, which must exit as expected."""
    running: list[NodeProcess] = []
    keys = ('-p', f'keys:={tmp_path / "keys"}')

    def start(name: str, *words: object, stdin: int = subprocess.DEVNULL) -> NodeProcess:
        words = (*words, *(keys if '--ros-args' in words else ()))
        running.append(NodeProcess(name, words, stdin))
        return running[-1]

    yield start
    codes = []
    for each in running:
        try:
            codes.append(each.stop())
        except subprocess.TimeoutExpired:
            each.process.kill()
            codes.append(each.wait())
        sys.stderr.write(each.said)
    assert codes == [each.expected for each in running]


@pytest.fixture
def listener(ros: int) -> Iterator[Listener]:
    node = Listener()
    yield node
    node.close()


@pytest.fixture
def hall(start_node, listener, wait_until, tmp_path):
    hall = Hall(listener, wait_until)
    hall.signer = KeySigner(KeyFolder(tmp_path / 'keys'), 'hall')
    start_node('twin', '--ros-args', '-r', '__ns:=/hall', '-p', 'area:=hall',
               '-p', f'magnetic_yaw:={np.pi / 2}')
    hall.wait_listening()
    return hall
