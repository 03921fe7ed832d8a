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

"""Live associator: matches tracks without labels to phones, by default twice a second.

The result depends on stamps and measurements alone, so live and offline runs agree bit by bit,
provided that the same model is deployed at the same tick.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import CandidateHistory, Candidates
from utt_ros.association.hysteresis import AssignmentHysteresis
from utt_ros.association.pair_likelihood import PairLikelihood
from utt_ros.association.pair_scorer import SHIPPED_SCORERS, read_scorer
from utt_ros.association.translator import Translator
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.association_types import LabelAssociator, Match, PhoneSamples, Tracks
from utt_ros.sync.settings import SyncSettings

MODEL_METHODS = ('twin', 'fused')  # methods that query the area's model
MAX_SPAN_S = 10.0  # of the window of candidates
PAST_WEIGHT = 0.5  # of the log ratios of the previous span
MAX_UNSEEN_S = 0.5  # a track without a box for longer leaves its phone to others
MIN_OFFSET_CONFIDENCE = 0.95  # of a match from which heading offsets are learned
MIN_OFFSET_AGE_S = 3.0  # of the track of such a match
MAX_MATCHED_TRACKS, MAX_MATCHED_PHONES = 64, 128  # per match: the oldest tracks, the first phones


class LiveAssociator:
    """Associator that keeps given labels, and matches the other boxes to the other phones."""

    def __init__(
        self, likelihood: PairLikelihood, window: WindowSettings, settings: SyncSettings,
    ) -> None:
        ticks = max(round(MAX_SPAN_S / window.period), window.ticks)
        self.likelihood = likelihood
        self.matches = 0  # since start
        self._labels = LabelAssociator()
        self._history = CandidateHistory(ticks, window)
        self._period_ns = round(settings.association_period * 1e9)
        self._slack_ns = round(window.period * 1e9) // 2
        self._assignment = AssignmentHysteresis(
            settings.association_min_probability, settings.association_margin,
            round(settings.association_patience * 1e9))
        self._past: list[_PastRatios] = []
        self._stamp_ns = self._matched_ns = 0

    def use_model(self, translator: Translator | None) -> None:
        """Query this model from the next match on; None queries no model."""
        self.likelihood.translations.translator = translator

    @property
    def model_failures(self) -> int:
        """Matches at which the model raised an error, since start."""
        return self.likelihood.translations.failures

    @property
    def last_model_failure(self) -> str:
        """Text of the last error of the model; empty without one."""
        return self.likelihood.translations.last_failure

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        """Return matches, at most one per subject."""
        if tracks.stamp_ns <= self._stamp_ns:
            self._clear()
        self._stamp_ns = tracks.stamp_ns
        labelled = list(self._labels.associate(tracks, phones))
        taken = {match.subject for match in labelled}
        self._assignment.release(sorted(taken))
        boxes = _unlabelled(tracks)
        if not boxes and not self._assignment.held:
            return labelled
        self._history.push(_select_boxes(tracks, boxes), _without(phones, taken))
        if tracks.stamp_ns - self._matched_ns >= self._period_ns - self._slack_ns:
            self._match()
        matched: dict[str, Match] = {}
        for box in boxes:
            held = self._assignment.held.get(tracks.track_ids[box])
            if held:
                matched[held.phone] = Match(held.phone, box, held.confidence)
        return sorted([*labelled, *matched.values()], key=lambda match: match.subject)

    def _clear(self) -> None:
        self._past.clear()
        self._assignment.held.clear()
        self.likelihood.clear()
        self._matched_ns = 0

    def _match(self) -> None:
        candidates = _limited(self._history.candidates(unseen_s=MAX_UNSEEN_S))
        since_ns, self._matched_ns = self._stamp_ns - self._matched_ns, self._stamp_ns
        if not candidates.track_ids or not candidates.phones:
            return
        self.matches += 1
        log_ratios = self._add_past(candidates, self.likelihood.log_ratios(candidates))
        self._assignment.update(
            self._stamp_ns, candidates.track_ids, candidates.phones, log_ratios)
        ticks = min(max(1, round(since_ns / (candidates.period * 1e9))), candidates.ticks)
        self.likelihood.learn_offsets(candidates, self._confident_pairs(candidates), ticks)

    def _add_past(self, candidates: Candidates, log_ratios: Costs) -> Costs:
        """Add the weighted log ratios of the match before the span of the candidates."""
        span_ns = round(candidates.ticks * candidates.period * 1e9) - self._slack_ns
        before = [past for past in self._past if self._stamp_ns - past.stamp_ns >= span_ns]
        if before:
            log_ratios = log_ratios + PAST_WEIGHT * before[-1].of(candidates)
        self._past = [*(before[-1:]), *(
            past for past in self._past if self._stamp_ns - past.stamp_ns < span_ns),
            _PastRatios(self._stamp_ns, candidates.track_ids, candidates.phones, log_ratios)]
        return log_ratios

    def _confident_pairs(self, candidates: Candidates) -> list[tuple[int, int]]:
        old = candidates.ages_s >= MIN_OFFSET_AGE_S
        rows = ((row, self._assignment.held.get(track))
                for row, track in enumerate(candidates.track_ids))
        return [(row, candidates.phones.index(held.phone)) for row, held in rows
                if held and old[row] and held.confidence >= MIN_OFFSET_CONFIDENCE
                and held.phone in candidates.phones]


@dataclass(frozen=True, slots=True)
class _PastRatios:
    """Log likelihood ratios of one match."""

    stamp_ns: int
    tracks: tuple[str, ...]
    phones: tuple[str, ...]
    log_ratios: Costs  # (K, P)

    def of(self, candidates: Candidates) -> Costs:
        """Return the ratios of these candidates (K', P'); 0 for pairs that were not matched."""
        ratios = np.zeros((len(candidates.track_ids), len(candidates.phones)))
        rows = [name in self.tracks for name in candidates.track_ids]
        columns = [name in self.phones for name in candidates.phones]
        ratios[np.ix_(rows, columns)] = self.log_ratios[np.ix_(
            [self.tracks.index(name) for name in candidates.track_ids if name in self.tracks],
            [self.phones.index(name) for name in candidates.phones if name in self.phones])]
        return ratios


def make_associator(
    settings: SyncSettings, area: AreaSettings, window: WindowSettings,
) -> LiveAssociator:
    """Make the associator of a method other than `labels`.

    Raises SettingsError when its likelihood cannot be read.
    """
    path = (Path(settings.association_scorers) if settings.association_scorers
            else SHIPPED_SCORERS)
    scorer = read_scorer(settings.association, path.expanduser())
    return LiveAssociator(PairLikelihood(area, settings.association, scorer), window, settings)


def _unlabelled(tracks: Tracks) -> list[int]:
    """Return the boxes without a label; among boxes of one track id, the most confident."""
    best: dict[str, int] = {}
    for box, (subject, track) in enumerate(zip(tracks.subjects, tracks.track_ids, strict=True)):
        if subject or not track:
            continue
        if track not in best or tracks.confidence[box] > tracks.confidence[best[track]]:
            best[track] = box
    return sorted(best.values())


def _select_boxes(tracks: Tracks, boxes: Sequence[int]) -> Tracks:
    return Tracks(
        tracks.stamp_ns, tracks.boxes[boxes], ('',) * len(boxes),
        tuple(tracks.track_ids[box] for box in boxes), tracks.confidence[boxes])


def _without(phones: PhoneSamples, taken: set[str]) -> PhoneSamples:
    """Remove the phones whose subjects are labelled."""
    if taken.isdisjoint(phones.names):
        return phones
    rows = [row for row, name in enumerate(phones.names) if name not in taken]
    return PhoneSamples(
        tuple(phones.names[row] for row in rows), phones.ftm[rows], phones.ftm_age_s[rows],
        phones.ftm_mask[rows], phones.imu[rows], phones.imu_mask[rows])


def _limited(candidates: Candidates) -> Candidates:
    """Keep the oldest tracks and the first phones, up to the limits."""
    if len(candidates.track_ids) > MAX_MATCHED_TRACKS:
        oldest = np.argsort(candidates.first_seen, kind='stable')[:MAX_MATCHED_TRACKS]
        candidates = candidates.select_tracks(np.sort(oldest))
    if len(candidates.phones) > MAX_MATCHED_PHONES:
        candidates = candidates.select_phones(range(MAX_MATCHED_PHONES))
    return candidates
