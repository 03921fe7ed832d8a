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

from dataclasses import replace

from rclpy.node import Node

from utt_ros.bridge.messages.federation import model_to_message, round_status_to_message
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.federation import types
from utt_ros.federation.signing import NullSigner, Signer, sealed
from utt_ros.msg import GlobalModel, RoundStatus

MODEL_TOPIC = '/utt/model'
CHANGE_TOPIC = '/utt/model_change'
STATE_TOPIC = '/utt/round_state'  # for trainers


class RoundPublishers:
    """Topics `/utt/model`, `/utt/model_change`, `/utt/rounds` and `/utt/round_state`, sealed.

    The last is `/utt/rounds` without names: each of many trainers reads it. A completed round
    names the areas whose update was refused there, as they keep what a compression left out.
    """

    def __init__(self, node: Node, signer: Signer | None = None) -> None:
        self._node = node
        self._signer = signer or NullSigner()
        self._models = node.create_publisher(GlobalModel, MODEL_TOPIC, STATE)
        self._changes = node.create_publisher(GlobalModel, CHANGE_TOPIC, RELIABLE)
        self._rounds = node.create_publisher(RoundStatus, '/utt/rounds', RELIABLE)
        self._states = node.create_publisher(RoundStatus, STATE_TOPIC, RELIABLE)

    def publish_model(
        self, model: types.GlobalModel, change: types.GlobalModel | None = None,
    ) -> None:
        """Publish a model, and the change to it for those who have the one before."""
        for publisher, item in ((self._changes, change), (self._models, model)):
            if item is not None:
                publisher.publish(model_to_message(
                    sealed(item, self._signer), self._node.get_clock().now().to_msg()))

    def publish_status(self, status: types.RoundStatus) -> None:
        refused = dict.fromkeys(status.refused.keys() - status.accepted.keys(), '') if (
            status.state == 'completed') else {}
        nameless = replace(status, accepted={}, refused=refused, suspected={})
        for publisher, item in ((self._rounds, status), (self._states, nameless)):
            publisher.publish(round_status_to_message(
                item, self._node.get_clock().now().to_msg(), self._signer.sign(item)))

    def rivals(self) -> str:
        """Sentence about other aggregators of the domain; empty without any."""
        topic = self._models.topic_name  # after remappings
        others = self._node.count_publishers(topic) - 1
        return f'{others} other aggregators publish {topic}' if others > 0 else ''
