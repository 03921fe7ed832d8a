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

"""Ground truth at a stamp, and per-subject trajectories of a session with their ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.types import Array, FloatArray, GroundTruth, MaskArray, Stamps, SyncedBatch

MAX_TRUTH_GAP_NS = 500_000_000  # the truth is not interpolated across a longer gap


@dataclass(frozen=True, slots=True)
class SubjectTrajectory:
    """Measurements and ground truth of one subject in one session: T ticks, physical units."""

    subject: str
    stamps_ns: Stamps  # (T,)
    ticks: npt.NDArray[np.intp]  # (T,) index of the batch in its session
    camera: FloatArray  # (T, 5) CAMERA_CHANNELS
    camera_mask: MaskArray  # (T,)
    ftm: FloatArray  # (T, 2) FTM_CHANNELS
    ftm_mask: MaskArray  # (T,) true when new
    imu: FloatArray  # (T, C, 9) IMU_CHANNELS
    imu_mask: MaskArray  # (T, C)
    truth: GroundTruth

    def truth_m(self, ahead_ns: int = 0) -> Array:
        """Return true positions (T, 2) [m] at each tick, or `ahead_ns` later; NaN: unknown."""
        return truth_at(self.truth, self.stamps_ns + ahead_ns)

    def future_m(self, period: float, ticks: int) -> Array:
        """Return true positions (T, `ticks`, 2) [m] at the next ticks; NaN: unknown."""
        offsets_ns = np.round(1e9 * period * np.arange(1, ticks + 1)).astype(np.int64)
        stamps = self.stamps_ns[:, None] + offsets_ns
        return truth_at(self.truth, stamps.ravel()).reshape(*stamps.shape, 2)

    def camera_age_s(self, mask: MaskArray | None = None) -> Array:
        """Return the time (T,) [s] since the last box of the subject; inf before the first.

        `mask` (T,) replaces the recorded camera mask.
        """
        detected = self.camera_mask if mask is None else mask
        return seconds_since(self.stamps_ns, self.stamps_ns[detected])


@dataclass(frozen=True, slots=True)
class TrackEstimate:
    """Estimates of a method at the T ticks of a trajectory; NaN where there is none."""

    position: FloatArray  # (T, 2) [m]
    covariance: FloatArray  # (T, 2, 2) [m^2]
    future_displacements: FloatArray | None = None  # (T, H, 2) at the next H ticks [m]
    imu: FloatArray | None = None  # (T, C, 9) synthesized
    imu_mean: FloatArray | None = None  # (T, C, 9) its mean, without gait harmonics


def subject_trajectories(
    batches: Sequence[SyncedBatch], truth: Mapping[str, GroundTruth],
) -> list[SubjectTrajectory]:
    """Collect the trajectories of the subjects whose ground truth is known."""
    return [_trajectory(batches, name, truth[name]) for name in sorted(truth)
            if any(name in batch.subjects for batch in batches)]


def truth_at(truth: GroundTruth, stamps_ns: Stamps) -> Array:
    """Interpolate the true positions (N, 2) [m] at stamps (N,).

    NaN outside the truth and in gaps longer than MAX_TRUTH_GAP_NS, except at the stamps of
    samples.
    """
    after = np.searchsorted(truth.stamps_ns, stamps_ns)
    inside = (after > 0) & (after < len(truth.stamps_ns))
    exact = np.isin(stamps_ns, truth.stamps_ns)
    after = np.clip(after, 1, len(truth.stamps_ns) - 1)
    gap = truth.stamps_ns[after] - truth.stamps_ns[after - 1]
    start = truth.stamps_ns[0]  # differences of nanoseconds are exact in float64, epochs are not
    positions_m = np.stack([
        np.interp(stamps_ns - start, truth.stamps_ns - start, truth.positions_m[:, axis])
        for axis in (0, 1)], axis=1)
    positions_m[~(inside & (gap <= MAX_TRUTH_GAP_NS) | exact)] = np.nan
    return positions_m


def seconds_since(stamps_ns: Stamps, events_ns: Stamps) -> Array:
    """Time [s] (N,) from the last event, of increasing `events_ns`, to each stamp; inf: none."""
    last = np.searchsorted(events_ns, stamps_ns, side='right')
    seconds = np.full(len(stamps_ns), np.inf)
    known = last > 0
    seconds[known] = (stamps_ns[known] - events_ns[last[known] - 1]) / 1e9
    return seconds


def _trajectory(
    batches: Sequence[SyncedBatch], name: str, truth: GroundTruth,
) -> SubjectTrajectory:
    rows = [(tick, batch.subjects.index(name)) for tick, batch in enumerate(batches)
            if name in batch.subjects]
    columns = {
        field: np.stack([getattr(batches[tick], field)[row] for tick, row in rows])
        for field in ('camera', 'camera_mask', 'ftm', 'ftm_mask', 'imu', 'imu_mask')}
    stamps_ns = np.array([batches[tick].stamp_ns for tick, _ in rows], np.int64)
    ticks = np.array([tick for tick, _ in rows], np.intp)
    return SubjectTrajectory(name, stamps_ns, ticks, **columns, truth=truth)
