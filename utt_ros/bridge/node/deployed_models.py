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
from utt_ros.bridge.node.qos import CONTESTED
from utt_ros.errors import ModelError
from utt_ros.federation.signing import Verifier
from utt_ros.federation.types import Deployment
from utt_ros.msg import DeployedModel
from utt_ros.twin.latest_worker import LatestOnlyWorker, describe_error


class DeployedModels:
    """Subscription to `deployed_model`. The newest is passed to `use` in a worker thread.

    `use` raises ModelError for a graph that it refuses; the round and the graph in use stay then.
    Models of rounds before `min_round` are ignored. Seals are verified before the hand-over to the
    worker, which keeps the newest graph only: a forged one must not replace a genuine one.
    """

    def __init__(
        self, node: Node, use: Callable[[Deployment], None], min_round: int = 0, *, area: str = '',
        verifier: Verifier | None = None,
    ) -> None:
        """`area`: the only one whose models are used; empty: any."""
        self._node, self._use, self._min_round = node, use, min_round
        self._area, self._verifier = area, verifier
        self.round: int | None = None  # of the graph in use
        self.refused = 0
        self.failure = ''
        self._worker: LatestOnlyWorker[Deployment] = LatestOnlyWorker(
            'graph', self._open, lambda deployment, err: self._refuse(deployment.round, err))
        node.create_subscription(DeployedModel, 'deployed_model', self._on_message, CONTESTED)

    def close(self) -> None:
        """Wait for a graph that is being opened."""
        self._worker.close()

    def _on_message(self, message: DeployedModel) -> None:
        if message.round < self._min_round:
            return
        try:
            self._worker.put(deployment_from_message(message, self._verifier, self._area))
        except ModelError as err:
            self._refuse(message.round, err)

    def _open(self, deployment: Deployment) -> None:
        self._use(deployment)
        self.round = deployment.round

    def _refuse(self, round_: int, err: Exception) -> None:
        self.refused += 1
        self.failure = f'model of round {round_} refused: {describe_error(err)}'
        self._node.get_logger().error(self.failure, throttle_duration_sec=1.0)
