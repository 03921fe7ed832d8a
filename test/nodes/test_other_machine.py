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

"""A participant of another machine: a network namespace with shared memory of its own.

It is as near as one computer gets to two; without the rights to make it, the tests are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from utt_ros.msg import GlobalModel

from utt_ros.bridge.node.qos import STATE
from utt_ros.federation.checkpoints import CheckpointStore
from utt_ros.federation.keys import AGGREGATOR, KeyFolder, public_line
from utt_ros.federation.server import UNPROVEN, new_federation
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.orchestration.discovery import discovery_environment, open_environment
from utt_ros.settings import WindowSettings

INITIAL = {'imu.w': np.ones(10, np.float32)}
HEAR_SEC = 8.0
REMOTE = """
import json, sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
import rclpy
from rclpy.node import Node
from utt_ros.msg import GlobalModel, ModelUpdate, RoundStatus
from utt_ros.bridge.messages.federation import (
    model_from_message, round_status_from_message, update_to_message)
from utt_ros.bridge.node.qos import COLLECTED, RELIABLE, STATE
from utt_ros.federation.client_messages import make_update
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, sealed

keys, seconds = Path(sys.argv[1]), float(sys.argv[2])
rclpy.init()
node = Node('remote')
models, accepted, refused = [], set(), {}
updates = node.create_publisher(ModelUpdate, '/utt/updates', STATE)

def on_model(message):
    if not models:
        weights = {'imu.w': np.full(10, 3.0, np.float32)}
        update = make_update(model_from_message(message), 'remote', 5, ('imu',), weights)
        signed = sealed(update, KeySigner(KeyFolder(keys), 'remote'))
        updates.publish(update_to_message(signed, node.get_clock().now().to_msg()))
    models.append(message.round)

def on_status(message):
    status = round_status_from_message(message)
    accepted.update(status.accepted)
    refused.update(status.refused)

node.create_subscription(GlobalModel, '/utt/model', on_model, COLLECTED)
node.create_subscription(RoundStatus, '/utt/rounds', on_status, RELIABLE)
end = time.monotonic() + seconds
while time.monotonic() < end and not (accepted or refused):
    rclpy.spin_once(node, timeout_sec=0.1)
print(json.dumps({'models': len(models), 'accepted': sorted(accepted), 'refused': refused,
                  'nodes': node.get_node_names()}))
"""


def run_as_root(*words: str) -> bool:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode == 0


@pytest.fixture
def namespace() -> Iterator[tuple[str, str, str]]:
    """Make a network namespace; yield its name, our address in it and its own."""
    if shutil.which('ip') is None or os.geteuid() != 0:
        pytest.skip('network namespaces need iproute2 and root')
    number = os.getpid() % 250
    name, ours, theirs = f'utt{os.getpid()}', f'10.99.{number}.1', f'10.99.{number}.2'
    inside = ('ip', 'netns', 'exec', name)
    made = run_as_root('ip', 'netns', 'add', name) and all(run_as_root(*words) for words in (
        ('ip', 'link', 'add', f'a{name}', 'type', 'veth', 'peer', 'name', f'b{name}'),
        ('ip', 'link', 'set', f'b{name}', 'netns', name),
        ('ip', 'addr', 'add', f'{ours}/24', 'dev', f'a{name}'),
        ('ip', 'link', 'set', f'a{name}', 'up'),
        (*inside, 'ip', 'addr', 'add', f'{theirs}/24', 'dev', f'b{name}'),
        (*inside, 'ip', 'link', 'set', f'b{name}', 'up'),
        (*inside, 'ip', 'link', 'set', 'lo', 'up')))
    try:
        if not made or not run_as_root(
                *inside, 'unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/dev/shm'):
            pytest.skip('this machine does not permit network namespaces')
        yield name, ours, theirs
    finally:
        run_as_root('ip', 'netns', 'delete', name)
        run_as_root('ip', 'link', 'delete', f'a{name}')


Hear = Callable[..., dict]


@pytest.fixture
def hear(namespace: tuple[str, str, str], ros_domain: int, tmp_path: Path) -> Hear:
    """Take part from the other machine for some seconds; return what was heard."""
    name, ours, _ = namespace

    def run(keys: Path, seconds: float) -> dict:
        environment = {**os.environ, 'ROS_STATIC_PEERS': ours,
                       'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}
        shell = 'mount -t tmpfs tmpfs /dev/shm && exec "$@"'
        done = subprocess.run(
            ['ip', 'netns', 'exec', name, 'unshare', '-m', 'sh', '-c', shell, 'sh',
             sys.executable, '-c', REMOTE, str(keys), str(seconds)],
            env=environment, capture_output=True, text=True, timeout=seconds + 40, check=True)
        return json.loads(done.stdout)
    return run


Start = Callable[[Mapping[str, str]], None]


@pytest.fixture
def start(ros_domain: int, tmp_path: Path) -> Iterator[Start]:
    """Start an aggregator with one round of two areas in an environment."""
    store = CheckpointStore(tmp_path / 'state', keep=5)
    new_federation(store, dump_config(ModelSettings(), WindowSettings()), INITIAL)
    store.close()
    running: list[subprocess.Popen] = []

    def run(environment: Mapping[str, str]) -> None:
        words = ['state_dir:=' + str(store.folder), 'keys:=' + str(tmp_path / 'keys'),
                 "areas:=['remote','other']", 'quorum:=2']
        running.append(subprocess.Popen(
            [sys.executable, '-m', 'utt_ros.nodes.aggregator_node', '--ros-args',
             '-r', '__ns:=/utt', *(part for word in words for part in ('-p', word))],
            env={**os.environ, **environment}))
    yield run
    for process in running:
        process.terminate()
        process.wait(30.0)


def trust(keys: Path, name: str, of: Path) -> None:
    KeyFolder(keys).trust(public_line(name, KeyFolder(of).private(name).public_key()))


def test_another_machine_hears_nothing_of_a_closed_aggregator(
    start: Start, hear: Hear, listener, wait_until: Callable, tmp_path: Path,
) -> None:
    heard = listener.hear(GlobalModel, '/utt/model', STATE)
    trust(tmp_path / 'keys', 'remote', tmp_path / 'remote')
    start(discovery_environment(os.environ))
    wait_until(lambda: heard, 30.0, listener.spin)  # a tool of this machine, on its own settings
    found = hear(tmp_path / 'remote', HEAR_SEC)
    assert (found['models'], found['accepted'], found['refused']) == (0, [], {})
    assert 'aggregator' not in found['nodes'], 'nor its services to change state or parameters'


def test_another_machine_takes_part_with_a_trusted_key(
    start: Start, hear: Hear, namespace: tuple[str, str, str], tmp_path: Path,
) -> None:
    trust(tmp_path / 'keys', 'remote', tmp_path / 'remote')
    trust(tmp_path / 'remote', AGGREGATOR, tmp_path / 'keys')
    start(open_environment([namespace[2]]))
    found = hear(tmp_path / 'remote', 60.0)
    assert (found['accepted'], found['refused']) == (['remote'], {})


def test_another_machine_without_a_trusted_key_is_refused(
    start: Start, hear: Hear, namespace: tuple[str, str, str], tmp_path: Path,
) -> None:
    start(open_environment([namespace[2]]))
    found = hear(tmp_path / 'remote', 60.0)
    assert (found['accepted'], set(found['refused'])) == ([], {UNPROVEN})
    assert "in the name of 'remote'" in found['refused'][UNPROVEN]
