"""A node as a process: start, spin, stop cleanly."""

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import rclpy
from rclpy.executors import Executor
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from utt_ros.errors import UttError

POLL_SEC = 0.2


def run_node(factory: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Run one node until SIGINT or SIGTERM; return 0, or 2 when an error of ours ends it."""
    stop = StopRequest()
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = factory()
    except UttError as err:
        rclpy.logging.get_logger('utt_ros').fatal(str(err))
        rclpy.try_shutdown()
        return 2
    executor = EventsExecutor()
    executor.add_node(node)
    try:
        spin_until(executor, stop)
    except UttError as err:
        node.get_logger().fatal(str(err))
        return 2
    finally:
        executor.remove_node(node)
        node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()
    return 0


class StopRequest:
    """Becomes true at the first SIGINT or SIGTERM; the second ends the process at once."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def __call__(self) -> bool:
        return self._asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            sys.exit(128 + number)
        self._asked = True


def spin_until(executor: Executor, done: Callable[[], bool]) -> None:
    """Serve callbacks until `done`.

    The events executor's own spin() busy-loops in the wheels of rclpy 7.1; spin_once with a timeout does not.
    """
    while not done() and executor.context.ok():
        executor.spin_once(timeout_sec=POLL_SEC)
