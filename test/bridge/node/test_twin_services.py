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

"""Task twins of an area on ROS: the latched topic follows the registry, services answer."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from rclpy.node import Node
from utt_ros.msg import TaskTwins
from utt_ros.srv import GetTwinModel, ManageTwin

from utt_ros.bridge.messages.task_twins import twin_from_message, twins_from_message
from utt_ros.bridge.node.qos import COLLECTED
from utt_ros.bridge.node.twin_services import TWINS_TOPIC, TwinServices
from utt_ros.errors import TwinError
from utt_ros.federation.wire import unpack
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import TaskTwin

TRANSFER = TaskTwin('', 'hall', 'trajectory', ('ftm',), operation='transfer')


class StoredModel(NamedTuple):
    twin: TaskTwin
    config: str
    weights: dict[str, np.ndarray]


class Manager:
    """Registry whose twins all have the same weights."""

    def __init__(self, folder: Path) -> None:
        self.registry = TwinRegistry(folder, 'hall', ('ftm',), lambda: 1)

    def follow(self) -> None:
        raise TwinError('the task twins of hall cannot be written: no space left')

    def manage(self, verb: str, twin_id: str) -> tuple[TaskTwin, str]:
        return getattr(self.registry, verb)(twin_id)

    def read(self, twin_id: str) -> StoredModel:
        return StoredModel(
            self.registry.live(twin_id), '{}', {'bias': np.ones(3, np.float32)})


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    return Manager(tmp_path / 'twins')


@pytest.fixture(autouse=True)
def services(node: Node, manager: Manager) -> TwinServices:
    return TwinServices(node, 'hall', manager)


def test_the_topic_follows_the_registry_also_for_late_subscribers(
    node: Node, manager: Manager, spin, wait_until,
) -> None:
    manager.registry.register(TRANSFER)
    heard: list[TaskTwins] = []
    node.create_subscription(TaskTwins, TWINS_TOPIC, heard.append, COLLECTED)
    wait_until(lambda: heard, spin=spin)
    assert (heard[-1].area, twins_from_message(heard[-1])) == ('hall', manager.registry.twins)
    manager.registry.pause('hall_trajectory_2')
    wait_until(lambda: twins_from_message(heard[-1]) == manager.registry.twins, spin=spin)
    assert heard[-1].twins[-1].status == 'paused'


def test_a_verb_is_carried_out_and_answered_with_the_twin(manager: Manager, call) -> None:
    twin = manager.registry.register(TRANSFER)
    answer = call(ManageTwin, 'manage_twin', verb='pause', id=twin.id)
    assert (answer.success, answer.message) == (
        True, 'hall_trajectory_2 is paused: it publishes nothing')
    assert twin_from_message(answer.twin) == manager.registry.get(twin.id)


def test_a_wrong_request_is_answered_with_one_sentence(manager: Manager, call) -> None:
    answer = call(ManageTwin, 'manage_twin', verb='pause', id='hall_positon')
    assert (answer.success, answer.message) == (
        False, "there is no task twin 'hall_positon': close to it: hall_position")
    manager.registry.remove(manager.registry.register(TRANSFER).id)
    answer = call(GetTwinModel, 'get_twin_model', id='hall_trajectory_2')
    assert (answer.success, answer.message) == (False, 'task twin hall_trajectory_2 is retired')


def test_a_model_travels_with_its_checksum(manager: Manager, call) -> None:
    answer = call(GetTwinModel, 'get_twin_model', id='hall_position')
    assert answer.success
    tensors = unpack(bytes(answer.payload), answer.checksum, 2**20)
    assert tensors['bias'].tolist() == [1.0, 1.0, 1.0]
    assert twin_from_message(answer.twin) == manager.registry.get('hall_position')


def test_a_registry_that_cannot_be_written_does_not_end_training(services: TwinServices) -> None:
    services.follow_model()
