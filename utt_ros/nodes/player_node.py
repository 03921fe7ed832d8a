"""Replay: the messages of bags, as they were stored, at their times, with a clock.

What is published is stored CDR, so nothing is deserialized; a type that is not installed costs its
topics and nothing else.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool

from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.topic_types import load_message_type, profile
from utt_ros.cdr import read_stamp
from utt_ros.errors import SessionError, UttError
from utt_ros.orchestration.bag_arguments import add_player_arguments, play_settings
from utt_ros.orchestration.terminal import keys, show
from utt_ros.sessions.player import Player
from utt_ros.sessions.recorded import Topic, find_topics
from utt_ros.types import NS_PER_S

CLOCK_TYPE = 'rosgraph_msgs/msg/Clock'
POLL_SEC = 0.05
SETTLED_SEC = 1.5  # nobody new listens since; synchronizers look for phones every 0.5 s
MATCHED_SEC = 0.3  # the listener's side learns of the match a little later
SHOW_SEC = 0.25
SWITCH_SEC = 0.0005  # the thread that reads must not keep the one that publishes waiting
OnPublish = Callable[[str, int], None]


class PlayerNode(Node):
    """Plays in a thread of its own from the moment it is made.

    `on_publish(topic, stamp_ns)` is called right before a message with a header is published, with
    the topic as it is in the bag and the header's stamp.
    """

    def __init__(self, options: argparse.Namespace, on_publish: OnPublish | None = None) -> None:
        super().__init__('player')
        self._remaps: list[tuple[str, str]] = options.remap or []
        self._wait_sec: float = options.wait_subscribers
        self._on_publish = on_publish
        self._outputs: dict[str, Publisher] = {}
        self._stamped: set[str] = set()
        self._clock = self.create_publisher(Clock, options.clock_topic, RELIABLE)
        for topic in find_topics(options.bags, options.topic):
            self._offer(topic)
        if not self._outputs:
            raise SessionError(f'{", ".join(map(str, options.bags))}: nothing to play')
        settings = play_settings(options)
        self._player = Player(
            options.bags, settings, self._outputs, self._publish, self._publish_clock)
        self._paused = self._stopped = False
        self._shown_s = 0.0
        self._error: UttError | None = None
        self.create_service(SetBool, '~/pause', self._on_pause)
        self._thread = threading.Thread(target=self._play, name='play', daemon=True)
        self._thread.start()

    def toggle(self, key: str = ' ') -> None:
        """Pause or resume, when the key is the space bar."""
        if key == ' ':
            self._paused = not self._paused
            self._player.pause(self._paused)

    def is_over(self) -> bool:
        """Show how far the replay is; whether it is over. Raises the error that ended it."""
        if self._error is not None:
            raise self._error
        if time.monotonic() - self._shown_s > SHOW_SEC:
            self._shown_s = time.monotonic()
            at = self._player.position
            paused = '   paused, space resumes' if at.paused else ''
            where = f'{at.bag}   {at.elapsed_s:.1f} of {at.length_s:.1f} s{paused}'
            show(where if at.bag else 'waiting until somebody listens')
        return not self._thread.is_alive()

    def destroy_node(self) -> None:
        """Stop playing first."""
        self._stopped = True
        self._player.stop()
        self._thread.join()
        show('')
        super().destroy_node()

    def _offer(self, topic: Topic) -> None:
        """Make the publisher of a topic, with what its own publishers had offered."""
        if topic.type == CLOCK_TYPE:
            return  # time is what this player says
        kind = load_message_type(topic.type)
        if kind is None:
            self.get_logger().warning(f'{topic.name} is left out: {topic.type} is not installed')
            return
        name = topic.name
        for old, new in self._remaps:
            if name.startswith(old):
                name = new + name.removeprefix(old)
                break
        self._outputs[topic.name] = self.create_publisher(kind, name, profile(topic))
        if 'header' in kind.get_fields_and_field_types():
            self._stamped.add(topic.name)

    def _play(self) -> None:
        try:
            self._await_listeners()
            self._player.run()
        except UttError as err:
            self._error = err

    def _await_listeners(self) -> None:
        """Wait until somebody listens to every topic, or nobody new does, or the time is over."""
        begin_s = changed_s = time.monotonic()
        before = heard = 0
        while not self._stopped and heard < len(self._outputs):
            heard = sum(bool(each.get_subscription_count()) for each in self._outputs.values())
            now_s = time.monotonic()
            if heard != before:
                before, changed_s = heard, now_s
            is_settled = heard and now_s - changed_s > SETTLED_SEC
            if is_settled or now_s - begin_s >= self._wait_sec:
                break
            time.sleep(POLL_SEC)
        if heard and self._wait_sec:
            time.sleep(MATCHED_SEC)

    def _publish(self, topic: str, data: bytes) -> None:
        if self._on_publish is not None and topic in self._stamped:
            self._on_publish(topic, read_stamp(data))
        self._outputs[topic].publish(data)

    def _publish_clock(self, now_ns: int) -> None:
        now = Time(sec=now_ns // NS_PER_S, nanosec=now_ns % NS_PER_S)
        self._clock.publish(Clock(clock=now))

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = request.data
        self._player.pause(request.data)
        response.success = True
        return response


def main(args: Sequence[str] | None = None) -> int:
    """Play to the end, or until told to stop."""
    parser = argparse.ArgumentParser(prog='player', description=__doc__)
    add_player_arguments(parser)
    given = remove_ros_args(args)
    options = parser.parse_args(given if args is not None else given[1:])
    sys.setswitchinterval(SWITCH_SEC)

    def make() -> PlayerNode:
        node = PlayerNode(options)
        terminal.enter_context(keys(node.toggle))
        return node

    with ExitStack() as terminal:
        return run_node(make, args, PlayerNode.is_over)


if __name__ == '__main__':
    sys.exit(main())
