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

"""Task twins of an area on ROS: their registry on a latched topic, services that change it."""

from threading import Lock
from typing import Any, Protocol

from rclpy.node import Node

from utt_ros.bridge.messages.federation import byte_array
from utt_ros.bridge.messages.task_twins import twin_to_message, twins_to_message
from utt_ros.bridge.node.operator_services import answer_request
from utt_ros.bridge.node.qos import STATE
from utt_ros.errors import UttError
from utt_ros.federation.wire import Tensors, pack
from utt_ros.msg import TaskTwins
from utt_ros.srv import GetTwinModel, ManageTwin
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import TaskTwin

TWINS_TOPIC = '/utt/twins'


class StoredTwinModel(Protocol):
    """A task twin with its weights."""

    @property
    def twin(self) -> TaskTwin: ...
    @property
    def config(self) -> str: ...
    @property
    def weights(self) -> Tensors: ...


class TwinManager(Protocol):
    """Registry of an area's task twins with access to their models."""

    registry: TwinRegistry

    def follow(self) -> None: ...
    def manage(self, verb: str, twin_id: str) -> tuple[TaskTwin, str]: ...
    def read(self, twin_id: str) -> StoredTwinModel: ...


class TwinServices:
    """Topic `/utt/twins` and services `~/manage_twin` and `~/get_twin_model` of a trainer.

    The topic follows the registry, from whichever thread it is changed.
    """

    def __init__(self, node: Node, area: str, manager: TwinManager) -> None:
        self._node, self._area, self._manager = node, area, manager
        self._lock = Lock()
        node.create_service(ManageTwin, '~/manage_twin', self._on_manage)
        node.create_service(GetTwinModel, '~/get_twin_model', self._on_get_model)
        self._publisher = node.create_publisher(TaskTwins, TWINS_TOPIC, STATE)
        if manager.registry.problem:
            node.get_logger().error(manager.registry.problem)
        manager.registry.listen(self.publish)
        self.publish()

    def publish(self) -> None:
        """Publish all twins of the area."""
        stamp = self._node.get_clock().now().to_msg()
        with self._lock:  # the newest state is published last
            self._publisher.publish(
                twins_to_message(self._area, self._manager.registry.twins, stamp))

    def follow_model(self) -> None:
        """Note that the area has another model; a registry that cannot be written is logged."""
        try:
            self._manager.follow()
        except UttError as err:
            self._node.get_logger().error(str(err), throttle_duration_sec=1.0)

    def _on_manage(self, request: ManageTwin.Request, response: Any) -> Any:
        def carry_out() -> str:
            twin, sentence = self._manager.manage(request.verb, request.id)
            response.twin = twin_to_message(twin)
            return sentence
        return answer_request(response, carry_out)

    def _on_get_model(self, request: GetTwinModel.Request, response: Any) -> Any:
        def carry_out() -> str:
            model = self._manager.read(request.id)
            packed = pack(model.weights)
            response.twin, response.config = twin_to_message(model.twin), model.config
            response.checksum, response.payload = packed.checksum, byte_array(packed.payload)
            return f'model of {request.id}, {len(packed.payload)} bytes'
        return answer_request(response, carry_out)
