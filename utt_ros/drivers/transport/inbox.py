"""What threads received for the one thread that reads a source."""

from collections import Counter, deque
from threading import Condition

from utt_ros.drivers.transport.sockets import Arrival


class Inbox:
    """At most `most` arrivals of `most_bytes` in all wait; `counters` gets what was refused."""

    def __init__(self, most: int, most_bytes: int, counters: 'Counter[str]') -> None:
        self._most, self._most_bytes, self._counters = most, most_bytes, counters
        self._queue: deque[Arrival] = deque()
        self._bytes = 0
        self._changed = Condition()

    def put(self, arrival: Arrival) -> bool:
        """False, and counted: there is no room."""
        with self._changed:
            if (len(self._queue) == self._most
                    or self._bytes + len(arrival.data) > self._most_bytes):
                self._counters['queue_full'] += 1
                return False
            self._queue.append(arrival)
            self._bytes += len(arrival.data)
            self._changed.notify()
            return True

    def refuse(self, reason: str) -> None:
        """Count what a thread could not take."""
        with self._changed:
            self._counters[reason] += 1

    def take(self, timeout_s: float) -> list[Arrival]:
        """What has been put, oldest first; waits for some, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue, timeout_s)
            taken = list(self._queue)
            self._queue.clear()
            self._bytes = 0
        return taken
