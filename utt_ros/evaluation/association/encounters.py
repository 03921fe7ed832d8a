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

"""Encounters: candidates cut from recordings with labels removed, and the true assignment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from utt_ros.association.candidates import CandidateHistory, Candidates
from utt_ros.evaluation.association.label_removal import TrackRenamer, remove_batch_labels
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import Indices

ENCOUNTER_STRIDE = 10  # ticks
MAX_ENCOUNTER_TICKS = 100
DETECTION_SLACK_S = 0.3  # a detector misses a person now and then


@dataclass(frozen=True, slots=True)
class Encounter:
    """Input of an association method, and its target."""

    area: AreaSettings
    sequence: str
    candidates: Candidates
    owners: Indices  # (K,) row of the phone of each track

    def last(self, ticks: int) -> 'Encounter':
        """Return the last ticks, with the tracks that were in view since the first of them."""
        candidates = self.candidates.last(ticks)
        slack = round(DETECTION_SLACK_S / candidates.period)
        rows = np.flatnonzero(candidates.first_seen <= min(slack, ticks // 3))
        return replace(
            self, candidates=candidates.select_tracks(rows), owners=self.owners[rows])


def cut_encounters(
    recording: RecordedSequence, window: WindowSettings, *, stride: int = ENCOUNTER_STRIDE,
    max_ticks: int = MAX_ENCOUNTER_TICKS, min_phones: int = 2,
) -> Iterator[Encounter]:
    """Yield an encounter every `stride` ticks with at least one track and `min_phones` phones."""
    history = CandidateHistory(max_ticks, window)
    renamer = TrackRenamer()
    for number, batch in enumerate(recording.batches):
        if not batch.camera_tick:
            continue
        history.push(*remove_batch_labels(batch, renamer), batch.epoch)
        if (number + 1) % stride:
            continue
        candidates = history.candidates()
        subjects = [renamer.owners[track] for track in candidates.track_ids]
        rows = [row for row, name in enumerate(subjects) if name in candidates.phones]
        if rows and len(candidates.phones) >= min_phones:
            owners = [candidates.phones.index(subjects[row]) for row in rows]
            yield Encounter(
                recording.area, recording.sequence, candidates.select_tracks(rows),
                np.array(owners, np.intp))


def crowd_encounters(
    encounters: Sequence[Encounter], phones: int, rng: np.random.Generator,
) -> Iterator[Encounter]:
    """Add phones of other sequences of the same area to each encounter, up to `phones` in all.

    Their carriers are not in view.
    """
    for encounter in encounters:
        others = [other for other in encounters if other.area.area == encounter.area.area
                  and other.sequence != encounter.sequence]
        candidates, ticks = encounter.candidates, encounter.candidates.ticks
        while others and len(candidates.phones) < phones:
            other = others[int(rng.integers(len(others)))].candidates
            if other.ticks == ticks:
                candidates = _add_phone(candidates, other, int(rng.integers(len(other.phones))))
        yield replace(encounter, candidates=candidates)


def _add_phone(candidates: Candidates, other: Candidates, phone: int) -> Candidates:
    columns = {
        name: np.concatenate([getattr(candidates, name), getattr(other, name)[phone:phone + 1]])
        for name in ('ftm', 'ftm_mask', 'imu', 'imu_mask')}
    name = f'{other.phones[phone]}, passer-by {len(candidates.phones)}'
    return replace(candidates, phones=(*candidates.phones, name), **columns)
