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

"""Hand-over of models, windows and requests from callbacks of a node to its training thread."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from utt_ros.errors import UttError
from utt_ros.federation.types import GlobalModel
from utt_ros.types import Windows

MAX_QUEUED_WINDOWS = 512  # that wait for the training thread


class TrainingInbox:
    """Bounded hand-over to the training thread: the newest model, windows and requests in order.

    Producers never wait. When too many windows are queued the oldest are dropped.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._arrived = threading.Condition()
        self._model: GlobalModel | None = None
        self._windows: deque[Windows] = deque()
        self._requests: deque[tuple[Future[str], Callable[[], str]]] = deque()

    def put_model(self, model: GlobalModel) -> None:
        """Replace a model that was not taken yet."""
        with self._arrived:
            self._model = model
            self._arrived.notify()

    def put_windows(self, windows: Windows) -> None:
        """Append windows of one tick."""
        with self._arrived:
            if len(self._windows) == MAX_QUEUED_WINDOWS:
                self._windows.popleft()
                self.dropped += 1
            self._windows.append(windows)
            self._arrived.notify()

    def put_request(self, action: Callable[[], str]) -> 'Future[str]':
        """Append an action for the training thread, and return its pending answer."""
        pending: Future[str] = Future()
        with self._arrived:
            self._requests.append((pending, action))
            self._arrived.notify()
        return pending

    def await_request(self, wait_sec: float) -> bool:
        """Wait for a request; return whether there is one."""
        with self._arrived:
            return bool(self._arrived.wait_for(lambda: self._requests, wait_sec))

    def serve_requests(self) -> None:
        """Carry out the requests in the calling thread; a UttError becomes their answer."""
        while self._requests:
            pending, action = self._requests.popleft()
            if pending.set_running_or_notify_cancel():
                try:
                    pending.set_result(action())
                except UttError as err:
                    pending.set_exception(err)

    def take(self, wait_sec: float) -> tuple[GlobalModel | None, list[Windows]]:
        """Remove and return model and windows; wait up to `wait_sec` for anything."""
        with self._arrived:
            self._arrived.wait_for(
                lambda: self._model or self._windows or self._requests, wait_sec)
            model, windows = self._model, list(self._windows)
            self._model = None
            self._windows.clear()
        return model, windows
