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

"""Gait features and stride harmonics from IMU windows [D], alike in training and live."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from utt_ros.types import Array, FloatArray, MaskArray

Frequencies = npt.NDArray[np.float64]
FourierBasis = npt.NDArray[np.complex64]

TURN_SPANS_S = (0.2, 0.4, 0.7, 1.0, 2.0, 2.9)  # turn from that long ago to the last row
STRENGTH_SPANS_S = (0.5, 1.0, 2.0)  # up to the last row
SPIN_SPAN_S = 0.5
CADENCE_SPAN_S = 1.5
BAND_HZ = (1.0, 3.0)  # range of human step frequencies
OVERSAMPLING = 4  # of the spectrum, relative to its resolution
GAIT_FEATURES = (
    *(f'turn_{span}_s_rad' for span in TURN_SPANS_S),
    *(f'strength_{span}_s_mps2' for span in STRENGTH_SPANS_S), 'spin_radps', 'cadence_hz')

HARMONICS = 4  # of the stride, which is two steps
INERTIAL_CHANNELS = 6  # accel and gyro: the first of IMU_CHANNELS
STRIDE_HALF_SPAN_S = 0.75  # rows on either side of the instant that enter the fit
MIN_MEASURED_SHARE = 0.8  # of these rows
MIN_STEPPING_STD_MPS2 = 1.0  # of the acceleration norm; below it a person stands
MIN_RMS = 1e-3  # floor of every RMS [m/s^2, rad/s]
RIDGE_WEIGHT = 1e-3


def gait_features(
    imu: FloatArray, mask: MaskArray, turns: FloatArray, row_period_s: float,
) -> FloatArray:
    """Compute GAIT_FEATURES (S, G) of windows (S, R, 9) with mask (S, R); 0 without any row [D].

    `turns` (S, R) are those of `compass.estimate_heading`. Strength is the standard deviation of
    the acceleration norm, spin the mean rate of turn about any axis, cadence the peak of the
    norm's spectrum in the band of steps. None of them depends on how the phone is held.
    """
    rows = imu.shape[1]
    back = [max(rows - 1 - round(span / row_period_s), 0) for span in TURN_SPANS_S]
    norm = masked_norm(imu[..., :3], mask)
    strengths = [
        _standard_deviation(norm, mask, round(span / row_period_s)) for span in STRENGTH_SPANS_S]
    recent = round(SPIN_SPAN_S / row_period_s)
    spin = _mean(masked_norm(imu[:, -recent:, 3:6], mask[:, -recent:]), mask[:, -recent:])
    features = np.column_stack([
        -turns[:, back], *strengths, spin, estimate_cadence(norm, mask, row_period_s)])
    measured = np.asarray(mask.any(axis=1))
    return np.where(measured[:, None], features, 0.0).astype(np.float32)


def masked_norm(vectors: FloatArray, mask: MaskArray) -> FloatArray:
    """Compute lengths (N, R) of vectors (N, R, 3); 0 where masked."""
    return np.asarray(np.sqrt(np.einsum('srk,srk->sr', vectors, vectors)) * mask)


def _mean(values: FloatArray, mask: MaskArray) -> FloatArray:
    return np.asarray(values.sum(1) / np.maximum(mask.sum(1), 1))


def _standard_deviation(values: FloatArray, mask: MaskArray, last: int) -> FloatArray:
    values, mask = values[:, -last:], mask[:, -last:]
    residual = (values - _mean(values, mask)[:, None]) * mask
    return np.sqrt(_mean(residual * residual, mask))


def estimate_cadence(norm: FloatArray, mask: MaskArray, row_period_s: float) -> FloatArray:
    """Estimate step frequencies (N,) [Hz] from acceleration norms (N, R); 0 without motion.

    Only the last CADENCE_SPAN_S count.
    """
    last = min(round(CADENCE_SPAN_S / row_period_s), norm.shape[1])
    norm, mask = norm[:, -last:], mask[:, -last:]
    residual = (norm - _mean(norm, mask)[:, None]) * mask
    band, basis = _fourier_basis(last, row_period_s)
    power = np.abs(residual @ basis)
    return np.where(power.max(1) > 0, band[power.argmax(1)], 0.0)


@cache
def _fourier_basis(rows: int, row_period_s: float) -> tuple[Frequencies, FourierBasis]:
    """Return frequencies (K,) [Hz] of the band and the windowed Fourier basis (R, K)."""
    step_hz = 1.0 / (OVERSAMPLING * CADENCE_SPAN_S)
    low, high = BAND_HZ
    band = np.arange(low, high + step_hz / 2, step_hz)
    seconds = row_period_s * np.arange(rows)
    basis = np.hanning(rows)[:, None] * np.exp(-2j * np.pi * seconds[:, None] * band)
    return np.asarray(band, np.float64), np.asarray(basis, np.complex64)


@dataclass(frozen=True, slots=True)
class StrideHarmonics:
    """Harmonic fit of the IMU of N phones around an instant."""

    cadence: FloatArray  # (N,) step frequency [Hz]
    cadence_valid: MaskArray  # (N,) false for a person who stands
    swing: FloatArray  # (N, 6, HARMONICS + 1) log RMS of harmonics, residual [m/s^2, rad/s]
    swing_valid: MaskArray  # (N,)


def fit_stride_harmonics(
    imu: FloatArray, mask: MaskArray, row: int, row_period_s: float,
) -> StrideHarmonics:
    """Fit stride harmonics around row `row` of IMU windows (N, R, 9) with mask (N, R).

    Each channel of accel and gyro is a constant, sinusoids at multiples of the stride frequency
    and a residual. Windows with a non-finite row are marked invalid.
    """
    reach = round(STRIDE_HALF_SPAN_S / row_period_s)
    near = slice(max(row - reach, 0), row + reach + 1)
    finite = np.asarray(np.isfinite(imu).all((1, 2)))
    imu, mask = np.where(finite[:, None, None], imu[:, near], 0.0), mask[:, near]
    norm = masked_norm(imu[..., :3], mask)
    cadence = estimate_cadence(norm, mask, row_period_s)
    valid = finite & (mask.mean(axis=1) >= MIN_MEASURED_SHARE)
    count = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    residual = (norm - norm.sum(axis=1, keepdims=True) / count) * mask
    is_stepping = (residual**2).sum(axis=1) > count[:, 0] * MIN_STEPPING_STD_MPS2**2
    assumed = np.where(cadence > 0, cadence, sum(BAND_HZ) / 2)  # any will do without motion
    swing = _log_rms(imu[..., :INERTIAL_CHANNELS], mask, assumed, row_period_s)
    return StrideHarmonics(
        cadence.astype(np.float32), valid & is_stepping,
        np.where(valid[:, None, None], swing, 0.0).astype(np.float32), valid)


def _log_rms(
    inertial: FloatArray, mask: MaskArray, cadence: FloatArray, row_period_s: float,
) -> Array:
    """Fit (N, R, 6) by least squares over measured rows; log RMS (N, 6, HARMONICS + 1)."""
    seconds = row_period_s * np.arange(inertial.shape[1], dtype=np.float64)
    angles = np.pi * cadence[:, None, None] * seconds[:, None] * np.arange(1, HARMONICS + 1)
    basis = np.concatenate(
        [np.ones((*mask.shape, 1)), np.cos(angles), np.sin(angles)], axis=2)  # (N, R, 1 + 2 K)
    masked = (basis * mask[..., None]).swapaxes(1, 2)
    fit = np.linalg.solve(masked @ basis + RIDGE_WEIGHT * np.eye(basis.shape[2]),
                          masked @ inertial)
    squared = ((inertial - basis @ fit) * mask[..., None])**2
    residual = squared.sum(axis=1, keepdims=True) / np.maximum(mask.sum(1), 1)[:, None, None]
    power = (fit[:, 1:HARMONICS + 1]**2 + fit[:, HARMONICS + 1:]**2) / 2
    power = np.concatenate([power, residual], axis=1).swapaxes(1, 2)
    return np.asarray(np.log(power + MIN_RMS**2) / 2)
