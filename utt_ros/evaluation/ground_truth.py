"""A session as walks: everything about one subject on the ticks in which he took part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.types import Array, FloatArray, MaskArray, Stamps, SyncedBatch, Truth

TRUTH_GAP_NS = 500_000_000  # across a longer gap the truth is not interpolated


@dataclass(frozen=True, slots=True)
class Walk:
    """One subject of one session, T ticks; area frame, physical units."""

    subject: str
    stamps_ns: Stamps  # (T,)
    ticks: npt.NDArray[np.intp]  # (T,) number of the batch in its session
    camera: FloatArray  # (T, 5) CAMERA_CHANNELS
    camera_mask: MaskArray  # (T,)
    ftm: FloatArray  # (T, 2) FTM_CHANNELS
    ftm_mask: MaskArray  # (T,) true when new
    imu: FloatArray  # (T, C, 9) IMU_CHANNELS
    imu_mask: MaskArray  # (T, C)
    truth: Truth

    def truth_m(self, ahead_ns: int = 0) -> Array:
        """Where the subject really was at each tick, or `ahead_ns` later (T, 2); NaN: unknown."""
        return truth_at(self.truth, self.stamps_ns + ahead_ns)

    def future_m(self, period: float, ticks: int) -> Array:
        """Where he really was at each of the next ticks (T, `ticks`, 2) [m]; NaN: unknown."""
        ahead = np.round(1e9 * period * np.arange(1, ticks + 1)).astype(np.int64)
        stamps = self.stamps_ns[:, None] + ahead
        return truth_at(self.truth, stamps.ravel()).reshape(*stamps.shape, 2)

    def camera_age_s(self, mask: MaskArray | None = None) -> Array:
        """Time since the camera saw the subject (T,); inf before it ever did.

        `mask` (T,): when it sees, where that is not as recorded.
        """
        seen = self.camera_mask if mask is None else mask
        return seconds_since(self.stamps_ns, self.stamps_ns[seen])


@dataclass(frozen=True, slots=True)
class Track:
    """What a method says of a walk's ticks; NaN where it says nothing."""

    position: FloatArray  # (T, 2) [m]
    covariance: FloatArray  # (T, 2, 2) [m^2]
    ahead: FloatArray | None = None  # (T, H, 2) displacement at the next H ticks [m]
    imu: FloatArray | None = None  # (T, C, 9) synthesized
    imu_mean: FloatArray | None = None  # (T, C, 9) its mean, which does not swing


def cut_walks(batches: Sequence[SyncedBatch], truth: Mapping[str, Truth]) -> list[Walk]:
    """The walks of the subjects whose truth is known."""
    return [_walk(batches, name, truth[name]) for name in sorted(truth)
            if any(name in batch.subjects for batch in batches)]


def truth_at(truth: Truth, stamps_ns: Stamps) -> Array:
    """Interpolate the true positions (N, 2) [m] at stamps (N,).

    NaN outside the truth and within its gaps of more than TRUTH_GAP_NS, unless a stamp is exactly
    that of a sample.
    """
    after = np.searchsorted(truth.stamps_ns, stamps_ns)
    inside = (after > 0) & (after < len(truth.stamps_ns))
    exact = np.isin(stamps_ns, truth.stamps_ns)
    after = np.clip(after, 1, len(truth.stamps_ns) - 1)
    gap = truth.stamps_ns[after] - truth.stamps_ns[after - 1]
    start = truth.stamps_ns[0]  # differences of nanoseconds are exact in float64, epochs are not
    found = np.stack([
        np.interp(stamps_ns - start, truth.stamps_ns - start, truth.positions_m[:, axis])
        for axis in (0, 1)], axis=1)
    found[~(inside & (gap <= TRUTH_GAP_NS) | exact)] = np.nan
    return found


def seconds_since(stamps_ns: Stamps, events_ns: Stamps) -> Array:
    """Time [s] (N,) from the last event, of increasing `events_ns`, to each stamp; inf: none."""
    last = np.searchsorted(events_ns, stamps_ns, side='right')
    seconds = np.full(len(stamps_ns), np.inf)
    some = last > 0
    seconds[some] = (stamps_ns[some] - events_ns[last[some] - 1]) / 1e9
    return seconds


def _walk(batches: Sequence[SyncedBatch], name: str, truth: Truth) -> Walk:
    places = [(tick, batch.subjects.index(name)) for tick, batch in enumerate(batches)
              if name in batch.subjects]
    columns = {
        field: np.stack([getattr(batches[tick], field)[row] for tick, row in places])
        for field in ('camera', 'camera_mask', 'ftm', 'ftm_mask', 'imu', 'imu_mask')}
    stamps_ns = np.array([batches[tick].stamp_ns for tick, _ in places], np.int64)
    ticks = np.array([tick for tick, _ in places], np.intp)
    return Walk(name, stamps_ns, ticks, **columns, truth=truth)
