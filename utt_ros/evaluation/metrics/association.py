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

"""Evaluation protocol of association: sets of encounters, identification precision (IDP)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, nan
from typing import Any

import numpy as np

from utt_ros.association.assignment import Costs, assign
from utt_ros.association.dead_reckoning import window_headings
from utt_ros.association.track_kinematics import MIN_SPEED_MPS, estimate_kinematics
from utt_ros.evaluation.association.encounters import (
    ENCOUNTER_STRIDE,
    Encounter,
    crowd_encounters,
    cut_encounters,
)
from utt_ros.training.recordings import Recordings
from utt_ros.types import MaskArray

TRACK_AGES_S = (1, 3, 5, 10)
CROWD_PHONES, CROWD_S, CROWD_SEED = 8, 3, 20240


@dataclass(frozen=True, slots=True)
class EncounterSet:
    """Encounters that give one row of results."""

    name: str  # such as 'fixed 3 s'
    encounters: tuple[Encounter, ...]
    ages_s: tuple[float, float] = (0.0, inf)  # of the tracks that count: from, below


class EncounterSplit:
    """Encounter sets of a split of recordings, each cut at its first use."""

    def __init__(self, data: Recordings, split: str, stride: int = ENCOUNTER_STRIDE) -> None:
        self._data, self._split, self._stride = data, split, stride

    @cached_property
    def all(self) -> tuple[Encounter, ...]:
        """Encounters with windows of ten seconds."""
        return tuple(encounter for sequence in self._data.of(self._split)
                     for encounter in cut_encounters(
                         sequence, self._data.window, stride=self._stride))

    @cached_property
    def fixed(self) -> tuple[EncounterSet, ...]:
        """Sets with windows of fixed length, tracks as old as the window."""
        return tuple(
            EncounterSet(f'fixed {age} s', tuple(self._cut(age))) for age in TRACK_AGES_S)

    @cached_property
    def crowd(self) -> EncounterSet:
        """Set with windows of three seconds among eight phones."""
        rng = np.random.default_rng(CROWD_SEED)
        return EncounterSet(
            f'crowd {CROWD_S} s',
            tuple(crowd_encounters(tuple(self._cut(CROWD_S)), CROWD_PHONES, rng)))

    @cached_property
    def growing(self) -> tuple[EncounterSet, ...]:
        """Sets with windows since a track appeared, ten seconds at most, by age of the track."""
        slack = 1.5 * self._data.window.period
        return tuple(
            EncounterSet(f'growing {age} s', self.all,
                         (age - slack, inf if age == max(TRACK_AGES_S) else age - slack + 1.0))
            for age in TRACK_AGES_S)

    @property
    def tuning(self) -> tuple[EncounterSet, ...]:
        """Sets for tuning, on the val split."""
        return (*self.fixed, self.crowd)

    @property
    def published(self) -> tuple[EncounterSet, ...]:
        """Sets whose results are published."""
        return (*self.fixed, *self.growing, self.crowd)

    def examples(self) -> Iterator[Encounter]:
        """Yield the training examples of networks: each encounter once per tuning set."""
        for encounter_set in self.tuning:
            yield from encounter_set.encounters
        yield from self.all

    def _cut(self, age_s: float) -> Iterator[Encounter]:
        for encounter in self.all:
            short = encounter.last(round(age_s / self._data.window.period))
            if len(short.owners):
                yield short


@dataclass(frozen=True, slots=True)
class IdpScore:
    """Number of tracks with the correct phone, and of all tracks in view."""

    correct: int
    tracks: int

    @property
    def idp(self) -> float:
        """Share of correct tracks; NaN without tracks."""
        return self.correct / self.tracks if self.tracks else nan


def memoize(compute: Callable[[Encounter], Any]) -> Callable[[Encounter], Any]:
    """Compute a function of an encounter once for each; encounters must outlive the result."""
    known: dict[int, Any] = {}

    def memoized(encounter: Encounter) -> Any:
        if id(encounter) not in known:
            known[id(encounter)] = compute(encounter)
        return known[id(encounter)]
    return memoized


def score_assignments(
    encounter_sets: Sequence[EncounterSet], cost: Callable[[Encounter], Costs],
) -> dict[str, IdpScore]:
    """Assign at minimum cost and return the score of each set."""
    correct = memoize(lambda encounter: assign(cost(encounter)) == encounter.owners)
    scores = {}
    for encounter_set in encounter_sets:
        parts = [correct(encounter)[_counted(encounter, encounter_set)]
                 for encounter in encounter_set.encounters]
        scores[encounter_set.name] = IdpScore(
            sum(int(part.sum()) for part in parts), sum(len(part) for part in parts))
    return scores


def _counted(encounter: Encounter, encounter_set: EncounterSet) -> MaskArray:
    low, high = encounter_set.ages_s
    ages = encounter.candidates.ages_s
    return np.asarray((ages >= low) & (ages < high))


def mean_idp(scores: Mapping[str, IdpScore]) -> float:
    """Mean IDP over the sets that have tracks, the criterion of tuning; NaN where none has."""
    values = [score.idp for score in scores.values() if score.tracks]
    return float(np.mean(values)) if values else nan


def heading_biases(encounters: Sequence[Encounter]) -> dict[str, float]:
    """Mean offset [rad] of phones' headings from their carriers' directions of travel, by area.

    From labelled encounters of the train split; an installer would calibrate it once.
    """
    sums: dict[str, complex] = {}
    for encounter in encounters:
        candidates, area, owners = encounter.candidates, encounter.area, encounter.owners
        angles, valid = window_headings(candidates, area.magnetic_yaw)
        velocity = estimate_kinematics(candidates, area).velocity
        travel = np.nan_to_num(velocity[..., 0]) + 1j * np.nan_to_num(velocity[..., 1])
        use = valid[owners] & (np.abs(travel) > MIN_SPEED_MPS)
        turn = np.exp(1j * (angles[owners] - np.angle(travel)))
        sums[area.area] = sums.get(area.area, 0j) + complex(turn[use].sum())
    return {area: float(np.angle(total)) for area, total in sums.items()}
