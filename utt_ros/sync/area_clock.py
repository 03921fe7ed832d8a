"""What time it is in an area, by the stamps of its streams alone.

Every phone and the camera stamps with a clock of its own. They should agree; one that does not
must not move the others, and yet the whole area may jump, as when a bag starts again. So a stamp
far from the others counts only once its stream has repeated itself, and then the majority decides.
"""

from dataclasses import dataclass
from enum import Enum

CAMERA = ''
CAMERA_VOTES = 1.5  # decides between itself and one phone, not against two
REPEATS = 2


class Verdict(Enum):
    """What the area's clock makes of a stamp."""

    AGREES = 'agrees'
    OFF = 'off'
    FORWARD = 'forward'  # the area's time jumped forward to this stamp
    BACK = 'back'


@dataclass(slots=True)
class _Voter:
    votes: float
    agreed_ns: int | None = None  # newest stamp that agreed with the area
    latest_ns: int = 0
    repeats: int = 0  # stamps in a row that disagree with the area and agree with each other
    since_ns: int = 0  # the first of these
    area_ns: int = 0  # the area's time when it came


class AreaClock:
    """The newest stamp on which an area agrees; stamps agree when `tolerance_ns` or less apart.

    The area's time moves to that of dissenting streams when these outvote the streams that agree
    with it, or when nobody has confirmed it while one of them went on for `tolerance_ns`. A stream
    that only comes late, as messages held back by a bad link do, must first stay behind for as
    long.
    """

    def __init__(self, tolerance_ns: int) -> None:
        self.now_ns: int | None = None
        self._tolerance_ns = tolerance_ns
        self._voters: dict[str, _Voter] = {}

    def judge(self, source: str, stamp_ns: int) -> Verdict:
        """Take notice of a stamp of a phone, or of CAMERA."""
        voter = self._voters.get(source)
        if voter is None:
            voter = self._voters[source] = _Voter(CAMERA_VOTES if source == CAMERA else 1.0)
        if self.now_ns is None:
            self.now_ns = stamp_ns
        ahead_ns = stamp_ns - self.now_ns
        if -self._tolerance_ns <= ahead_ns <= self._tolerance_ns:
            voter.latest_ns = voter.agreed_ns = stamp_ns
            voter.repeats = 0
            if ahead_ns > 0:
                self.now_ns = stamp_ns
            return Verdict.AGREES
        self._dissent(voter, stamp_ns, self.now_ns)
        if not self._wins(voter, self.now_ns):
            return Verdict.OFF
        self._move(stamp_ns)
        return Verdict.FORWARD if ahead_ns > 0 else Verdict.BACK

    def forget(self, source: str) -> None:
        """Forget a stream that is gone."""
        self._voters.pop(source, None)

    def _dissent(self, voter: _Voter, stamp_ns: int, now_ns: int) -> None:
        if not (voter.repeats and self._agree(stamp_ns, voter.latest_ns)):
            voter.repeats, voter.since_ns, voter.area_ns = 0, stamp_ns, now_ns
        voter.repeats += 1
        voter.latest_ns = stamp_ns

    def _wins(self, voter: _Voter, now_ns: int) -> bool:
        if voter.repeats < REPEATS:
            return False
        is_late = voter.agreed_ns is not None and voter.agreed_ns <= voter.latest_ns < now_ns
        passed_ns = now_ns - voter.area_ns
        if is_late and passed_ns <= self._tolerance_ns:
            return False
        if not passed_ns and voter.latest_ns - voter.since_ns > self._tolerance_ns:
            return True
        against = sum(other.votes for other in self._voters.values()
                      if not other.repeats and self._agree(other.latest_ns, now_ns))
        with_it = sum(other.votes for other in self._voters.values()
                      if other.repeats >= REPEATS
                      and self._agree(other.latest_ns, voter.latest_ns))
        return with_it > against

    def _move(self, stamp_ns: int) -> None:
        self.now_ns = stamp_ns
        for voter in self._voters.values():
            if self._agree(voter.latest_ns, stamp_ns):
                voter.repeats, voter.agreed_ns = 0, voter.latest_ns

    def _agree(self, one_ns: int, other_ns: int) -> bool:
        return abs(one_ns - other_ns) <= self._tolerance_ns
