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

"""Worker thread that processes the latest item and drops older ones that wait."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar('Item')


class LatestOnlyWorker(Generic[Item]):
    """Calls `work` in a thread of its own; a new item replaces the one that waits."""

    def __init__(self, name: str, work: Callable[[Item], None]) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting: list[Item] = []  # one at most

    def put(self, item: Item) -> None:
        """Return at once; the item is processed next, unless a later one replaces it."""
        self._waiting = [item]
        self._pool.submit(self._take)

    def close(self) -> None:
        """Wait for the item in work and drop the waiting one."""
        self._pool.shutdown(cancel_futures=True)

    def _take(self) -> None:
        items, self._waiting = self._waiting, []
        for item in items:
            self._work(item)
