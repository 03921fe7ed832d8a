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

"""Actions at idle priority on a quiet machine, and with a guaranteed share of a busy one.

A thread at idle priority takes no time from others, and gets next to none beside programs that
keep every core busy. Without privileges it can't return to normal priority, so there are two.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import get_native_id
from time import monotonic
from typing import TypeVar

from utt_ros.training.thread_priority import (
    ProcessorTime,
    raise_priority,
    read_processor_time,
    use_idle_priority,
)

T = TypeVar('T')

GUARANTEED_SHARE = 0.1  # of one core
MIN_QUIET_SHARE = 0.75  # at normal priority; beside one busy program per core it is 0.5 to 0.67
MIN_JUDGED_SEC = 0.1  # wanted processor time from which a share is judged
MAX_CREDIT_SEC = 2.0
MAX_DEBT_SEC = 1.0  # so that no action, however long, is followed by a pause of minutes
LOOK_SEC = 1.0


class ProcessorBudget:
    """Processor time at normal priority: `GUARANTEED_SHARE` of the time, saved up to a limit."""

    def __init__(self, now_s: float) -> None:
        self._credit_s = MAX_CREDIT_SEC
        self._now_s = now_s

    def spend(self, seconds: float) -> None:
        """Take processor time from the credit, which falls to -MAX_DEBT_SEC at most."""
        self._credit_s = max(-MAX_DEBT_SEC, self._credit_s - seconds)

    def pause_sec(self, now_s: float) -> float:
        """Return the time until the credit is no longer negative [s]."""
        earned_s = GUARANTEED_SHARE * (now_s - self._now_s)
        self._credit_s = min(MAX_CREDIT_SEC, self._credit_s + earned_s)
        self._now_s = now_s
        return max(0.0, -self._credit_s / GUARANTEED_SHARE)


class ShareMeter:
    """Share of the wanted processor time that a thread gets, over enough of it to judge."""

    def __init__(self, read_time: Callable[[int], ProcessorTime], thread_id: int) -> None:
        self._read = read_time
        self._id = thread_id
        self.restart()

    def restart(self) -> None:
        """Forget the time until now."""
        self._begin = self._read(self._id)

    def share(self) -> float | None:
        """Return the share since the last one; None while less than MIN_JUDGED_SEC was wanted."""
        used = self._read(self._id).since(self._begin)
        if used.ran_s + used.waited_s < MIN_JUDGED_SEC:
            return None
        self.restart()
        return used.share


class YieldingRunner:
    """Runs the actions of one thread: in it, at normal priority, or in another at idle priority.

    It begins at normal priority. While actions at normal priority get most of the time that they
    want, others follow at idle priority, until these get less than `GUARANTEED_SHARE`. An action
    that starves is raised where the kernel permits it.
    """

    def __init__(
        self, lower: Callable[[], None] = use_idle_priority,
        restore: Callable[[int], bool] = raise_priority,
        read_time: Callable[[int], ProcessorTime] = read_processor_time,
    ) -> None:
        """`lower` is for the calling thread, `restore` for one given by its native id.

        `restore` returns whether it succeeded; it is called again before the next actions if not.
        """
        self._lower, self._restore, self._read_time = lower, restore, read_time
        self._executor = ThreadPoolExecutor(1, 'training_idle')
        self._idle_id: int | None = None
        self._is_lowered = False
        self._budget = ProcessorBudget(monotonic())
        self._normal: ShareMeter | None = None
        self._idle: ShareMeter | None = None
        self.is_quiet = False

    def pause_sec(self) -> float:
        """Return the time to wait before the next action, so that others get theirs [s]."""
        return 0.0 if self.is_quiet else self._budget.pause_sec(monotonic())

    def run(self, action: Callable[[], T], *, free: bool = False) -> T:
        """Run an action and return its result; `free`: it is not taken from the budget."""
        return self._run_idle(action) if self.is_quiet else self._run_normal(action, free=free)

    def hurry(self) -> None:
        """Raise the thread of idle priority, as far as that is permitted; from any thread."""
        if self._idle_id is not None and self._is_lowered:
            self._is_lowered = not self._restore(self._idle_id)

    def close(self) -> None:
        """End the thread of idle priority, after its action."""
        self._executor.shutdown()

    def _run_normal(self, action: Callable[[], T], *, free: bool) -> T:
        self.hurry()  # where it was refused: a lowered session slows this thread as well
        own_id = get_native_id()
        self._normal = self._normal or ShareMeter(self._read_time, own_id)
        begin = self._read_time(own_id)
        result = action()
        if not free:
            self._budget.spend(self._read_time(own_id).since(begin).ran_s)
        share = self._normal.share()
        if share is not None and share >= MIN_QUIET_SHARE:
            self._normal = None
            self.is_quiet = True
        return result

    def _run_idle(self, action: Callable[[], T]) -> T:
        if self._idle_id is None:
            self._idle_id = self._executor.submit(get_native_id).result()
        self._idle = meter = self._idle or ShareMeter(self._read_time, self._idle_id)
        if not self._is_lowered:
            self._executor.submit(self._lower).result()
            self._is_lowered = True
        pending = self._executor.submit(action)
        while not wait([pending], LOOK_SEC).done:
            self._judge_idle(meter)
        self._judge_idle(meter)
        return pending.result()

    def _judge_idle(self, meter: ShareMeter) -> None:
        share = meter.share()
        if share is not None and share < GUARANTEED_SHARE:
            self.is_quiet = False
            self._idle = None
            self.hurry()
