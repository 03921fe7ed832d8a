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

"""Record of live association: the name given to each box, its truth, and their rates by age."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from utt_ros.types import Array, Frames, MaskArray, Session, SyncedBatch

AGE_SLACK_S = 0.5  # largest difference of a track's age from the one asked for
CONFIDENT = 0.9
TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class AssociationRecord:
    """N boxes of tracks and the subjects that a method assigned to them."""

    age_s: Array  # (N,) since the track appeared
    correct: MaskArray  # (N,) the right subject was assigned
    named: MaskArray  # (N,) some subject was assigned
    owned: MaskArray  # (N,) the person has a phone, and so has another one
    stranger: MaskArray  # (N,) the person has no phone
    confidence: Array  # (N,) of the assignment; 0 without one
    changes: int  # of the subject of a track
    seconds: float  # of all tracks

    def idp_at(self, age_s: float) -> float:
        """IDP, the share of correct boxes, at a track age; NaN without a track of that age."""
        selected = self.owned & (np.abs(self.age_s - age_s) <= AGE_SLACK_S)
        return float(self.correct[selected].mean()) if selected.any() else nan

    @property
    def idp(self) -> float:
        """IDP over all ages."""
        return float(self.correct[self.owned].mean()) if self.owned.any() else nan

    @property
    def wrong(self) -> float:
        """Share of boxes with another person's name."""
        owned = self.owned
        return float((self.named & ~self.correct)[owned].mean()) if owned.any() else nan

    @property
    def confident(self) -> tuple[float, float]:
        """Share of confident boxes, and the share of these that is correct."""
        selected = self.owned & (self.confidence >= CONFIDENT)
        count = max(int(self.owned.sum()), 1)
        return (float(selected.sum() / count),
                float(self.correct[selected].mean()) if selected.any() else nan)

    @property
    def false_association(self) -> tuple[float, float]:
        """False-association rate of people without a phone: overall, and with confidence."""
        named, confident = (
            part[self.stranger] for part in (self.named, self.confidence >= CONFIDENT))
        return (float(named.mean()), float(confident.mean())) if len(named) else (nan, nan)


def tracks_in_view(session: Session) -> dict[int, tuple[str, ...]]:
    """Return the tracks with a box of known depth, by stamp of their frame."""
    return {} if session.frames is None else dict(_frame_tracks(session.frames))


def _frame_tracks(frames: Frames) -> Iterator[tuple[int, tuple[str, ...]]]:
    known: MaskArray = np.asarray(np.isfinite(frames.boxes).all(1))
    for row, stamp_ns in enumerate(frames.stamps_ns.tolist()):
        boxes = range(int(frames.starts[row]), int(frames.starts[row + 1]))
        yield stamp_ns, tuple(frames.track_ids[box] for box in boxes if known[box])


def record_association(
    session: Session, owners: Mapping[str, str], batches: Sequence[SyncedBatch],
) -> AssociationRecord:
    """Compare the subjects of synchronized batches with the owners of their tracks."""
    in_view = tracks_in_view(session)
    first_ns: dict[str, int] = {}
    last: dict[str, str] = {}  # track -> subject
    rows, changes = [], 0
    for batch in batches:
        if not batch.camera_tick:
            continue
        track_rows = {track: row for row, track in enumerate(batch.track_ids) if track}
        phones = {name for row, name in enumerate(batch.subjects)
                  if batch.imu_mask[row].any() or np.isfinite(batch.ftm_age_s[row])}
        for track in in_view.get(batch.stamp_ns, ()):
            start_ns = first_ns.setdefault(track, batch.stamp_ns)
            row = track_rows.get(track)
            name = batch.subjects[row] if row is not None else ''
            changes += bool(name) and last.setdefault(track, name) != name
            last |= {track: name} if name else {}
            rows.append((
                (batch.stamp_ns - start_ns) / 1e9, name == owners[track], bool(name),
                owners[track] in phones and len(phones) > 1, owners[track] not in phones,
                float(batch.association[row]) if row is not None else 0.0))
    columns = list(zip(*rows, strict=True)) or [()] * 6
    correct, named, owned, stranger = (np.array(column, bool) for column in columns[1:5])
    return AssociationRecord(
        np.array(columns[0], float), correct, named, owned, stranger,
        np.array(columns[5], float), changes, TICK_S * len(rows))


def join_records(parts: Sequence[AssociationRecord]) -> AssociationRecord:
    """Concatenate records."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ('age_s', 'correct', 'named', 'owned', 'stranger', 'confidence')}
    return AssociationRecord(
        **columns, changes=sum(part.changes for part in parts),
        seconds=sum(part.seconds for part in parts))
