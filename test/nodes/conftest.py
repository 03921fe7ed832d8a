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
from typing import Any

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from std_srvs.srv import SetBool, Trigger

ROOT = Path(__file__).parents[2]
EXIT_SEC = 10.0


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
        self._wait_until(future.done, 20.0, spin)
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
