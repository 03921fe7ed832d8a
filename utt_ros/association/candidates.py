"""Tracks and phones that could belong together: what was measured of them in the last ticks.

No label ever enters: a track has the id that the camera's tracker gave it, a phone its own name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from utt_ros.settings import WindowSettings
from utt_ros.sync.association_types import PhoneSamples, Tracks
from utt_ros.sync.window_buffer import History
from utt_ros.types import CAMERA_CHANNELS, FTM_CHANNELS, FloatArray, MaskArray, SyncedBatch

TRACK, PHONE = 'track ', 'phone '  # keep the two apart in one history


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
        """T."""
        return self.boxes_mask.shape[1]

    @property
    def imu_rows(self) -> int:
        """C."""
        return self.imu_mask.shape[1] // self.ticks

    @property
    def first_seen(self) -> npt.NDArray[np.intp]:
        """The tick (K,) in which each track was first seen; T for one that was not."""
        return np.where(self.boxes_mask.any(1), self.boxes_mask.argmax(1), self.ticks)

    @property
    def ages_s(self) -> npt.NDArray[np.float64]:
        """Time (K,) from when each track was first seen to the last tick [s]."""
        return np.asarray(self.period * (self.ticks - 1 - self.first_seen), np.float64)

    def of_tracks(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> 'Candidates':
        """The same phones with some of the tracks."""
        chosen = np.asarray(rows, np.intp)
        return replace(
            self, track_ids=tuple(self.track_ids[row] for row in chosen),
            boxes=self.boxes[chosen], boxes_mask=self.boxes_mask[chosen])

    def last(self, ticks: int) -> 'Candidates':
        """The same tracks and phones in fewer ticks."""
        rows = ticks * self.imu_rows
        return replace(
            self, boxes=self.boxes[:, -ticks:], boxes_mask=self.boxes_mask[:, -ticks:],
            ftm=self.ftm[:, -ticks:], ftm_mask=self.ftm_mask[:, -ticks:],
            imu=self.imu[:, -rows:], imu_mask=self.imu_mask[:, -rows:])


class CandidateHistory:
    """Collects the last T ticks of every track and every phone, as an `Associator` sees them."""

    def __init__(self, ticks: int, shape: WindowSettings) -> None:
        self._ticks, self._period = ticks, shape.period
        self._history = History(ticks, shape.imu_rows, shape.period)
        self._tracks: tuple[str, ...] = ()
        self._phones: tuple[str, ...] = ()
        self._seen_ns: dict[str, int] = {}  # track -> when last seen

    def push(self, tracks: Tracks, phones: PhoneSamples, epoch: int = 0) -> None:
        """Take a frame and what the phones measured for it; boxes of unknown depth count not."""
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
        """The phones of the last tick and the tracks last seen no longer ago than `unseen_s`."""
        stamp_ns = max(self._seen_ns.values(), default=0)
        windows = self._history.windows([PHONE + name for name in self._phones])
        stamp_ns = int(windows.stamps_ns[0]) if len(windows) else stamp_ns
        ids = tuple(sorted(
            name for name, ns in self._seen_ns.items() if stamp_ns - ns <= unseen_s * 1e9))
        seen = self._history.windows([TRACK + name for name in ids])
        return Candidates(
            stamp_ns, self._period, ids, self._phones,
            seen.values['camera'], seen.masks['camera'],
            windows.values['ftm'], windows.masks['ftm'],
            windows.values['imu'], windows.masks['imu'])


def _batch(
    tracks: Tracks, phones: PhoneSamples, usable: npt.NDArray[np.intp], ids: tuple[str, ...],
    epoch: int,
) -> SyncedBatch:
    """Tracks and phones as if each were a subject of its own."""
    seen, count = len(ids), len(phones.names)
    total = seen + count
    camera = np.zeros((total, len(CAMERA_CHANNELS)), np.float32)
    camera[:seen] = tracks.boxes[usable]
    ftm = np.zeros((total, len(FTM_CHANNELS)), np.float32)
    ftm[seen:] = phones.ftm
    imu = np.zeros((total, *phones.imu.shape[1:]), np.float32)
    imu[seen:] = phones.imu
    imu_mask = np.zeros(imu.shape[:2], bool)
    imu_mask[seen:] = phones.imu_mask
    return SyncedBatch(
        stamp_ns=tracks.stamp_ns, epoch=epoch, sequence=0, camera_tick=True,
        subjects=(*(TRACK + name for name in ids), *(PHONE + name for name in phones.names)),
        track_ids=('',) * total, association=np.zeros(total, np.float32),
        camera=camera, camera_mask=np.arange(total) < seen,
        ftm=ftm, ftm_age_s=np.zeros(total, np.float32),
        ftm_mask=np.concatenate([np.zeros(seen, bool), phones.ftm_mask]),
        imu=imu, imu_mask=imu_mask)
