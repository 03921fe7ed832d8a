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

"""A process that this one has forked or adopted, with what Popen has of one that it started."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from threading import Lock


@dataclass(slots=True)
class ForkedProcess:
    """Child process that no other code waits for; its methods are for any thread."""

    pid: int
    stdout: FileIO | None = None  # its output
    returncode: int | None = None  # -N for signal N
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)  # held by who reaps

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int:
        """Return the exit code at the end of the process."""
        return int(self._reap(0) or 0)

    def kill(self) -> None:
        """Kill the process, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # another thread has reaped it since
                os.kill(self.pid, signal.SIGKILL)

    def _reap(self, options: int) -> int | None:
        if not self._lock.acquire(blocking=not options):
            return self.returncode  # another thread waits for its end
        try:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, options)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
            return self.returncode
        finally:
            self._lock.release()
