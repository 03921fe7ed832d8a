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

"""Synthesized IMU: similarity to measured IMU, and the baseline that differentiates a path."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.motion.gait import BAND_HZ
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import GRAVITY_MPS2, IMU_CHANNELS, Array, FloatArray, MaskArray

SMOOTH_TICKS = 5  # to either side, of central differences of a path
STEP_SPAN_S = 5.0  # length of the segments whose step frequency is estimated
FLAT_MPS2 = 1e-3  # standard deviation of acceleration at or below which nothing moves
STEPPING_MPS2 = 0.6  # standard deviation of acceleration above which a subject steps


def differentiate_path(
    track: TrackEstimate, area: AreaSettings, window: WindowSettings,
    field_t: tuple[float, float],
) -> FloatArray:
    """IMU (T, C, 9) [IMU_CHANNELS] of a phone that lies flat, its y axis forward [D].

    Acceleration and turn rate are those of the path at the velocity of the track (its first
    displacement over a period); `field_t` is the magnetic field [T], horizontal and up. NaN where
    the track has no estimate. Raises ValueError for a track without predictions.
    """
    if track.future_displacements is None:
        raise ValueError('a track without predictions has no velocity')
    velocity = track.future_displacements[:, 0].astype(np.float64) / window.period
    heading = np.arctan2(velocity[:, 1], velocity[:, 0])
    known = np.isfinite(heading)
    if known.sum() < 2:
        return np.full((len(heading), window.imu_rows, 9), np.nan, np.float32)
    heading[known] = np.unwrap(heading[known])
    speed = np.linalg.norm(velocity, axis=1)
    turn_rate = _slope(heading, window.period)
    north = np.pi / 2 - area.magnetic_yaw - heading
    horizontal, up = field_t
    zero = np.zeros_like(speed)
    imu = np.stack([
        -speed * turn_rate, _slope(speed, window.period), zero + GRAVITY_MPS2,
        zero, zero, turn_rate,
        -horizontal * np.sin(north), horizontal * np.cos(north), zero + up], axis=1)
    imu[~known] = np.nan
    return np.repeat(imu[:, None], window.imu_rows, axis=1).astype(np.float32)


def mean_magnetic_field(walks: Sequence[SubjectTrajectory]) -> tuple[float, float]:
    """Mean horizontal and upward field [T] measured by phones that lie about flat."""
    magnetic = np.concatenate([walk.imu[walk.imu_mask][:, 6:] for walk in walks])
    return (float(np.hypot(magnetic[:, 0], magnetic[:, 1]).mean()), float(magnetic[:, 2].mean()))


def has_source(walk: SubjectTrajectory, window: WindowSettings) -> MaskArray:
    """Mask (T, C) of measured IMU rows at ticks whose window holds a box or a range.

    Without either, the live graph reconstructs the IMU from itself, which is not evaluated here.
    """
    source = np.pad(walk.camera_mask | walk.ftm_mask, (window.ticks - 1, 0))
    in_window = np.asarray(sliding_window_view(source, window.ticks).any(1))
    return walk.imu_mask & in_window[:, None]


def imu_similarity(predicted: Array, measured: Array) -> dict[str, float]:
    """RMSE and Pearson's r of each channel, of finite rows (N, 9)."""
    metrics: dict[str, float] = {}
    for channel, name in enumerate(IMU_CHANNELS):
        a = predicted[:, channel].astype(np.float64)
        b = measured[:, channel].astype(np.float64)
        varies = len(a) > 1 and a.std() > 1e-9 and b.std() > 1e-9
        metrics[f'rmse_{name}'] = float(np.sqrt(np.mean((a - b)**2))) if len(a) else float('nan')
        metrics[f'pearson_{name}'] = float(np.corrcoef(a, b)[0, 1]) if varies else float('nan')
    return metrics


def step_frequency_errors(
    predicted: FloatArray, measured: FloatArray, known: MaskArray, window: WindowSettings,
) -> Array:
    """Absolute errors (N,) [Hz] of the step frequency in segments of STEP_SPAN_S with steps.

    `predicted` and `measured` (T, C, 9) and `known` (T, C) are those of one walk; segments with an
    unknown row are left out. The frequency of a constant signal is 0.
    """
    rate = window.imu_rows / window.period
    span = round(STEP_SPAN_S * rate)
    rows = known.ravel() & np.isfinite(predicted).all(2).ravel()
    norms = np.stack([np.linalg.norm(values[..., :3], axis=2).ravel()
                      for values in (predicted, measured)]).astype(np.float64)
    count = len(rows) // span
    whole = rows[:count * span].reshape(count, span).all(1)
    segments = norms[:, :count * span].reshape(2, count, span)[:, whole]
    segments = segments - segments.mean(2, keepdims=True)
    stepping = segments[1].std(1) > STEPPING_MPS2
    segments = segments[:, stepping]
    frequency = np.fft.rfftfreq(4 * span, 1 / rate)  # zero padding refines the peak
    power = np.abs(np.fft.rfft(segments * np.hanning(span), 4 * span))
    band = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    peak = frequency[band][power[..., band].argmax(2)] * (segments.std(2) > FLAT_MPS2)
    return np.asarray(np.abs(peak[0] - peak[1]))


def _slope(values: Array, period: float) -> Array:
    """Central differences (T,) over SMOOTH_TICKS to either side; 0 where they are unknown."""
    padded = np.pad(values, SMOOTH_TICKS, mode='edge')
    change = padded[2 * SMOOTH_TICKS:] - padded[:-2 * SMOOTH_TICKS]
    slope = change / (2 * SMOOTH_TICKS * period)
    return np.where(np.isfinite(slope), slope, 0.0)
