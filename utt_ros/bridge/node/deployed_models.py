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

"""Deployed models of an area's trainer, opened outside the callbacks of a node."""

from collections.abc import Callable

from rclpy.node import Node

from utt_ros.bridge.messages.federation import deployment_from_message
from utt_ros.bridge.node.qos import STATE
from utt_ros.errors import ModelError
from utt_ros.msg import DeployedModel
from utt_ros.twin.latest_worker import LatestOnlyWorker


class DeployedModels:
    """Subscription to `deployed_model`. The newest graph is passed to `use` in a worker thread.

    `use` raises ModelError for a graph that it refuses; the round and the graph in use stay then.
    Models of rounds before `min_round` are ignored.
    """

    def __init__(self, node: Node, use: Callable[[bytes], None], min_round: int = 0) -> None:
        self._node, self._use, self._min_round = node, use, min_round
        self.round: int | None = None  # of the graph in use
        self.refused = 0
        self.failure = ''
        self._worker: LatestOnlyWorker[DeployedModel] = LatestOnlyWorker('graph', self._open)
        node.create_subscription(DeployedModel, 'deployed_model', self._worker.put, STATE)

    def close(self) -> None:
        """Wait for a graph that is being opened."""
        self._worker.close()

    def _open(self, message: DeployedModel) -> None:
        if message.round < self._min_round:
            return
        try:
            deployment = deployment_from_message(message)
            self._use(deployment.graph)
            self.round = deployment.round
        except ModelError as err:
            self.refused += 1
            self.failure = f'model of round {message.round} refused: {err}'
            self._node.get_logger().error(self.failure)
