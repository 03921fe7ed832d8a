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

"""`utt run` with the real nodes: an area that replays a recording, from its start to Ctrl-C."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path as PathMessage
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Imu
from utt_ros.msg import FtmRange, People, TwinStatus

from utt_ros.bridge.node.qos import SENSOR
from utt_ros.cli.main import main
from utt_ros.orchestration.ros_environment import CHECKOUT

UTT = 'import sys; from utt_ros.cli.main import main; sys.exit(main())'
START_SEC = 90.0  # torch is imported, on a machine that may be busy
STOP_SEC = 30.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Simulate the first session of one area."""
    words = ['--areas', '1', '--minutes', '0.5', '--seed', '1']
    assert main(['simulate', '--out', str(tmp_path / 'sessions'), *words]) == 0
    return next(iter(sorted((tmp_path / 'sessions').glob('*/*/metadata.yaml')))).parent


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, '-c', UTT, 'run', *map(str, words)]
        with (tmp_path / 'output').open('wb') as output:
            started.append(subprocess.Popen(command, stdout=output, stderr=output, cwd=CHECKOUT))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_area_predicts_from_a_recording_until_ctrl_c(
    tmp_path: Path, ros: int, recording: Path, wait_until: Callable[..., None],
    run: Callable[..., subprocess.Popen[bytes]],
) -> None:
    area, received, node = recording.parent.name, set[str](), Node('watcher')
    bag = ['--bag', recording, '--loop', '--state', tmp_path / 'state']
    process = run(*bag)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    wanted = {'position': PoseWithCovarianceStamped, 'trajectory': PathMessage, 'imu': Imu}

    def listen() -> None:
        for topic, _ in node.get_topic_names_and_types():
            kind = topic.rpartition('/')[2]
            if topic.startswith(f'/{area}/twins/') and kind in wanted:
                message = wanted.pop(kind)
                node.create_subscription(
                    message, topic, lambda _, kind=kind: received.add(kind), SENSOR)
        executor.spin_once(timeout_sec=0.1)

    def on_status(status: TwinStatus) -> None:
        received.update({'model'} if status.model_ready else ())

    node.create_subscription(TwinStatus, f'/{area}/twin_status', on_status, SENSOR)
    node.create_subscription(
        People, '/utt/people',
        lambda message: received.update({'people'} if message.people else ()), SENSOR)
    outputs = {'imu', 'model', 'people', 'position', 'trajectory'}
    wait_until(lambda: received == outputs, timeout_sec=START_SEC, spin=listen)
    nodes = psutil.Process(process.pid).children()
    # of the area, its player, the building, the report of `utt status`, the fork server
    assert len(nodes) == 7
    sockets = [item.laddr.ip for each in nodes for item in each.net_connections('inet')]
    assert len(sockets) >= 12
    assert set(sockets) == {'127.0.0.1'}
    process.send_signal(signal.SIGINT)
    assert process.wait(STOP_SEC) == 0, (tmp_path / 'output').read_text()
    assert not any(child.is_running() for child in nodes)
    executor.shutdown()
    node.destroy_node()


def test_area_with_drivers_reads_its_phones(
    tmp_path: Path, ros: int, wait_until: Callable[..., None],
    run: Callable[..., subprocess.Popen[bytes]],
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    file, node = tmp_path / 'hall.yaml', Node('watcher')
    file.write_text(yaml.safe_dump({
        '/**': {'ros__parameters': {'area': 'hall', 'drivers': ['ftm']}},
        '/**/ftm': {'ros__parameters': {
            'unknown_std': 0.7, 'android_udp': {'host': '127.0.0.1', 'port': port}}}}))
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    ranges: list[FtmRange] = []
    node.create_subscription(FtmRange, '/hall/phones/ann/ftm', ranges.append, SENSOR)
    peer = CHECKOUT / 'test/drivers/peers/android_phone.py'
    words = [sys.executable, str(peer), 'udp', str(port), 'ann', '86000000', '5']
    with subprocess.Popen(words, stdin=subprocess.PIPE) as phone:
        process = run(file, '--state', tmp_path / 'state')
        wait_until(lambda: len(ranges) > 5, START_SEC, lambda: executor.spin_once(timeout_sec=0.1))
        phone.stdin.close()
    assert ranges[0].header.frame_id == 'hall/ap'
    assert abs(ranges[-1].header.stamp.sec - time.time()) < START_SEC
    process.send_signal(signal.SIGINT)
    assert process.wait(STOP_SEC) == 0, (tmp_path / 'output').read_text()
    executor.shutdown()
    node.destroy_node()


def test_settings_that_a_node_refuses_end_the_run_with_an_error(
    tmp_path: Path, ros_domain: int, run: Callable[..., subprocess.Popen[bytes]],
) -> None:
    file = tmp_path / 'area.yaml'
    own = '/**/sync:\n  ros__parameters: {lag: -1.0}\n'
    file.write_text(f'/**:\n  ros__parameters: {{area: hall}}\n{own}')
    process = run(file, '--external', '--state', tmp_path / 'state')
    assert process.wait(START_SEC) == 1
    output = (tmp_path / 'output').read_text()
    assert 'lag' in output
    assert 'failed: hall/sync ended with exit code 2' in output
