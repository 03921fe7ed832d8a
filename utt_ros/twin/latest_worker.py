"""A thread that always works on what came last."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar('T')


class NewestWorker(Generic[T]):
    """Calls `work` in a thread of its own; what comes meanwhile replaces what waits."""

    def __init__(self, name: str, work: Callable[[T], None]) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting: list[T] = []  # one at most

    def put(self, item: T) -> None:
        """Return at once; the item is worked on next, unless another one comes first."""
        self._waiting = [item]
        self._pool.submit(self._take)

    def close(self) -> None:
        """Wait for the item in work; drop the one that waits."""
        self._pool.shutdown(cancel_futures=True)

    def _take(self) -> None:
        items, self._waiting = self._waiting, []
        for item in items:
            self._work(item)
