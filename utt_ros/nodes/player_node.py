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

"""Replay the messages of bags at their times, with a clock.

Stored CDR is published as it is, without deserialization. Topics whose message type is not
installed are left out.
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack

from rclpy.node import Node
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool
from tqdm import tqdm

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.subscriber_wait import TopicReader, wait_for_subscribers
from utt_ros.bridge.node.topic_types import load_message_type, topic_qos
from utt_ros.errors import SessionError, UttError
from utt_ros.orchestration.bag_arguments import add_player_arguments, play_settings, remapped
from utt_ros.orchestration.terminal import listen_for_keys
from utt_ros.sessions.bag_io import find_topics, topic_matches
from utt_ros.sessions.bag_topic import BagTopic
from utt_ros.sessions.player import Player, ReplayPosition

CLOCK_TYPE = 'rosgraph_msgs/msg/Clock'
SHOW_SEC = 0.25
MAX_LISTED_TOPICS = 12
SWITCH_SEC = 0.0005  # limits how long the reading thread delays the publishing one


class PlayerNode(Node):
    """Replay in a thread of its own, from construction on."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__('player')
        self._remaps: list[tuple[str, str]] = args.remap or []
        self._wait_sec: float = args.wait_subscribers
        self._outputs: dict[str, Publisher] = {}
        self._readers = [(TopicReader(self, name, args.wait_reader), read)
                         for name, read in zip(args.reader, args.read, strict=True)]
        self._clock_publisher = self.create_publisher(Clock, args.clock_topic, RELIABLE)
        topics = find_topics(args.bags)
        for topic in topics:
            if topic_matches(topic.name, args.topic):
                self._offer(topic)
        if not self._outputs:
            raise SessionError(f'{", ".join(map(str, args.bags))}: nothing to play')
        self._report_unplayed([topic.name for topic in topics
                               if not topic_matches(topic.name, args.topic)])
        self._player = Player(
            args.bags, play_settings(args), self._outputs, self._publish, self._publish_clock)
        self._paused = self._stopped = False
        self._shown_s = 0.0
        self._progress = tqdm(bar_format='{desc}', leave=False, disable=None)
        self._error: UttError | None = None
        self.create_service(SetBool, '~/pause', self._on_pause)
        self._thread = threading.Thread(target=self._play, name='play', daemon=True)
        self._thread.start()

    def toggle(self, key: str = ' ') -> None:
        """Pause or resume when `key` is the space bar."""
        if key == ' ':
            self._paused = not self._paused
            self._player.pause(self._paused)

    def is_over(self) -> bool:
        """Return whether the replay has ended, and show its progress. Raises the error of it."""
        if self._error is not None:
            raise self._error
        if time.monotonic() - self._shown_s > SHOW_SEC:
            self._shown_s = time.monotonic()
            self._progress.set_description_str(progress_text(self._player.position))
        return not self._thread.is_alive()

    def destroy_node(self) -> None:
        self._stopped = True
        self._player.stop()
        self._thread.join()
        self._progress.close()
        super().destroy_node()

    def _offer(self, topic: BagTopic) -> None:
        """Create the publisher of a topic with the QoS that was recorded."""
        if topic.type == CLOCK_TYPE:
            return  # this player publishes the time
        kind = load_message_type(topic.type)
        if kind is None:
            self.get_logger().warning(f'{topic.name} is left out: {topic.type} is not installed')
            return
        name = remapped(topic.name, self._remaps)
        self._outputs[topic.name] = self.create_publisher(kind, name, topic_qos(topic))

    def _play(self) -> None:
        try:
            self._wait_for_listeners()
            self._player.run()
        except UttError as err:
            self._error = err

    def _wait_for_listeners(self) -> None:
        """Block until the messages will be received, or the wait is over."""
        is_awaited = False
        for reader, pattern in self._readers:
            read = [publisher.topic_name for publisher in self._outputs.values()
                    if topic_matches(publisher.topic_name, [pattern])]
            is_awaited |= bool(read)
            unread = reader.wait(read, lambda: self._stopped) if read else []
            if unread:
                self.get_logger().warning(
                    f'{reader.name} does not subscribe to {_listed(unread)}: played anyway')
        if not is_awaited:
            wait_for_subscribers(self._outputs.values(), self._wait_sec, lambda: self._stopped)

    def _report_unplayed(self, topics: list[str]) -> None:
        if topics:
            reason = ', since nodes that publish such topics run' if self._readers else ''
            self.get_logger().info(f'left out of the replay{reason}: {_listed(topics)}')

    def _publish(self, topic: str, data: bytes) -> None:
        self._outputs[topic].publish(data)

    def _publish_clock(self, now_ns: int) -> None:
        self._clock_publisher.publish(Clock(clock=to_time(now_ns)))

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = request.data
        self._player.pause(request.data)
        response.success = True
        return response


def _listed(topics: list[str]) -> str:
    """Return the first topics of a list, and the number of the others."""
    others = len(topics) - MAX_LISTED_TOPICS
    return ', '.join(topics[:MAX_LISTED_TOPICS]) + (f' and {others} others' if others > 0 else '')


def progress_text(position: ReplayPosition) -> str:
    """Return the progress line of a replay."""
    if not position.bag:
        return 'waiting for subscribers'
    paused = '   paused, space resumes' if position.paused else ''
    return f'{position.bag}   {position.elapsed_s:.1f} of {position.length_s:.1f} s{paused}'


def main(args: Sequence[str] | None = None) -> int:
    """Play to the end, or until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog='player', description=__doc__)
    add_player_arguments(parser)
    sys.setswitchinterval(SWITCH_SEC)

    def make(given: argparse.Namespace) -> PlayerNode:
        node = PlayerNode(given)
        terminal.enter_context(listen_for_keys(node.toggle))
        return node

    with ExitStack() as terminal:
        return run_node(make, args, PlayerNode.is_over, parser=parser)


if __name__ == '__main__':
    sys.exit(main())
