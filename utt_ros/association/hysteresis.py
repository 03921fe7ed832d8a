"""From likelihoods to names that stay: posteriors, assignment, hysteresis."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from utt_ros.association.assignment import NOBODY, Costs, assign

MAX_LOG_RATIO = 20.0  # log likelihood ratio; beyond it nothing gets more certain
ROUNDS = 20  # of messages; a few are enough
KEPT_NS = 10_000_000_000  # a track that comes back within this time had a phone


def posteriors(scores: Costs) -> Costs:
    """Probability (K, P) that a track is a phone's, when each has one of the other at most.

    `scores` (K, P) are log likelihood ratios against having none. Marginals by belief propagation
    [S: Williams and Lau 2014, "Approximate evaluation of marginal association probabilities with
    belief propagation"].
    """
    ratio = np.exp(np.clip(scores, -MAX_LOG_RATIO, MAX_LOG_RATIO))
    free = np.ones_like(ratio)  # how likely the phone is left by all other tracks
    for _ in range(ROUNDS):
        wanted = ratio * free
        claim = ratio / np.maximum(1.0 + wanted.sum(1, keepdims=True) - wanted, 1.0)
        free = 1.0 / np.maximum(1.0 + claim.sum(0, keepdims=True) - claim, 1.0)
    wanted = ratio * free
    return np.asarray(wanted / (1.0 + wanted.sum(1, keepdims=True)))


@dataclass(slots=True)
class Hold:
    """The phone of a track, and the one that may replace it."""

    phone: str
    confidence: float
    seen_ns: int
    rival: str = ''  # what fits better; empty also for nobody
    rival_ns: int = 0  # since when; 0: none does


class Holding:
    """Which track has which phone.

    A track gets a phone once that is certain enough, and keeps it until another assignment has
    been clearly better, by `margin`, for `patience_ns`. A phone that falls silent stays with its
    track, since the person is still seen.
    """

    def __init__(self, least: float, margin: float, patience_ns: int) -> None:
        self._least, self._margin, self._patience_ns = least, margin, patience_ns
        self.holds: dict[str, Hold] = {}  # by track

    def decide(
        self, stamp_ns: int, tracks: Sequence[str], phones: Sequence[str], scores: Costs,
    ) -> None:
        """Take the scores (K, P) of one match, against a track having no phone."""
        self.holds = {track: hold for track, hold in self.holds.items()
                      if stamp_ns - hold.seen_ns < KEPT_NS}
        known = posteriors(scores)
        wanted = self._wanted(tracks, phones, scores)
        kept: dict[str, str] = {}  # phone -> track
        claims: list[tuple[float, int]] = []
        for row, track in enumerate(tracks):
            hold, phone = self.holds.get(track), wanted[row]
            if hold and hold.phone not in phones:
                kept[hold.phone] = track
                hold.seen_ns = stamp_ns
            elif hold and not self._gives_up(hold, phone, stamp_ns):
                kept[hold.phone] = track
                hold.confidence = float(known[row, phones.index(hold.phone)])
                hold.seen_ns = stamp_ns
            else:
                self.holds.pop(track, None)
                if phone and known[row, phones.index(phone)] >= self._least:
                    claims.append((float(known[row, phones.index(phone)]), row))
        self._grant(stamp_ns, tracks, wanted, kept, sorted(claims, key=lambda each: -each[0]))

    def release(self, phones: Sequence[str]) -> None:
        """Take phones away from whoever has them."""
        for phone in phones:
            for track in [name for name, hold in self.holds.items() if hold.phone == phone]:
                del self.holds[track]

    def _wanted(
        self, tracks: Sequence[str], phones: Sequence[str], scores: Costs,
    ) -> list[str]:
        """The best phone of every track, empty for none; what is held counts `margin` more."""
        favoured = scores.copy()
        places = {phone: column for column, phone in enumerate(phones)}
        for row, track in enumerate(tracks):
            hold = self.holds.get(track)
            if hold and hold.phone in places:
                favoured[row, places[hold.phone]] += self._margin
        return ['' if column == NOBODY else phones[column]
                for column in assign(-favoured, nobody=0.0).tolist()]

    def _gives_up(self, hold: Hold, phone: str, stamp_ns: int) -> bool:
        if phone == hold.phone:
            hold.rival_ns = 0
            return False
        if not hold.rival_ns or phone != hold.rival:
            hold.rival, hold.rival_ns = phone, stamp_ns
        return stamp_ns - hold.rival_ns >= self._patience_ns

    def _grant(
        self, stamp_ns: int, tracks: Sequence[str], wanted: Sequence[str], kept: dict[str, str],
        claims: Sequence[tuple[float, int]],
    ) -> None:
        """Give free phones to those who claim them, the most certain first."""
        for confidence, row in claims:
            phone = wanted[row]
            if phone not in kept:
                self.release([phone])  # of a track that is out of view
                kept[phone] = tracks[row]
                self.holds[tracks[row]] = Hold(phone, confidence, stamp_ns)
        for track in [name for name, hold in self.holds.items()
                      if kept.get(hold.phone, name) != name]:
            del self.holds[track]
