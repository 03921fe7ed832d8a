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

"""Topics of running areas as the source of a scene.

Messages are taken in batches when a view is brought up to date, serialized: of topics of which the
newest message counts a queue of one is kept, so what a view costs does not grow with their rate.
"""

from rclpy.node import Node
from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)
from rclpy.subscription import Subscription

from utt_ros.bridge.node.operator_node import OperatorNode
from utt_ros.bridge.node.qos import COLLECTED, STATE
from utt_ros.bridge.node.topic_types import load_message_type
from utt_ros.types import NS_PER_S
from utt_ros.view.scene import Scene
from utt_ros.view.scene_source import TopicFilter
from utt_ros.view.shown_topics import MAX_SHOWN_TOPICS, NEWEST_ONLY, ShownTopic, match_topic

LOOK_NS = NS_PER_S // 2  # between looks at the graph
QUEUE = 64  # messages of a topic between two updates
MAX_TAKEN = 256  # messages of a topic at an update
STATE_PROFILES = {'rounds': STATE, 'floor': STATE, 'twins': COLLECTED}


class ViewInputs(OperatorNode):
    """Subscriptions of a view, no more than it shows. For one thread, in a `with` block."""

    def __init__(self) -> None:
        super().__init__()
        self._inputs: dict[str, tuple[ShownTopic, Subscription]] = {}
        self._known: dict[str, ShownTopic | None] = {}  # by name
        self._looked_ns = -LOOK_NS

    @property
    def playback(self) -> None:
        """Return None: running areas have no time that could be moved."""
        return None

    @property
    def topics(self) -> tuple[str, ...]:
        """Names of the topics that are subscribed to, sorted."""
        return tuple(sorted(self._inputs))

    def close(self) -> None:
        """Destroy the subscriptions."""
        for name in list(self._inputs):
            self._drop(name)

    def advance(self, scene: Scene, wants: TopicFilter, now_ns: int) -> None:
        """Take what has arrived, and subscribe to what is wanted and to nothing else."""
        scene.now_ns = now_ns
        if now_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = now_ns
            self._look(wants)
        for topic, subscription in sorted(
                self._inputs.values(), key=lambda item: item[0].kind != 'status'):
            messages = _take(subscription)
            if messages:
                scene.receive(topic, messages)

    def _look(self, wants: TopicFilter) -> None:
        """Subscribe to topics of the graph that are wanted, and no longer to the others."""
        wanted: dict[str, ShownTopic] = {}
        for name, types in self._node.get_topic_names_and_types():
            if name not in self._known:
                self._known[name] = match_topic(name, types)
            topic = self._known[name]
            if topic is not None and wants(topic) and len(wanted) < MAX_SHOWN_TOPICS and (
                    name in self._inputs or self._node.count_publishers(name)):
                wanted[name] = topic
        for name in self._inputs.keys() - wanted.keys():
            self._drop(name)
        for name in wanted.keys() - self._inputs.keys():
            self._subscribe(wanted[name])
        if len(self._known) > 4 * MAX_SHOWN_TOPICS:
            self._known.clear()

    def _subscribe(self, topic: ShownTopic) -> None:
        kind = load_message_type(topic.type)
        if kind is not None:
            self._inputs[topic.name] = topic, _subscribed(self._node, kind, topic)

    def _drop(self, name: str) -> None:
        self._node.destroy_subscription(self._inputs.pop(name)[1])


def _subscribed(node: Node, kind: type, topic: ShownTopic) -> Subscription:
    """Subscribe as to measurements, but to states: a view never holds up a publisher."""
    profile = STATE_PROFILES.get(topic.kind) or QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST, depth=1 if topic.kind in NEWEST_ONLY else QUEUE,
        reliability=QoSReliabilityPolicy.BEST_EFFORT,
        durability=QoSDurabilityPolicy.VOLATILE)
    return node.create_subscription(kind, topic.name, _ignore, profile, raw=True)


def _take(subscription: Subscription) -> list[bytes]:
    """Return the messages that have arrived, in order."""
    taken: list[bytes] = []
    handle, kind = subscription.handle, subscription.msg_type
    with handle:
        while len(taken) < MAX_TAKEN and (found := handle.take_message(kind, True)) is not None:
            taken.append(found[0])
    return taken


def _ignore(_: bytes) -> None:
    """Do nothing as a callback: messages are taken, not delivered."""
