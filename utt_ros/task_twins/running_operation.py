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

"""Operation in work, between the thread that does it and those that watch it."""

from concurrent.futures import Future
from threading import Lock

from utt_ros.errors import UttError
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)


class OperationCanceled(UttError):
    """An operation was canceled; everything is as it was before."""


class RunningOperation:
    """Operation in work; for any thread. `outcome` may have a UttError."""

    def __init__(self, request: OperationRequest) -> None:
        self.request = request
        self.progress = OperationProgress()
        self.outcome: Future[OperationOutcome] = Future()
        self._lock = Lock()
        self._canceled = self._committed = False

    def cancel(self) -> bool:
        """Request the end; return False when it is too late, since twins are being registered."""
        with self._lock:
            self._canceled = not self._committed
            return self._canceled

    def check(self) -> None:
        """Raise OperationCanceled after a cancel request."""
        if self._canceled:
            raise OperationCanceled(f'{self.request.name} was canceled')

    def commit(self) -> None:
        """Refuse cancel requests from now on. Raises OperationCanceled after one."""
        with self._lock:
            self.check()
            self._committed = True
