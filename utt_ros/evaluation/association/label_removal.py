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

"""Sessions as an unlabelled camera and its tracker record them: labels replaced by track ids."""

from dataclasses import replace

import numpy as np

from utt_ros.sync.association_types import PhoneSamples, Tracks
from utt_ros.types import NS_PER_S, Frames, Session, SyncedBatch

TRACK_LOST_S = 1.0  # a tracker gives a person a new id after as long without a box [R]


class TrackRenamer:
    """Track ids without names, as a tracker gives them: a person out of view gets a new one."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}  # track -> subject
        self._current: dict[str, tuple[str, int]] = {}  # subject -> track and its last stamp

    def rename(self, subject: str, stamp_ns: int) -> str:
        """Return the track id of a subject's box at a stamp."""
        track, last_ns = self._current.get(subject, ('', 0))
        if not track or not 0 <= stamp_ns - last_ns <= TRACK_LOST_S * NS_PER_S:
            track = f'{len(self.owners):04d}'
            self.owners[track] = subject
        self._current[subject] = (track, stamp_ns)
        return track


def remove_batch_labels(batch: SyncedBatch, renamer: TrackRenamer) -> tuple[Tracks, PhoneSamples]:
    """Split a tick into boxes without labels, from left to right, and samples of phones."""
    boxes = np.flatnonzero(batch.camera_mask)
    boxes = boxes[np.argsort(batch.camera[boxes, 0], kind='stable')]
    ids = tuple(renamer.rename(batch.subjects[row], batch.stamp_ns) for row in boxes)
    carried = np.flatnonzero(batch.imu_mask.any(1) | (batch.ftm_age_s <= TRACK_LOST_S))
    tracks = Tracks(
        batch.stamp_ns, batch.camera[boxes], ('',) * len(ids), ids, np.ones(len(ids), np.float32))
    phones = PhoneSamples(
        tuple(batch.subjects[row] for row in carried), batch.ftm[carried],
        batch.ftm_age_s[carried], batch.ftm_mask[carried], batch.imu[carried],
        batch.imu_mask[carried])
    return tracks, phones


def remove_session_labels(session: Session) -> tuple[Session, dict[str, str]]:
    """Return the session with track ids in place of labels, and the subject of each track."""
    frames = session.frames
    if frames is None:
        return session, {}
    renamer = TrackRenamer()
    ids = tuple(
        renamer.rename(frames.subjects[box], stamp_ns)
        for row, stamp_ns in enumerate(frames.stamps_ns.tolist())
        for box in range(int(frames.starts[row]), int(frames.starts[row + 1])))
    unlabelled = Frames(frames.stamps_ns, frames.starts, frames.boxes, ('',) * len(ids), ids)
    return replace(session, frames=unlabelled), renamer.owners


def remove_first_phone(session: Session) -> tuple[Session, str]:
    """Return the session without its first phone, and the name of its subject."""
    removed = min(session.phones)
    return replace(session, phones={
        name: phone for name, phone in session.phones.items() if name != removed}), removed
