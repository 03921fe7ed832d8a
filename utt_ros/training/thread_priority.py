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

"""Priority of a thread, and the processor time that it gets and waits for; Linux."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

AUTOGROUP = Path('/proc/self/autogroup')
MAX_NICENESS = 19
NS = 1e-9


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Processor time of a thread [s], and the time that it waited for a processor [s]."""

    ran_s: float
    waited_s: float

    def since(self, before: 'ProcessorTime') -> 'ProcessorTime':
        """Return the time between two readings."""
        return ProcessorTime(self.ran_s - before.ran_s, self.waited_s - before.waited_s)

    @property
    def share(self) -> float:
        """Fraction of the wanted time that the thread ran, 0..1; 1 when it wanted none."""
        wanted_s = self.ran_s + self.waited_s
        return self.ran_s / wanted_s if wanted_s > 0.0 else 1.0


def read_processor_time(thread_id: int) -> ProcessorTime:
    """Read the time of a thread of this process; zero where the kernel does not account for it."""
    try:
        text = Path(f'/proc/self/task/{thread_id}/schedstat').read_text('ascii')
        ran_ns, waited_ns = (int(word) for word in text.split()[:2])
    except (OSError, ValueError):
        return ProcessorTime(0.0, 0.0)
    return ProcessorTime(ran_ns * NS, waited_ns * NS)


def use_idle_priority() -> None:
    """Give the calling thread the lowest priority (SCHED_IDLE).

    Where the kernel groups processes by session (sched_autogroup), priorities count within a
    session only and sessions share the processor equally; a session that this process leads is
    lowered as well.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError:
        os.nice(MAX_NICENESS)
    _set_session_niceness(MAX_NICENESS)


def raise_priority(thread_id: int) -> bool:
    """Raise a thread of this process to normal priority, as far as the kernel permits it.

    False: try again later, for the session that this process leads was changed less than 0.1 s
    after another one. The policy of the thread needs CAP_SYS_NICE or a limit of niceness
    (RLIMIT_NICE) of 20.
    """
    is_raised = _set_session_niceness(0)
    with suppress(OSError):
        os.sched_setscheduler(thread_id, os.SCHED_OTHER, os.sched_param(0))
    return is_raised


def _set_session_niceness(niceness: int) -> bool:
    if os.getsid(0) == os.getpid() and AUTOGROUP.exists():
        try:
            AUTOGROUP.write_text(str(niceness))
        except OSError:  # the kernel refuses changes in quick succession, of any process
            return False
    return True
