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

"""Worker thread that processes the latest item and drops older ones of the same key that wait."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

from utt_ros.errors import UttError

Item = TypeVar('Item')


class LatestOnlyWorker(Generic[Item]):
    """Calls `work` in a thread of its own; a new item replaces the waiting one of its key.

    Items of at most `max_waiting` keys wait. An error of `work` is passed to `refuse`, in that
    thread, and the next item is processed.
    """

    def __init__(
        self, name: str, work: Callable[[Item], None],
        refuse: Callable[[Item, Exception], None],
        key: Callable[[Item], str] = lambda _item: '', max_waiting: int = 1,
    ) -> None:
        self._work, self._refuse = work, refuse
        self._key, self._max_waiting = key, max_waiting
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting: dict[str, Item] = {}

    def put(self, item: Item) -> bool:
        """Return at once; the item is processed unless a later one of its key replaces it.

        False: it is dropped, since items of as many other keys wait as may.
        """
        key = self._key(item)
        with self._lock:
            is_first = key not in self._waiting
            if is_first and len(self._waiting) >= self._max_waiting:
                return False
            self._waiting[key] = item
            if is_first:
                self._pool.submit(self._take, key)
        return True

    def close(self) -> None:
        """Wait for the item in work and drop the waiting ones."""
        self._pool.shutdown(cancel_futures=True)

    def _take(self, key: str) -> None:
        with self._lock:
            item = self._waiting.pop(key)
        try:
            self._work(item)
        except Exception as err:  # noqa: BLE001 - nobody awaits the future that would keep it
            self._refuse(item, err)


def describe_error(err: Exception) -> str:
    """Return the sentence of an error of this package, and the type too of any other."""
    return str(err) if isinstance(err, UttError) else repr(err)
