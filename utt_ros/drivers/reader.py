"""Runs a source in a thread of its own: opens it, reads it, opens it again when it was lost."""

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
LASTED_S = 10.0  # a connection that lived for so long was good: the next wait is short again


@dataclass(frozen=True, slots=True)
class PumpSettings:
    """How patient a driver is."""

    queue: int = setting(
        10_000, 'samples that wait to be published; the oldest are dropped', low=1, high=1_000_000)
    first_wait: float = setting(
        0.5, 'wait before a lost source is opened again; doubled each time [s]',
        low=0.01, high=3600.0)
    longest_wait: float = setting(30.0, 'longest such wait [s]', low=0.01, high=3600.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class PumpStatus:
    """How a source does."""

    state: str  # opening, open, waiting or closed
    trouble: str  # why it was lost last; empty while it is open
    samples: int
    rate_hz: float  # of samples, over the last seconds
    dropped: int  # because the queue was full
    reopened: int
    silent_s: float  # since the last sample, or since the start
    refused: dict[str, int]  # by reason


class Pump:
    """The only caller of its source. `wake` is called from its thread when samples wait."""

    def __init__(
        self, source: Source[Any], settings: PumpSettings, wake: Callable[[], None],
    ) -> None:
        self._source, self._settings, self._wake = source, settings, wake
        self._queue: deque[Any] = deque()
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._state, self._trouble = 'closed', ''
        self._samples = self._dropped = self._reopened = 0
        self._heard_s = monotonic()
        self._recent: deque[tuple[float, int]] = deque()

    def start(self) -> None:
        """Begin to read; does nothing while a thread of before still has the source."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._heard_s = monotonic()
            self._thread = Thread(target=self._run, name='source', daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Close the source; false when it did not let go in time. May be asked again."""
        self._stop.set()
        thread = self._thread
        if thread is None or not thread.is_alive():  # also when Ctrl-C came while it began
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def take(self) -> list[Any]:
        """All samples that wait, oldest first."""
        with self._lock:
            taken = list(self._queue)
            self._queue.clear()
        return taken

    def status(self) -> PumpStatus:
        """How it does at this moment."""
        now_s = monotonic()
        with self._lock:
            self._forget(now_s)
            recent = sum(count for _, count in self._recent)
            return PumpStatus(
                self._state, self._trouble, self._samples, recent / RATE_WINDOW_S, self._dropped,
                self._reopened, now_s - self._heard_s, dict(self._source.counters))

    def _run(self) -> None:
        wait_s = self._settings.first_wait
        while not self._stop.is_set():
            begin_s = monotonic()
            try:
                self._state = 'opening'
                self._source.open()
                self._state, self._trouble = 'open', ''
                while not self._stop.is_set():
                    self._keep(self._source.read(POLL_S))
            except SourceError as err:
                self._trouble = str(err)
            except Exception as err:  # noqa: BLE001  a driver's fault must not end the process
                self._trouble = f'{type(err).__name__}: {err}'
            self._close()
            if monotonic() - begin_s > LASTED_S:
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
        except Exception as err:  # noqa: BLE001  such as a device that is gone
            self._trouble = f'{type(err).__name__}: {err}'

    def _keep(self, samples: Any) -> None:
        if not samples:
            return
        with self._lock:
            self._heard_s = monotonic()
            self._samples += len(samples)
            self._recent.append((self._heard_s, len(samples)))
            self._forget(self._heard_s)
            self._queue.extend(samples)
            surplus = max(0, len(self._queue) - self._settings.queue)
            self._dropped += surplus
            for _ in range(surplus):
                self._queue.popleft()
        self._wake()

    def _forget(self, now_s: float) -> None:
        while self._recent and now_s - self._recent[0][0] > RATE_WINDOW_S:
            self._recent.popleft()
