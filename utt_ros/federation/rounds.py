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

"""State machine of federated rounds: quorum, deadline, accepted and refused updates.

It has neither weights nor a clock. A round is complete when its quorum is reached and either
every awaited area has responded or the deadline has passed. Awaited are the areas that were active
in the previous `ACTIVE_ROUNDS` rounds; so a round does not wait long for an area that is gone, and
an area that is too slow for one round is awaited in the next. The deadline counts from the first
accepted update: without one there is nothing to complete, however long the areas take to start.
"""

from collections.abc import Iterable
from math import inf

from utt_ros.errors import UpdateRefused
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import RoundStatus

ACTIVE_ROUNDS = 2


class RoundKeeper:
    """Rounds of one federation; times are in nanoseconds.

    An area contributes once per round, with its first valid update: a second one is refused, so
    the result does not depend on which of them arrives last.
    """

    def __init__(
        self, settings: AggregatorSettings, round_: int, known: Iterable[str], now_ns: int,
    ) -> None:
        """`known`: areas awaited in the first round, besides those in the settings."""
        self._settings = settings
        self._active = dict.fromkeys((*settings.areas, *known), round_ - 1)
        self._begin(round_, now_ns)

    def _begin(self, round_: int, now_ns: int) -> None:
        self.round = round_
        self._active = {area: last for area, last in self._active.items()
                        if last >= round_ - ACTIVE_ROUNDS}
        self._awaited = frozenset(self._active)
        self._responded: set[str] = set()
        self._began_ns = now_ns
        self._first_ns: int | None = None
        self._accepted: dict[str, int] = {}  # area -> windows
        self._refused: dict[str, str] = {}  # area -> newest reason
        self._bytes = 0

    @property
    def ended(self) -> bool:
        """Whether the last of `max_rounds` rounds is over."""
        return 0 < self._settings.max_rounds <= self.round

    def admit(self, area: str) -> None:
        """Raise UpdateRefused when no update of this area may be accepted now."""
        if self._settings.areas and area not in self._settings.areas:
            known = ', '.join(sorted(self._settings.areas))
            raise UpdateRefused(f'area {area!r} may not take part: only {known} may')
        if self.ended:
            raise UpdateRefused(f'area {area!r}: the federation ended after {self.round} rounds')
        if area in self._accepted:
            raise UpdateRefused(f'area {area!r} has already sent its update of round {self.round}')
        limit = self._settings.max_areas
        if len(self._accepted) >= limit:
            raise UpdateRefused(f'area {area!r} is one too many: at most {limit} may take part')

    def mark_active(self, area: str) -> None:
        """Note that an area is active, whether its update is accepted or not."""
        if area in self._active or len(self._active) < self._settings.max_areas:
            self._active[area] = self.round

    def accept(self, area: str, windows: int, size: int, now_ns: int) -> None:
        """Count an update of `size` bytes, after `admit`."""
        if self._first_ns is None:
            self._first_ns = now_ns
        self._accepted[area] = windows
        self._responded.add(area)
        self._bytes += size

    def refuse(self, area: str, reason: str, size: int, *, responded: bool) -> None:
        """Record a refused update; `responded`: it was of this round, so no other will follow."""
        self._bytes += size
        if responded and area in self._awaited:
            self._responded.add(area)
        if area in self._refused or len(self._refused) < self._settings.max_areas:
            self._refused[area] = reason

    def complete(self, now_ns: int) -> bool:
        """Return whether the round can be closed with its accepted updates."""
        if self.ended or len(self._accepted) < self._settings.quorum:
            return False
        all_responded = bool(self._awaited) and self._awaited <= self._responded
        return all_responded or self._left_s(now_ns) == 0.0

    def advance(self, now_ns: int) -> None:
        """Start the next round."""
        self._begin(self.round + 1, now_ns)

    def restart_deadline(self, now_ns: int) -> None:
        """Count the deadline from now, where it counts already: areas could not be heard."""
        if self._first_ns is not None:
            self._first_ns = now_ns

    def _left_s(self, now_ns: int) -> float:
        if self._first_ns is None:
            return inf
        return max(0.0, self._settings.deadline - (now_ns - self._first_ns) / 1e9)

    def status(self, now_ns: int, federation: str, bytes_sent: int) -> RoundStatus:
        """Return the record for /utt/rounds; `completed` once the federation has ended."""
        state = 'collecting' if self._accepted else 'waiting'
        return RoundStatus(
            federation=federation,
            round=self.round,
            state='completed' if self.ended else state,
            quorum=self._settings.quorum,
            deadline_s=self._left_s(now_ns),
            accepted=dict(self._accepted),
            refused=dict(self._refused),
            bytes_received=self._bytes,
            bytes_sent=bytes_sent,
            duration_s=(now_ns - self._began_ns) / 1e9,
        )
