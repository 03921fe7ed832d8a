"""What other threads hand to the one that trains: bounded, and never waiting for it."""

import threading
from collections import deque

from utt_ros.federation.types import GlobalModel
from utt_ros.types import Windows

MAX_WINDOWS = 512


class Inbox:
    """The newest model, and windows in order; when too many wait the oldest are dropped."""

    def __init__(self) -> None:
        self.dropped = 0
        self._arrived = threading.Condition()
        self._model: GlobalModel | None = None
        self._windows: deque[Windows] = deque()

    def put_model(self, model: GlobalModel) -> None:
        """Replaces a model that was not taken yet."""
        with self._arrived:
            self._model = model
            self._arrived.notify()

    def put_windows(self, windows: Windows) -> None:
        """Add windows of one tick."""
        with self._arrived:
            if len(self._windows) == MAX_WINDOWS:
                self._windows.popleft()
                self.dropped += 1
            self._windows.append(windows)
            self._arrived.notify()

    def take(self, wait_sec: float) -> tuple[GlobalModel | None, list[Windows]]:
        """All that has arrived; waits up to `wait_sec` when it is nothing."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._model or self._windows, wait_sec)
            model, windows = self._model, list(self._windows)
            self._model = None
            self._windows.clear()
        return model, windows
