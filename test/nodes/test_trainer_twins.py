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

"""Task twins of a running trainer: they survive kill -9 and follow the model of the area."""

from collections.abc import Callable
from pathlib import Path

import pytest
from utt_ros.msg import TaskTwins
from utt_ros.srv import GetTwinModel, ManageTwin

from utt_ros.bridge.messages.task_twins import twin_from_message, twins_from_message
from utt_ros.bridge.node.qos import COLLECTED
from utt_ros.bridge.node.twin_services import TWINS_TOPIC
from utt_ros.federation.wire import checksum_of
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import TaskTwin

WORDS = ['--ros-args', '-r', '__ns:=/north']
SMALL = {
    'ticks': 8, 'horizon': 4, 'imu_rows': 2, 'model.width': 16, 'model.heads': 2,
    'model.feedforward': 16, 'federated': 'false', 'area': 'north',
    'modalities': "['ftm','imu']"}
TRANSFER = TaskTwin('', 'north', 'trajectory', ('ftm', 'imu'), operation='transfer')


@pytest.fixture
def start(start_node: Callable, tmp_path: Path) -> Callable:
    def run():
        given = SMALL | {'state_dir': tmp_path / 'state'}
        return start_node('trainer', *WORDS, *(
            word for name, value in given.items() for word in ('-p', f'{name}:={value}')))
    return run


def test_twins_survive_kill_9_and_serve_again(
    start: Callable, listener, operator, wait_until: Callable, tmp_path: Path,
) -> None:
    registry = TwinRegistry(tmp_path / 'state/twins', 'north', ('ftm', 'imu'), lambda: 1)
    registry.register(TRANSFER)
    heard: list[TaskTwins] = listener.hear(TaskTwins, TWINS_TOPIC, COLLECTED)
    known = lambda: {twin.id: twin for twin in twins_from_message(heard[-1])}  # noqa: E731
    first = start()
    wait_until(lambda: heard and known()['north_trajectory_2'].model.checksum, 60.0, listener.spin)
    assert sorted(known()) == ['north_position', 'north_tracking', 'north_trajectory_2']
    pinned = operator.call(
        ManageTwin, '/north/trainer/manage_twin', verb='pin', id='north_trajectory_2')
    assert pinned.message == 'north_trajectory_2 is pinned to the model of round 0'
    paused = operator.call(
        ManageTwin, '/north/trainer/manage_twin', verb='pause', id='north_trajectory_2')
    assert paused.success
    first.process.kill()
    first.expect(-9)
    first.wait()
    before = twin_from_message(paused.twin)
    assert (before.status, before.pinned) == ('paused', True)
    start()
    heard = listener.hear(TaskTwins, TWINS_TOPIC, COLLECTED)
    wait_until(lambda: heard and before in twins_from_message(heard[-1]), 60.0, listener.spin)
    model = operator.call(
        GetTwinModel, '/north/trainer/get_twin_model', id='north_trajectory_2')
    assert model.success
    assert checksum_of(bytes(model.payload)) == before.model.checksum
    again = operator.call(
        ManageTwin, '/north/trainer/manage_twin', verb='resume', id='north_trajectory_2')
    assert again.message == 'north_trajectory_2 serves again'


def test_a_damaged_registry_is_put_aside_and_the_trainer_lives_on(
    start: Callable, listener, wait_until: Callable, tmp_path: Path,
) -> None:
    folder = tmp_path / 'state/twins'
    folder.mkdir(parents=True)
    (folder / 'registry.json').write_text('{')
    heard = listener.hear(TaskTwins, TWINS_TOPIC, COLLECTED)
    trainer = start()
    wait_until(lambda: heard and heard[-1].twins[0].checksum, 60.0, listener.spin)
    assert [twin.id for twin in heard[-1].twins] == ['north_position', 'north_tracking']
    assert trainer.stop() == 0
    assert 'it is kept in' in trainer.said
    assert (tmp_path / 'state/twins.damaged-1/registry.json').read_text() == '{'
