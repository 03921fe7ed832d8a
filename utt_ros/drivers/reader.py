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

"""Source reader: a thread that opens a source, reads it, and reopens it after it was lost."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from utt_ros.drivers.source import Source
from utt_ros.errors import SourceError
from utt_ros.settings import check, setting

POLL_S = 0.2
RATE_WINDOW_S = 2.0
STABLE_S = 10.0  # a source that was open for longer resets the wait before the next reopening


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """Queue length and back-off of a reader."""

    queue: int = setting(
        10_000, 'samples in the queue; the oldest are dropped', low=1, high=1_000_000)
    first_wait: float = setting(
        0.5, 'wait before a lost source is reopened; doubled each time [s]',
        low=0.01, high=3600.0)
    longest_wait: float = setting(30.0, 'upper limit of that wait [s]', low=0.01, high=3600.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """State of a reader and its source."""

    state: str  # opening, open, waiting or closed
    error: str  # cause of the last loss; empty while the source is open
    samples: int
    rate_hz: float  # of samples, over the last RATE_WINDOW_S
    dropped: int  # from a full queue
    reopened: int
    silent_s: float  # since the last sample, or since the start
    refused: dict[str, int]  # by reason


class SourceReader:
    """Thread that alone calls a source; it calls `wake` when samples are queued."""

    def __init__(
        self, source: Source[Any], settings: ReaderSettings, wake: Callable[[], None],
    ) -> None:
        self._source, self._settings, self._wake = source, settings, wake
        self._queue: deque[Any] = deque()
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._state, self._error = 'closed', ''
        self._samples = self._dropped = self._reopened = 0
        self._sample_s = monotonic()
        self._recent: deque[tuple[float, int]] = deque()

    def start(self) -> None:
        """Start the thread; no effect while the previous one still holds the source."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._sample_s = monotonic()
            self._thread = Thread(target=self._run, name='source', daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Close the source; false when it has not released it within the timeout. Repeatable."""
        self._stop.set()
        thread = self._thread
        if thread is None or not thread.is_alive():  # also when Ctrl-C interrupted the start
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def take(self) -> list[Any]:
        """Return and remove all queued samples, oldest first."""
        with self._lock:
            samples = list(self._queue)
            self._queue.clear()
        return samples

    def status(self) -> ReaderStatus:
        now_s = monotonic()
        with self._lock:
            self._expire(now_s)
            recent = sum(count for _, count in self._recent)
            return ReaderStatus(
                self._state, self._error, self._samples, recent / RATE_WINDOW_S, self._dropped,
                self._reopened, now_s - self._sample_s, dict(self._source.counters))

    def _run(self) -> None:
        wait_s = self._settings.first_wait
        while not self._stop.is_set():
            opened_s = monotonic()
            try:
                self._state = 'opening'
                self._source.open()
                self._state, self._error = 'open', ''
                while not self._stop.is_set():
                    self._enqueue(self._source.read(POLL_S))
            except SourceError as err:
                self._error = str(err)
            except Exception as err:  # noqa: BLE001  a fault of a driver must not end the process
                self._error = f'{type(err).__name__}: {err}'
            self._close()
            if monotonic() - opened_s > STABLE_S:
                wait_s = self._settings.first_wait
            if not self._stop.is_set():
                self._state = 'waiting'
                self._stop.wait(wait_s)
                wait_s = min(2.0 * wait_s, self._settings.longest_wait)
                self._reopened += 1
        self._state = 'closed'

    def _close(self) -> None:
        try:
            self._source.close()
        except Exception as err:  # noqa: BLE001  such as an unplugged device
            self._error = f'{type(err).__name__}: {err}'

    def _enqueue(self, samples: Any) -> None:
        if not samples:
            return
        with self._lock:
            self._sample_s = monotonic()
            self._samples += len(samples)
            self._recent.append((self._sample_s, len(samples)))
            self._expire(self._sample_s)
            self._queue.extend(samples)
            surplus = max(0, len(self._queue) - self._settings.queue)
            self._dropped += surplus
            for _ in range(surplus):
                self._queue.popleft()
        self._wake()

    def _expire(self, now_s: float) -> None:
        while self._recent and now_s - self._recent[0][0] > RATE_WINDOW_S:
            self._recent.popleft()
