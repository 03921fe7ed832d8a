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

"""Offset of another host's clock, from requests that it answers with its time.

The estimate of NTP: of the newest requests, the one with the shortest round trip counts, since
what queues added to it is least [S: RFC 5905, sections 8 and 10].
"""

from collections import deque
from dataclasses import dataclass

from utt_ros.types import NS_PER_S

NEWEST_REQUESTS = 8  # of the clock filter of RFC 5905


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Offset of a clock: positive where it is ahead. The true one is within `bound_s` of it."""

    offset_s: float
    bound_s: float

    def exceeds(self, limit_s: float) -> bool:
        """Return whether it is above a limit beyond doubt."""
        return abs(self.offset_s) - self.bound_s > limit_s


class ClockFilter:
    """Offset of one clock from the newest requests."""

    def __init__(self) -> None:
        self._newest: deque[ClockOffset] = deque(maxlen=NEWEST_REQUESTS)

    def add(self, asked_ns: int, received_ns: int, sent_ns: int, answered_ns: int) -> bool:
        """Add a request; return whether its four times are possible.

        `asked_ns` and `answered_ns` are of the own clock, the others of the one that is measured.
        """
        round_trip_ns = (answered_ns - asked_ns) - (sent_ns - received_ns)
        if round_trip_ns < 0 or sent_ns < received_ns:  # a clock was set meanwhile
            self._newest.clear()
            return False
        self._newest.append(ClockOffset(
            ((received_ns - asked_ns) + (sent_ns - answered_ns)) / 2 / NS_PER_S,
            round_trip_ns / 2 / NS_PER_S))
        return True

    @property
    def offset(self) -> ClockOffset | None:
        """Return the best estimate; None before the first one."""
        return min(self._newest, key=lambda each: each.bound_s, default=None)
