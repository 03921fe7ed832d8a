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

"""Publishers of a federated client: deployed graphs, training metrics and updates."""

from collections.abc import Callable, Iterable
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher

from utt_ros.bridge.messages.federation import (
    deployment_to_message,
    report_to_message,
    update_to_message,
)
from utt_ros.bridge.messages.virtual_measurements import task_deployment_to_message
from utt_ros.bridge.node.qos import RELIABLE, STATE, STATES
from utt_ros.federation.signing import NullSigner, Signer, sealed
from utt_ros.federation.types import Deployment, Report, TaskDeployment, Update
from utt_ros.msg import DeployedModel, DeployedTwin, ModelUpdate, TrainingMetrics


class ClientPublishers:
    """Topics of a trainer, below its area and, for updates, of the federation.

    Graphs and updates are sealed by the signer of the area.
    """

    def __init__(self, node: Node, signer: Signer | None = None) -> None:
        self._node = node
        self._signer = signer or NullSigner()
        create = node.create_publisher
        self._outputs: dict[type, tuple[Publisher, Callable[..., Any]]] = {
            Deployment: (create(DeployedModel, 'deployed_model', STATE), deployment_to_message),
            TaskDeployment: (
                create(DeployedTwin, 'deployed_twins', STATES), task_deployment_to_message),
            Report: (create(TrainingMetrics, 'training_metrics', RELIABLE), report_to_message),
            Update: (create(ModelUpdate, '/utt/updates', STATE), update_to_message),
        }

    def publish(self, events: Iterable[object]) -> None:
        """Publish those events that have a topic, in order."""
        stamp = self._node.get_clock().now().to_msg()
        for event in events:
            if type(event) in self._outputs:
                publisher, convert = self._outputs[type(event)]
                if isinstance(event, Deployment | TaskDeployment | Update):
                    event = sealed(event, self._signer)  # noqa: PLW2901
                publisher.publish(convert(event, stamp))
