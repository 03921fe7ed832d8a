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

"""Candidates of association: measurements of all tracks and phones in the last ticks.

They hold no labels: a track has the id of the camera's tracker, a phone its own name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from utt_ros.settings import WindowSettings
from utt_ros.sync.association_types import PhoneSamples, Tracks
from utt_ros.sync.window_buffer import WindowBuffer
from utt_ros.types import CAMERA_CHANNELS, FTM_CHANNELS, FloatArray, MaskArray, SyncedBatch

TRACK_PREFIX, PHONE_PREFIX = 'track ', 'phone '  # of subjects in the common window buffer


@dataclass(frozen=True, slots=True)
class Candidates:
    """K tracks and P phones in the last T ticks, C rows of IMU per tick; zeros where masked."""

    stamp_ns: int  # of the last tick
    period: float  # of the ticks [s]
    track_ids: tuple[str, ...]  # K
    phones: tuple[str, ...]  # P
    boxes: FloatArray  # (K, T, 5) CAMERA_CHANNELS
    boxes_mask: MaskArray  # (K, T)
    ftm: FloatArray  # (P, T, 2) FTM_CHANNELS
    ftm_mask: MaskArray  # (P, T)
    imu: FloatArray  # (P, T * C, 9) IMU_CHANNELS, phone frame
    imu_mask: MaskArray  # (P, T * C)

    @property
    def ticks(self) -> int:
        """Number of ticks T."""
        return self.boxes_mask.shape[1]

    @property
    def imu_rows(self) -> int:
        """Rows of IMU per tick C."""
        return self.imu_mask.shape[1] // self.ticks

    @property
    def first_seen(self) -> npt.NDArray[np.intp]:
        """Tick (K,) at which each track was first seen; T for one without a box."""
        return np.where(self.boxes_mask.any(1), self.boxes_mask.argmax(1), self.ticks)

    @property
    def ages_s(self) -> npt.NDArray[np.float64]:
        """Age (K,) of each track at the last tick, since it was first seen [s]."""
        return np.asarray(self.period * (self.ticks - 1 - self.first_seen), np.float64)

    def select_tracks(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> 'Candidates':
        """Return the candidates with the selected tracks and all phones."""
        chosen = np.asarray(rows, np.intp)
        return replace(
            self, track_ids=tuple(self.track_ids[row] for row in chosen),
            boxes=self.boxes[chosen], boxes_mask=self.boxes_mask[chosen])

    def select_phones(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> 'Candidates':
        """Return the candidates with the selected phones and all tracks."""
        chosen = np.asarray(rows, np.intp)
        return replace(
            self, phones=tuple(self.phones[row] for row in chosen),
            ftm=self.ftm[chosen], ftm_mask=self.ftm_mask[chosen], imu=self.imu[chosen],
            imu_mask=self.imu_mask[chosen])

    def last(self, ticks: int) -> 'Candidates':
        """Return the candidates restricted to the last ticks."""
        rows = ticks * self.imu_rows
        return replace(
            self, boxes=self.boxes[:, -ticks:], boxes_mask=self.boxes_mask[:, -ticks:],
            ftm=self.ftm[:, -ticks:], ftm_mask=self.ftm_mask[:, -ticks:],
            imu=self.imu[:, -rows:], imu_mask=self.imu_mask[:, -rows:])


class CandidateHistory:
    """Buffer of the last T ticks of every track and phone, filled as an `Associator` is called."""

    def __init__(self, ticks: int, window: WindowSettings) -> None:
        self._ticks, self._period = ticks, window.period
        self._history = WindowBuffer(ticks, window.imu_rows, window.period)
        self._tracks: tuple[str, ...] = ()
        self._phones: tuple[str, ...] = ()
        self._seen_ns: dict[str, int] = {}  # track -> stamp of its last box

    def push(self, tracks: Tracks, phones: PhoneSamples, epoch: int = 0) -> None:
        """Add a frame and the phones' samples of its tick; boxes of unknown depth are left out."""
        usable = np.flatnonzero(np.isfinite(tracks.boxes).all(1))
        ids = tuple(tracks.track_ids[box] for box in usable)
        newest_ns = max(self._seen_ns.values(), default=0)
        if tracks.stamp_ns < newest_ns:
            self._seen_ns.clear()
        self._seen_ns |= dict.fromkeys(ids, tracks.stamp_ns)
        oldest_ns = tracks.stamp_ns - round(self._ticks * self._period * 1e9)
        self._seen_ns = {name: ns for name, ns in self._seen_ns.items() if ns > oldest_ns}
        self._phones = phones.names
        self._history.push(_batch(tracks, phones, usable, ids, epoch))

    def candidates(self, unseen_s: float = 0.35) -> Candidates:
        """Return the phones of the last tick and the tracks seen within the last `unseen_s`."""
        stamp_ns = max(self._seen_ns.values(), default=0)
        phones = self._history.windows([PHONE_PREFIX + name for name in self._phones])
        stamp_ns = int(phones.stamps_ns[0]) if len(phones) else stamp_ns
        ids = tuple(sorted(
            name for name, ns in self._seen_ns.items() if stamp_ns - ns <= unseen_s * 1e9))
        tracks = self._history.windows([TRACK_PREFIX + name for name in ids])
        return Candidates(
            stamp_ns, self._period, ids, self._phones,
            tracks.values['camera'], tracks.masks['camera'],
            phones.values['ftm'], phones.masks['ftm'],
            phones.values['imu'], phones.masks['imu'])


def _batch(
    tracks: Tracks, phones: PhoneSamples, usable: npt.NDArray[np.intp], ids: tuple[str, ...],
    epoch: int,
) -> SyncedBatch:
    """Pack each track and each phone as a subject of its own."""
    boxes = len(ids)
    total = boxes + len(phones.names)
    camera = np.zeros((total, len(CAMERA_CHANNELS)), np.float32)
    camera[:boxes] = tracks.boxes[usable]
    ftm = np.zeros((total, len(FTM_CHANNELS)), np.float32)
    ftm[boxes:] = phones.ftm
    imu = np.zeros((total, *phones.imu.shape[1:]), np.float32)
    imu[boxes:] = phones.imu
    imu_mask = np.zeros(imu.shape[:2], bool)
    imu_mask[boxes:] = phones.imu_mask
    return SyncedBatch(
        stamp_ns=tracks.stamp_ns, epoch=epoch, sequence=0, camera_tick=True,
        subjects=(*(TRACK_PREFIX + name for name in ids),
                  *(PHONE_PREFIX + name for name in phones.names)),
        track_ids=('',) * total, association=np.zeros(total, np.float32),
        camera=camera, camera_mask=np.arange(total) < boxes,
        ftm=ftm, ftm_age_s=np.zeros(total, np.float32),
        ftm_mask=np.concatenate([np.zeros(boxes, bool), phones.ftm_mask]),
        imu=imu, imu_mask=imu_mask)
