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

"""A node as a process: start, spin, heartbeat, clean stop."""

import errno
import faulthandler
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from threading import current_thread
from threading import enumerate as enumerate_threads
from time import monotonic
from types import FrameType
from typing import TypeVar

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import Executor
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.node import Node

from utt_ros.bridge.node.node_arguments import default_parser, node_arguments, start_ros
from utt_ros.errors import UttError
from utt_ros.orchestration.heartbeat import Heartbeat
from utt_ros.orchestration.terminal import replace_unprintable

N = TypeVar('N', bound=Node)
SPIN_SEC = 0.2
REPEAT_SEC = 1.0
TRANSIENT = frozenset({errno.EAGAIN, errno.ENOMEM, errno.ENFILE, errno.EMFILE, errno.ENOSPC,
                       errno.EDQUOT})  # errors of a machine that has too little of something


def run_node(
    factory: Callable[..., N],
    args: Sequence[str] | None = None,
    done: Callable[[N], bool] = lambda _: False,
    *,
    parser: ArgumentParser | None = None,
    max_stop_sec: float = 0.0,
    members: Callable[[N], Sequence[Node]] = lambda node: (node,),
) -> int:
    """Run one node until SIGINT or SIGTERM, or until `done(node)`, which is polled.

    `args` begin with the first argument, those of the process without. A node with arguments of
    its own has a `parser` for them, and a factory that takes what it returns. A process that still
    runs `max_stop_sec` after the signal is ended by SIGALRM; 0: never.
    `members`: all nodes of the process, the one that the factory returns among them.

    Return 0; 2 when arguments, environment or settings are refused, so that a restart would not
    help; 1 when a UttError ends it later, or the machine lacks memory, space, processes or files
    at its start. Tracebacks of all threads are written at a crash, and at
    the SIGUSR2 that a supervisor sends to a process that hangs.
    """
    replace_unprintable()
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2)
    heartbeat = Heartbeat()
    heartbeat.beat()
    stop = StopRequest(max_stop_sec)
    words = sys.argv[1:] if args is None else list(args)
    try:
        given = node_arguments(parser or default_parser(factory), words)
        start_ros(words)
        node = factory() if parser is None else factory(given)
    except (UttError, ParameterException, OSError) as err:
        rclpy.logging.get_logger('utt_ros').fatal(str(err))
        rclpy.try_shutdown()
        return 1 if is_transient(err) else 2
    executor = EventsExecutor()
    for member in members(node):
        executor.add_node(member)
    try:
        spin_until(executor, lambda: stop() or done(node), heartbeat.beat)
    except UttError as err:
        node.get_logger().fatal(str(err))
        return 1
    finally:
        for member in members(node):
            executor.remove_node(member)
            member.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()
        # Python's handlers are gone while the interpreter ends: a repeated signal would kill it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return 0


def is_transient(err: BaseException | None) -> bool:
    """Return whether an error, or one that caused it, may be over at a later start."""
    while err is not None:
        if isinstance(err, OSError) and err.errno in TRANSIENT:
            return True
        err = err.__cause__
    return False


class StopRequest:
    """True from the first SIGINT or SIGTERM on; a later signal ends the process at once.

    `ros2 launch` without a terminal forwards a Ctrl-C that the process may have received already,
    so a signal within REPEAT_SEC is the same request.
    """

    def __init__(self, max_stop_sec: float = 0.0) -> None:
        """`max_stop_sec`: time from the first signal to the end by the kernel; 0: unlimited."""
        self._max_stop_sec = max_stop_sec
        self._requested_s: float | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def __call__(self) -> bool:
        return self._requested_s is not None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        now_s = monotonic()
        if self._requested_s is not None and now_s - self._requested_s > REPEAT_SEC:
            os._exit(128 + number)  # an exception could interrupt code that does not expect it
        if self._requested_s is None and self._max_stop_sec > 0.0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self._max_stop_sec)
        self._requested_s = now_s


def spin_until(
    executor: Executor, done: Callable[[], bool], turn: Callable[[], object] = lambda: None,
) -> None:
    """Execute callbacks until `done`; `turn` is called after each.

    The events executor's own spin() busy-loops in the wheels of rclpy 7.1; spin_once with a
    timeout does not.
    """
    while not done() and executor.context.ok():
        executor.spin_once(timeout_sec=SPIN_SEC)
        turn()


def abandon_threads(code: int) -> None:
    """End the process now if threads still run, which the interpreter would wait for."""
    if any(not thread.daemon for thread in enumerate_threads() if thread is not current_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
