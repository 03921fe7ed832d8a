"""A node as a process: start, spin, stop cleanly."""

import os
import signal
from collections.abc import Callable, Sequence
from time import monotonic
from types import FrameType
from typing import TypeVar

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import Executor
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from utt_ros.errors import UttError

N = TypeVar('N', bound=Node)
POLL_SEC = 0.2
REPEAT_SEC = 1.0


def run_node(
    factory: Callable[[], N],
    args: Sequence[str] | None = None,
    done: Callable[[N], bool] = lambda _: False,
) -> int:
    """Run one node until SIGINT or SIGTERM, or until `done`, which is asked often.

    Returns 0; 2 when its settings are refused, so that starting it again would not help; 1 when an
    error of ours ends it later.
    """
    stop = StopRequest()
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = factory()
    except (UttError, ParameterException) as err:
        rclpy.logging.get_logger('utt_ros').fatal(str(err))
        rclpy.try_shutdown()
        return 2
    executor = EventsExecutor()
    executor.add_node(node)
    try:
        spin_until(executor, lambda: stop() or done(node))
    except UttError as err:
        node.get_logger().fatal(str(err))
        return 1
    finally:
        executor.remove_node(node)
        node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()
        # While the interpreter ends, Python's handlers are gone: a repeated request would kill it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return 0


class StopRequest:
    """Becomes true at the first SIGINT or SIGTERM; a later one ends the process at once.

    `ros2 launch` without a terminal passes on a Ctrl-C that the process may have had already, so
    one that follows within REPEAT_SEC is the same request.
    """

    def __init__(self) -> None:
        self._asked_s: float | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def __call__(self) -> bool:
        """Whether it was asked."""
        return self._asked_s is not None

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        now_s = monotonic()
        if self._asked_s is not None and now_s - self._asked_s > REPEAT_SEC:
            os._exit(128 + number)  # an exception may be thrown into code that cannot stand it
        self._asked_s = now_s


def spin_until(executor: Executor, done: Callable[[], bool]) -> None:
    """Serve callbacks until `done`.

    The events executor's own spin() busy-loops in the wheels of rclpy 7.1; spin_once with a
    timeout does not.
    """
    while not done() and executor.context.ok():
        executor.spin_once(timeout_sec=POLL_SEC)
