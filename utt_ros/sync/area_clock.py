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

"""Area clock: current time of an area, derived from the stamps of its streams alone.

The camera and every phone stamp with clocks of their own. A clock that disagrees must not move
the others, but the whole area may jump, as when a bag is restarted. So a stamp far from the others
counts only once its stream has confirmed it, and then the majority decides.
"""

from dataclasses import dataclass
from enum import Enum

CAMERA_SOURCE = ''
CAMERA_VOTES = 1.5  # outvotes one phone, but not two
MIN_REPEATS = 2


class StampVerdict(Enum):
    """Agreement of a stamp with the time of the area."""

    AGREES = 'agrees'
    OFF = 'off'
    FORWARD = 'forward'  # the time of the area jumped forward to this stamp
    BACK = 'back'


@dataclass(slots=True)
class _Voter:
    votes: float
    agreed_ns: int | None = None  # newest stamp that agreed with the area
    latest_ns: int = 0
    repeats: int = 0  # stamps in a row that disagree with the area and agree with each other
    since_ns: int = 0  # the first of these
    area_ns: int = 0  # time of the area at its arrival


class AreaClock:
    """Newest stamp on which the streams of an area agree, within `tolerance_ns`.

    The time moves to that of dissenting streams when these outvote the streams that agree with it,
    or when no stream has confirmed it while one of them advanced by `tolerance_ns`. A delayed
    stream, as after messages held back by a bad link, must first stay behind for as long.
    """

    def __init__(self, tolerance_ns: int) -> None:
        self.now_ns: int | None = None
        self._tolerance_ns = tolerance_ns
        self._voters: dict[str, _Voter] = {}

    def judge(self, source: str, stamp_ns: int) -> StampVerdict:
        """Register a stamp of a phone or of CAMERA_SOURCE and classify it."""
        voter = self._voters.get(source)
        if voter is None:
            voter = self._voters[source] = _Voter(CAMERA_VOTES if source == CAMERA_SOURCE else 1.0)
        if self.now_ns is None:
            self.now_ns = stamp_ns
        ahead_ns = stamp_ns - self.now_ns
        if -self._tolerance_ns <= ahead_ns <= self._tolerance_ns:
            voter.latest_ns = voter.agreed_ns = stamp_ns
            voter.repeats = 0
            if ahead_ns > 0:
                self.now_ns = stamp_ns
            return StampVerdict.AGREES
        self._dissent(voter, stamp_ns, self.now_ns)
        if not self._wins(voter, self.now_ns):
            return StampVerdict.OFF
        self._move(stamp_ns)
        return StampVerdict.FORWARD if ahead_ns > 0 else StampVerdict.BACK

    def restart(self) -> None:
        """Forget the time and all streams."""
        self.now_ns = None
        self._voters.clear()

    def forget(self, source: str) -> None:
        """Remove a stream."""
        self._voters.pop(source, None)

    def _dissent(self, voter: _Voter, stamp_ns: int, now_ns: int) -> None:
        if not (voter.repeats and self._agree(stamp_ns, voter.latest_ns)):
            voter.repeats, voter.since_ns, voter.area_ns = 0, stamp_ns, now_ns
        voter.repeats += 1
        voter.latest_ns = stamp_ns

    def _wins(self, voter: _Voter, now_ns: int) -> bool:
        if voter.repeats < MIN_REPEATS:
            return False
        is_delayed = voter.agreed_ns is not None and voter.agreed_ns <= voter.latest_ns < now_ns
        passed_ns = now_ns - voter.area_ns
        if is_delayed and passed_ns <= self._tolerance_ns:
            return False
        if not passed_ns and voter.latest_ns - voter.since_ns > self._tolerance_ns:
            return True
        against = sum(other.votes for other in self._voters.values()
                      if not other.repeats and self._agree(other.latest_ns, now_ns))
        in_favour = sum(other.votes for other in self._voters.values()
                      if other.repeats >= MIN_REPEATS
                      and self._agree(other.latest_ns, voter.latest_ns))
        return in_favour > against

    def _move(self, stamp_ns: int) -> None:
        self.now_ns = stamp_ns
        for voter in self._voters.values():
            if self._agree(voter.latest_ns, stamp_ns):
                voter.repeats, voter.agreed_ns = 0, voter.latest_ns

    def _agree(self, first_ns: int, second_ns: int) -> bool:
        return abs(first_ns - second_ns) <= self._tolerance_ns
