"""The calls of ROS's message_filters that we use, for machines that lack the package.

Same names and arguments as the Python API of message_filters 4 to 6, written anew; the same tests
run against both. Two things are better here: a callback runs after the lock is released, so one
that raises leaves the filter usable; and a full queue drops what arrived first instead of what is
oldest by its stamp, so after a clock that jumped back the new messages are not the ones that go.
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


def load() -> ModuleType:
    """The real message_filters where it is installed, else this module."""
    try:
        return import_module('message_filters')
    except ImportError:
        return import_module(__name__)


class SimpleFilter:
    """Something with output that others may register for."""

    def __init__(self) -> None:
        self._callbacks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def registerCallback(self, callback: Callable[..., None], *args: Any) -> int:  # noqa: N802
        """Call `callback(*messages, *args)` for every output; return its number."""
        self._callbacks.append((callback, args))
        return len(self._callbacks) - 1

    def signalMessage(self, *messages: Any) -> None:  # noqa: N802
        """Hand an output to everybody who registered."""
        for callback, args in self._callbacks:
            callback(*messages, *args)


class Subscriber(SimpleFilter):
    """A subscription whose messages go to whoever registers."""

    def __init__(self, node: Node, message_type: type, topic: str, **options: Any) -> None:
        super().__init__()
        options.setdefault('qos_profile', 10)
        self.sub = node.create_subscription(message_type, topic, self.signalMessage, **options)


class TimeSynchronizer(SimpleFilter):
    """Joins messages of equal stamps, one of each input; each input keeps at most `queue_size`."""

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
            messages = [queue.pop(each) for queue, each in zip(self.queues, stamps, strict=False)]
        if messages:
            self.signalMessage(*messages)

    def _match(self, stamp_ns: int, index: int) -> tuple[int, ...]:  # noqa: ARG002 - see subclass
        """Stamps, one per input, that belong together now that input `index` got `stamp_ns`."""
        together = all(stamp_ns in queue for queue in self.queues)
        return (stamp_ns,) * len(self.queues) if together else ()


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """Joins messages, one of each input, whose stamps all lie within less than `slop` seconds.

    Of several candidates it takes those nearest to the newest arrival. The output has the rate of
    the slowest input: messages in between are dropped.
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
        near = [each for each in queue if abs(each - stamp_ns) < self._slop_ns]
        return sorted(near, key=lambda each: abs(each - stamp_ns))
