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

"""Bounded queue from the threads of a server to the thread that reads the source."""

from collections import Counter, deque
from threading import Condition

from utt_ros.drivers.transport.sockets import Arrival


class Inbox:
    """Queue of at most `max_arrivals` and `max_bytes`; `counters` receives refusals by key."""

    def __init__(self, max_arrivals: int, max_bytes: int, counters: 'Counter[str]') -> None:
        self._max_arrivals, self._max_bytes = max_arrivals, max_bytes
        self._counters = counters
        self._queue: deque[Arrival] = deque()
        self._bytes = 0
        self._changed = Condition()

    def put(self, arrival: Arrival) -> bool:
        """Append an arrival; false, counted, when the queue is full."""
        with self._changed:
            if (len(self._queue) == self._max_arrivals
                    or self._bytes + len(arrival.data) > self._max_bytes):
                self._counters['queue_full'] += 1
                return False
            self._queue.append(arrival)
            self._bytes += len(arrival.data)
            self._changed.notify()
            return True

    def refuse(self, reason: str) -> None:
        """Count a refusal of a server thread."""
        with self._changed:
            self._counters[reason] += 1

    def take(self, timeout_s: float) -> list[Arrival]:
        """Return and remove all arrivals, oldest first; wait for one up to the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue, timeout_s)
            arrivals = list(self._queue)
            self._queue.clear()
            self._bytes = 0
        return arrivals
