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

"""Assignment with hysteresis: a track keeps its phone until another is clearly better."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from utt_ros.association.assignment import UNASSIGNED, Costs, assign

MAX_LOG_RATIO = 20.0  # log likelihood ratios are clipped here
BELIEF_ROUNDS = 20  # of message passing; convergence takes a few
KEPT_NS = 10_000_000_000  # a track that returns within this time still has its phone


def posteriors(log_ratios: Costs) -> Costs:
    """Return the probability (K, P) of each pair, with one phone per track and vice versa.

    `log_ratios` (K, P) are log likelihood ratios against the track having no phone. Marginals by
    belief propagation [S: Williams and Lau 2014, "Approximate evaluation of marginal association
    probabilities with belief propagation"].
    """
    ratio = np.exp(np.clip(log_ratios, -MAX_LOG_RATIO, MAX_LOG_RATIO))
    free = np.ones_like(ratio)  # message of a phone to a track: not claimed by the other tracks
    for _ in range(BELIEF_ROUNDS):
        weight = ratio * free
        claim = ratio / np.maximum(1.0 + weight.sum(1, keepdims=True) - weight, 1.0)
        free = 1.0 / np.maximum(1.0 + claim.sum(0, keepdims=True) - claim, 1.0)
    weight = ratio * free
    return np.asarray(weight / (1.0 + weight.sum(1, keepdims=True)))


@dataclass(slots=True)
class HeldPhone:
    """Phone of a track, and the rival that may replace it."""

    phone: str
    confidence: float
    seen_ns: int
    rival: str = ''  # the better phone; empty also for no phone
    rival_ns: int = 0  # stamp since which the rival is better; 0: no rival


class AssignmentHysteresis:
    """Assignment of tracks to phones that resists short changes.

    A track gets a phone once the posterior reaches `min_probability`, and keeps it until another
    assignment has been better by `margin` for `patience_ns`. A phone without new measurements
    stays with its track, since the person is still in view.
    """

    def __init__(self, min_probability: float, margin: float, patience_ns: int) -> None:
        self._min_probability, self._margin = min_probability, margin
        self._patience_ns = patience_ns
        self.held: dict[str, HeldPhone] = {}  # by track

    def update(
        self, stamp_ns: int, tracks: Sequence[str], phones: Sequence[str], log_ratios: Costs,
    ) -> None:
        """Update the assignment with the log likelihood ratios (K, P) of one match."""
        self.held = {track: held for track, held in self.held.items()
                     if stamp_ns - held.seen_ns < KEPT_NS}
        probability = posteriors(log_ratios)
        best = self._best_phones(tracks, phones, log_ratios)
        kept: dict[str, str] = {}  # phone -> track
        claims: list[tuple[float, int]] = []
        for row, track in enumerate(tracks):
            held, phone = self.held.get(track), best[row]
            if held and held.phone not in phones:
                kept[held.phone] = track
                held.seen_ns = stamp_ns
            elif held and not self._must_change(held, phone, stamp_ns):
                kept[held.phone] = track
                held.confidence = float(probability[row, phones.index(held.phone)])
                held.seen_ns = stamp_ns
            else:
                self.held.pop(track, None)
                if phone and probability[row, phones.index(phone)] >= self._min_probability:
                    claims.append((float(probability[row, phones.index(phone)]), row))
        self._grant(stamp_ns, tracks, best, kept, sorted(claims, key=lambda claim: -claim[0]))

    def release(self, phones: Sequence[str]) -> None:
        """Remove phones from the tracks that hold them."""
        for phone in phones:
            for track in [name for name, held in self.held.items() if held.phone == phone]:
                del self.held[track]

    def _best_phones(
        self, tracks: Sequence[str], phones: Sequence[str], log_ratios: Costs,
    ) -> list[str]:
        """Assign jointly, with `margin` added to held pairs; an empty string is no phone."""
        favoured = log_ratios.copy()
        columns = {phone: column for column, phone in enumerate(phones)}
        for row, track in enumerate(tracks):
            held = self.held.get(track)
            if held and held.phone in columns:
                favoured[row, columns[held.phone]] += self._margin
        return ['' if column == UNASSIGNED else phones[column]
                for column in assign(-favoured, no_phone_cost=0.0).tolist()]

    def _must_change(self, held: HeldPhone, phone: str, stamp_ns: int) -> bool:
        if phone == held.phone:
            held.rival_ns = 0
            return False
        if not held.rival_ns or phone != held.rival:
            held.rival, held.rival_ns = phone, stamp_ns
        return stamp_ns - held.rival_ns >= self._patience_ns

    def _grant(
        self, stamp_ns: int, tracks: Sequence[str], best: Sequence[str], kept: dict[str, str],
        claims: Sequence[tuple[float, int]],
    ) -> None:
        """Give free phones to the tracks that claim them, the most probable first."""
        for confidence, row in claims:
            phone = best[row]
            if phone not in kept:
                self.release([phone])  # of a track that is out of view
                kept[phone] = tracks[row]
                self.held[tracks[row]] = HeldPhone(phone, confidence, stamp_ns)
        for track in [name for name, held in self.held.items()
                      if kept.get(held.phone, name) != name]:
            del self.held[track]
