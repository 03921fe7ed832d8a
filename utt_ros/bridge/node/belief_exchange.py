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

"""Beliefs of a twin to those of other areas, and theirs to it."""

from collections.abc import Mapping

from rclpy.node import Node

from utt_ros.bridge.messages.beliefs import beliefs_from_message, beliefs_to_message
from utt_ros.bridge.node.message_signing import MessageSigning
from utt_ros.bridge.node.qos import SENSOR
from utt_ros.errors import MeasurementError, SignatureRefused
from utt_ros.msg import SubjectBeliefs
from utt_ros.settings import AreaSettings
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.types import SyncedBatch

BELIEF_TICKS = 5  # between messages
REPEATED_LOG_SEC = 30.0


class BeliefExchange:
    """Publishes sure beliefs on /utt/beliefs, and keeps those of other areas.

    A lost one is followed by the next: they are exchanged as measurements are.
    """

    def __init__(
        self, node: Node, area: AreaSettings, neighbours: NeighbourBeliefs,
        signing: MessageSigning,
    ) -> None:
        self._node, self._area, self._neighbours = node, area.area, neighbours
        self._signing = signing
        self._output = node.create_publisher(SubjectBeliefs, '/utt/beliefs', SENSOR)
        self.refused = 0  # messages
        self.refusal = ''
        node.create_subscription(SubjectBeliefs, '/utt/beliefs', self._on_beliefs, SENSOR)

    def publish(self, batch: SyncedBatch, engine: TwinEngine) -> None:
        """Publish the sure beliefs at every BELIEF_TICKS-th tick, where there are any."""
        if batch.sequence % BELIEF_TICKS:
            return
        beliefs = engine.sure_beliefs(batch.stamp_ns)
        if beliefs.subjects:
            self._output.publish(beliefs_to_message(beliefs, self._signing.signer))

    def values(self) -> Mapping[str, object]:
        """Return diagnostics, counted since start."""
        return {
            'beliefs_kept': len(self._neighbours),
            'beliefs_taken': self._neighbours.taken,
            'beliefs_contradicted': self._neighbours.contradicted,
            'beliefs_refused': self.refused,
            'beliefs_refusal': self.refusal,
        }

    def _on_beliefs(self, message: SubjectBeliefs) -> None:
        if message.area == self._area:
            return
        try:
            self._neighbours.add(beliefs_from_message(message, self._signing.verifier))
        except (MeasurementError, SignatureRefused) as err:
            self.refused += 1
            self.refusal = f'beliefs of {message.area[:64]!r} refused: {err}'
            self._node.get_logger().warning(
                self.refusal, throttle_duration_sec=REPEATED_LOG_SEC)
