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
"""Restarts of processes that end by themselves, and of areas that keep failing.

A process is restarted after growing delays. When it keeps ending, all restarted processes of its
unit (an area, or the aggregator) are stopped and started again later; other units go on. `launch`
and `utt run` both follow this policy.
"""

import signal
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

EXIT_SETTINGS_REFUSED = 2  # exit code of a node; a restart would not help
FIRST_RETRY_SEC = 30.0  # of a unit; doubles
MAX_RETRY_SEC = 600.0


class RestartBackoff:
    """Exponential back-off of restarts, with a limit of deaths per window."""

    def __init__(self, first_sec: float = 0.1, limit: int = 5, window_sec: float = 60.0) -> None:
        self._first_sec = first_sec
        self._limit = limit
        self._window_sec = window_sec
        self._deaths: deque[float] = deque()

    def delay(self, now_s: float) -> float | None:
        """Return the delay [s] after a death at `now_s`; None when the limit is reached."""
        self._deaths.append(now_s)
        while now_s - self._deaths[0] > self._window_sec:
            self._deaths.popleft()
        if len(self._deaths) >= self._limit:
            self._deaths.clear()
            return None
        return float(self._first_sec * 2 ** (len(self._deaths) - 1))

    def __str__(self) -> str:
        return f'{self._limit} times in {self._window_sec:g} s'


class RetryBackoff:
    """Delays of the restarts of a unit: doubled up to a limit, reset by an undisturbed time."""

    def __init__(
        self, first_sec: float = FIRST_RETRY_SEC, max_sec: float = MAX_RETRY_SEC,
    ) -> None:
        self._first_sec, self._max_sec = first_sec, max_sec
        self._delay_sec = 0.0
        self._restart_s = -max_sec

    def delay(self, now_s: float) -> float:
        """Return the delay [s] of the restart of a unit that is stopped at `now_s`."""
        lasted = now_s - self._restart_s >= self._max_sec
        grown_sec = self._first_sec if lasted else 2.0 * self._delay_sec
        self._delay_sec = min(grown_sec, self._max_sec)
        self._restart_s = now_s + self._delay_sec
        return self._delay_sec


@dataclass(frozen=True, slots=True)
class Consequence:
    """Consequence of the end of a process that was not stopped."""

    text: str  # the line for the user
    restart_sec: float | None = None  # delay of the restart of the process
    stop: tuple[str, ...] = ()  # names of the unit's processes, which stop or stay ended
    retry_sec: float | None = None  # delay of the restart of `stop`; None: never

    @property
    def kind(self) -> str:
        """Kind of the event: of the process, or of its unit."""
        return 'unit_stopped' if self.stop else 'restarting'


class RestartPolicy:
    """Restart rules of the processes of several units. Times are of a monotonic clock [s]."""

    def __init__(self, units: Mapping[str, str]) -> None:
        """`units`: unit of each process that is restarted, by name of the process."""
        self._units = dict(units)
        self._restarts = {name: RestartBackoff() for name in units}
        self._retries = {unit: RetryBackoff() for unit in units.values()}
        self.down: dict[str, str] = {}  # unit -> reason, while it is stopped
        self.ended: set[str] = set()  # units that are not started again

    def exit(self, name: str, code: int, now_s: float) -> Consequence:
        """Decide after a restarted process has ended by itself."""
        how = f'{name} {describe_exit(code)}'
        unit = self._units[name]
        members = tuple(other for other, of in self._units.items() if of == unit)
        if code == EXIT_SETTINGS_REFUSED:
            self.ended.add(unit)
            self.down[unit] = how
            return Consequence(f'{how}: {unit} is stopped', stop=members)
        delay_sec = self._restarts[name].delay(now_s)
        if delay_sec is not None:
            return Consequence(f'{how}; restarting it in {delay_sec:g} s', restart_sec=delay_sec)
        how += f'; it ended {self._restarts[name]}'
        self.down[unit] = how
        retry_sec = self._retries[unit].delay(now_s)
        return Consequence(
            f'{how}: {unit} is stopped and started again in {retry_sec:g} s',
            stop=members, retry_sec=retry_sec)

    def started(self, name: str) -> None:
        """Note that a process starts again."""
        self.down.pop(self._units.get(name, ''), None)


def describe_exit(code: int) -> str:
    """Describe the end of a process by its exit code (-N for signal N)."""
    if code == 0:
        return 'ended by itself'
    if code > 0:
        return f'ended with exit code {code}'
    try:
        return f'was ended by {signal.Signals(-code).name}'
    except ValueError:
        return f'was ended by signal {-code}'
