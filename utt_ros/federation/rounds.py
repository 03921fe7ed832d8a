"""Who has answered in the current round, and when it is complete; knows no weights and no clock.

A round is complete when its quorum is reached and either every awaited area has answered or the
deadline has passed. Awaited are the areas that were heard in the `MEMORY` rounds before; so a
round does not wait long for an area that is gone, and an area that is too slow for one round is
waited for in the next. The deadline counts from the first update that was accepted: without any
there is nothing to complete, however long the areas take to start.
"""

from collections.abc import Iterable
from math import inf

from utt_ros.errors import UpdateRefused
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import RoundStatus

MEMORY = 2  # rounds


class RoundKeeper:
    """State machine of one federation's rounds; every method takes the time in nanoseconds.

    An area counts once per round, by its first good update: a second one is refused, so the result
    does not depend on which of them comes last.
    """

    def __init__(
        self, settings: AggregatorSettings, round_: int, known: Iterable[str], now_ns: int,
    ) -> None:
        """`known`: areas that the first round waits for, besides those in the settings."""
        self._settings = settings
        self._heard = dict.fromkeys((*settings.areas, *known), round_ - 1)
        self._begin(round_, now_ns)

    def _begin(self, round_: int, now_ns: int) -> None:
        self.round = round_
        self._heard = {area: last for area, last in self._heard.items() if last >= round_ - MEMORY}
        self._awaited = frozenset(self._heard)
        self._answered: set[str] = set()
        self._began_ns = now_ns
        self._first_ns: int | None = None
        self._accepted: dict[str, int] = {}  # area -> windows
        self._refused: dict[str, str] = {}  # area -> why, the newest
        self._bytes = 0

    @property
    def ended(self) -> bool:
        """Whether the last round that was asked for is over."""
        return 0 < self._settings.max_rounds <= self.round

    def admit(self, area: str) -> None:
        """Raise UpdateRefused when nothing that this area sends may count now."""
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

    def hear(self, area: str) -> None:
        """Note that an area is alive, whatever becomes of its update."""
        if area in self._heard or len(self._heard) < self._settings.max_areas:
            self._heard[area] = self.round

    def accept(self, area: str, windows: int, size: int, now_ns: int) -> None:
        """Count an update of `size` bytes; `admit` was asked before."""
        if self._first_ns is None:
            self._first_ns = now_ns
        self._accepted[area] = windows
        self._answered.add(area)
        self._bytes += size

    def refuse(self, area: str, why: str, size: int, *, answered: bool) -> None:
        """Record a refused update; `answered`: it was this round's, so no other will follow."""
        self._bytes += size
        if answered and area in self._awaited:
            self._answered.add(area)
        if area in self._refused or len(self._refused) < self._settings.max_areas:
            self._refused[area] = why

    def complete(self, now_ns: int) -> bool:
        """Whether the round is to be closed with what it has."""
        if self.ended or len(self._accepted) < self._settings.quorum:
            return False
        nobody_missing = bool(self._awaited) and self._awaited <= self._answered
        return nobody_missing or self._left_s(now_ns) == 0.0

    def advance(self, now_ns: int) -> None:
        """Begin the next round."""
        self._begin(self.round + 1, now_ns)

    def _left_s(self, now_ns: int) -> float:
        if self._first_ns is None:
            return inf
        return max(0.0, self._settings.deadline - (now_ns - self._first_ns) / 1e9)

    def status(self, now_ns: int, federation: str, bytes_sent: int) -> RoundStatus:
        """What /utt/rounds tells; `completed` once the federation has ended."""
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
