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

"""Record serialized messages of topics to a new bag.

Topics are subscribed as they appear, each with a QoS that all its publishers offer. Messages are
taken in batches and logged with the time at which the DDS layer received them, which costs less
than a callback for each and is more exact. (The events executor of rclpy 7.1 does not pass that
time to the callback of a raw subscription.)
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.subscription import Subscription

from utt_ros.bridge.node.diagnostics import Diagnostics
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.topic_types import common_topic, load_message_type, topic_qos
from utt_ros.errors import SessionError
from utt_ros.orchestration.bag_arguments import add_recorder_arguments
from utt_ros.sessions.bag_topic import BagTopic
from utt_ros.sessions.recorded_topics import RecordedTopics
from utt_ros.sessions.recorder import BagRecorder
from utt_ros.sessions.retention import KEEP_DAYS, delete_expired

TOPIC_DISCOVERY_SEC = 0.5
TAKE_SEC = 0.05
DEPTH = 1000  # messages of a topic between two takes


class RecorderNode(Node):
    """Subscribes to the selected topics and writes their messages."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__('recorder')
        self._chosen = RecordedTopics(args.prefixes, args.topic or [], pictures=args.pictures)
        self._inputs = Node(  # hidden, served by no executor; a given name does not apply to it
            '_recorder_inputs', namespace=self.get_namespace(), use_global_arguments=False,
            enable_rosout=False, start_parameter_services=False)
        self._topics: dict[str, tuple[BagTopic, Subscription]] = {}
        self._refused: set[str] = set()
        self._bag = BagRecorder(args.folder, custom=self._retention(args))
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TOPIC_DISCOVERY_SEC, self._discover, clock=steady)
        self.create_timer(TAKE_SEC, self._take, clock=steady)
        self._discover()
        self._diagnostics = Diagnostics(self, 'recorder', self._values)

    def is_over(self) -> bool:
        """Return False: a recording has no end of its own. Raises the error of the writer."""
        if self._bag.error:
            raise self._bag.error
        return False

    def destroy_node(self) -> None:
        """Write pending messages and complete the bag."""
        self._take()
        self._inputs.destroy_node()
        self._bag.close()
        lost = f', {self._bag.dropped} lost' if self._bag.dropped else ''
        if self._bag.error:
            self.get_logger().fatal(str(self._bag.error))
        self.get_logger().info(
            f'{self._bag.written} messages of {len(self._topics)} topics{lost}')
        super().destroy_node()

    @property
    def failed(self) -> bool:
        """Whether the bag is incomplete."""
        return self._bag.error is not None

    def _discover(self) -> None:
        for name, types in self.get_topic_names_and_types():
            if name in self._refused or not self._chosen.includes(name):
                continue
            if self._chosen.shows_people(types):
                self._refused.add(name)
                self.get_logger().info(f'{name} is left out: --pictures records pictures')
            else:
                publishers = self.get_publishers_info_by_topic(name)
                if publishers:
                    self._subscribe(common_topic(name, types[0], publishers))

    def _retention(self, args: argparse.Namespace) -> dict[str, str]:
        """Delete recordings whose days are over; return those of this one, as custom data."""
        try:
            for bag in delete_expired(args.folder.absolute().parent, time.time_ns()):
                self.get_logger().info(f'{bag} is deleted: its days are over')
        except SessionError as err:
            self.get_logger().error(f'a recording whose days are over is not deleted: {err}')
        return {} if args.keep_days is None else {KEEP_DAYS: f'{args.keep_days:g}'}

    def _subscribe(self, topic: BagTopic) -> None:
        """Subscribe to a topic; again when the QoS that its publishers share has changed."""
        known, subscription = self._topics.get(topic.name, (None, None))
        if topic == known:
            return
        kind = load_message_type(topic.type)
        if kind is None or not self._bag.can_record(topic.type):
            self._refused.add(topic.name)
            self.get_logger().warning(
                f'{topic.name} is left out: the definition of {topic.type} is not known')
            return
        if subscription is not None:
            self._take()
            self._inputs.destroy_subscription(subscription)
        self._bag.add(topic)
        self._topics[topic.name] = topic, self._inputs.create_subscription(
            kind, topic.name, _ignore, topic_qos(topic, DEPTH), raw=True)

    def _take(self) -> None:
        """Write the messages that have arrived."""
        for name, (_, subscription) in self._topics.items():
            handle, kind = subscription.handle, subscription.msg_type
            with handle:
                while (taken := handle.take_message(kind, True)) is not None:
                    data, info = taken
                    self._bag.write(info['received_timestamp'], name, data)

    def _values(self) -> Mapping[str, object]:
        return {
            'level': 'warn' if self._bag.dropped else 'ok',
            'message': f'{self._bag.dropped} messages lost' if self._bag.dropped else '',
            'topics': len(self._topics),
            'messages': self._bag.written,
            'lost': self._bag.dropped,
        }


def _ignore(_: bytes) -> None:
    """Do nothing as a callback: messages are taken, not delivered."""


def main(args: Sequence[str] | None = None) -> int:
    """Record until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog='recorder', description=__doc__)
    add_recorder_arguments(parser)
    created: list[RecorderNode] = []

    def make(given: argparse.Namespace) -> RecorderNode:
        created.append(RecorderNode(given))
        return created[0]

    code = run_node(make, args, RecorderNode.is_over, parser=parser)
    return 1 if created and created[0].failed else code


if __name__ == '__main__':
    sys.exit(main())
