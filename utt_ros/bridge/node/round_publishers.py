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

"""Publishers of an aggregator: the global model and the state of the rounds."""

from rclpy.node import Node

from utt_ros.bridge.messages.federation import model_to_message, round_status_to_message
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.federation import types
from utt_ros.federation.signing import NullSigner, Signer, sealed
from utt_ros.msg import GlobalModel, RoundStatus

MODEL_TOPIC = '/utt/model'


class RoundPublishers:
    """Topics `/utt/model` and `/utt/rounds`, sealed by the signer of the aggregator."""

    def __init__(self, node: Node, signer: Signer | None = None) -> None:
        self._node = node
        self._signer = signer or NullSigner()
        self._models = node.create_publisher(GlobalModel, MODEL_TOPIC, STATE)
        self._rounds = node.create_publisher(RoundStatus, '/utt/rounds', RELIABLE)

    def publish_model(self, model: types.GlobalModel) -> None:
        self._models.publish(model_to_message(
            sealed(model, self._signer), self._node.get_clock().now().to_msg()))

    def publish_status(self, status: types.RoundStatus) -> None:
        self._rounds.publish(round_status_to_message(
            status, self._node.get_clock().now().to_msg(), self._signer.sign(status)))

    def rivals(self) -> str:
        """Sentence about other aggregators of the domain; empty without any."""
        topic = self._models.topic_name  # after remappings
        others = self._node.count_publishers(topic) - 1
        return f'{others} other aggregators publish {topic}' if others > 0 else ''
