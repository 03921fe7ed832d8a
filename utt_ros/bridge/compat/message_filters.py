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

"""Time synchronization: the part of message_filters that is used, for machines without it.

Names and arguments are those of the Python API of message_filters 4 to 6, reimplemented; the same
tests run against both. There are two differences: callbacks run after the lock is released, so an
exception leaves the filter usable; and a full queue drops the message that arrived first instead
of the one with the oldest stamp, so that new messages survive a clock that jumped back.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import product
from threading import Lock
from types import ModuleType
from typing import Any

from rclpy.node import Node

from utt_ros.types import NS_PER_S

Queue = dict[int, Any]  # stamp [ns] -> message, in order of arrival


def load_message_filters() -> ModuleType:
    """Return ROS's message_filters if installed, else this module."""
    try:
        return import_module('message_filters')
    except ImportError:
        return import_module(__name__)


class SimpleFilter:
    """Filter whose output goes to registered callbacks."""

    def __init__(self) -> None:
        self._callbacks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def registerCallback(self, callback: Callable[..., None], *args: Any) -> int:  # noqa: N802
        """Call `callback(*messages, *args)` for every output; return its number."""
        self._callbacks.append((callback, args))
        return len(self._callbacks) - 1

    def signalMessage(self, *messages: Any) -> None:  # noqa: N802
        """Call all registered callbacks with an output."""
        for callback, args in self._callbacks:
            callback(*messages, *args)


class Subscriber(SimpleFilter):
    """Subscription whose messages go to registered callbacks."""

    def __init__(self, node: Node, message_type: type, topic: str, **options: Any) -> None:
        super().__init__()
        options.setdefault('qos_profile', 10)
        self.sub = node.create_subscription(message_type, topic, self.signalMessage, **options)


class TimeSynchronizer(SimpleFilter):
    """Joins messages of equal stamps, one of each input; each input queues `queue_size`."""

    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int) -> None:
        super().__init__()
        self.queue_size = queue_size
        self.queues: list[Queue] = [{} for _ in fs]
        self._lock = Lock()
        for index, source in enumerate(fs):
            source.registerCallback(self._on_message, index)

    def _on_message(self, message: Any, index: int) -> None:
        stamp = message.header.stamp
        stamp_ns = stamp.sec * NS_PER_S + stamp.nanosec
        with self._lock:
            queue = self.queues[index]
            queue.pop(stamp_ns, None)
            queue[stamp_ns] = message
            if len(queue) > self.queue_size:
                del queue[next(iter(queue))]
            stamps = self._match(stamp_ns, index)
            messages = [queue.pop(key) for queue, key in zip(self.queues, stamps, strict=False)]
        if messages:
            self.signalMessage(*messages)

    def _match(self, stamp_ns: int, index: int) -> tuple[int, ...]:  # noqa: ARG002 - see subclass
        """Return matching stamps, one per input, after input `index` received `stamp_ns`."""
        together = all(stamp_ns in queue for queue in self.queues)
        return (stamp_ns,) * len(self.queues) if together else ()


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """Joins messages, one of each input, whose stamps differ by less than `slop` seconds.

    The candidates nearest to the newest arrival are preferred. The output has the rate of the
    slowest input: messages in between are dropped.
    """

    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int, slop: float) -> None:
        super().__init__(fs, queue_size)
        self._slop_ns = int(slop * NS_PER_S)

    def _match(self, stamp_ns: int, index: int) -> tuple[int, ...]:
        candidates = []
        for number, queue in enumerate(self.queues):
            near = [stamp_ns] if number == index else self._near(queue, stamp_ns)
            if not near:
                return ()
            candidates.append(near)
        for stamps in product(*candidates):
            if max(stamps) - min(stamps) < self._slop_ns:
                return stamps
        return ()

    def _near(self, queue: Queue, stamp_ns: int) -> list[int]:
        near = [stamp for stamp in queue if abs(stamp - stamp_ns) < self._slop_ns]
        return sorted(near, key=lambda stamp: abs(stamp - stamp_ns))
