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

"""Pedestrian dead reckoning: steps from the accelerometer, headings from the compass.

Association judges a whole window, so `count_steps` smooths without delay and `window_headings`
averages over samples after a tick as well. The particle-filter baseline runs tick by tick, so
`count_steps_causal` uses no sample after a tick, nor does `compass.causal_tick_headings`. The
thresholds differ with the filters, and published rows rest on both.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, find_peaks, sosfilt

from utt_ros.association.candidates import Candidates
from utt_ros.geometry.compass import tick_headings
from utt_ros.motion.gait import BAND_HZ
from utt_ros.types import Array, FloatArray, MaskArray

SMOOTH_S = 0.12
MIN_STEP_PERIOD_S = 0.33
MIN_STEP_PROMINENCE_MPS2 = 0.7  # in the norm of the acceleration [m/s^2]
CAUSAL_MIN_STEP_PERIOD_S = 0.3
CAUSAL_MIN_STEP_AMPLITUDE_MPS2 = 0.4  # of the band-passed norm of the acceleration [m/s^2]
CAUSAL_FILTER_ORDER = 2


def window_headings(
    candidates: Candidates, magnetic_yaw: float | Array,
) -> tuple[FloatArray, MaskArray]:
    """Return compass headings (P, T) [rad] at each tick, counter-clockwise from x; valid (P, T).

    `magnetic_yaw` is a scalar or (P,).
    """
    rows = candidates.imu_rows
    return tick_headings(
        candidates.imu, candidates.imu_mask, rows, candidates.period / rows, magnetic_yaw)


def count_steps(candidates: Candidates) -> Array:
    """Count steps in each tick (P, T): peaks of the smoothed norm of the acceleration."""
    row_period_s = candidates.period / candidates.imu_rows
    norms = np.linalg.norm(candidates.imu[..., :3], axis=-1)
    steps = np.zeros(norms.shape)
    for phone, norm in enumerate(norms):
        mask = candidates.imu_mask[phone]
        if not mask.any():
            continue
        filled = np.where(mask, norm, norm[mask].mean())
        smooth = uniform_filter1d(filled, max(1, round(SMOOTH_S / row_period_s)))
        peaks, _ = find_peaks(
            smooth, prominence=MIN_STEP_PROMINENCE_MPS2,
            distance=max(1, round(MIN_STEP_PERIOD_S / row_period_s)))
        steps[phone, peaks] = 1.0
    return np.asarray(steps.reshape(len(steps), candidates.ticks, -1).sum(2))


def count_steps_causal(imu: FloatArray, rate_hz: float) -> Array:
    """Count steps that end in each of T ticks (T,), from imu (T, C, 9) of one phone.

    Peaks of the norm of the acceleration after a causal band-pass [S: as pedometers do].
    """
    ticks, rows = imu.shape[:2]
    norm = np.linalg.norm(imu[..., :3].reshape(-1, 3).astype(np.float64), axis=1)
    band = butter(CAUSAL_FILTER_ORDER, BAND_HZ, 'bandpass', fs=rate_hz, output='sos')
    peaks, _ = find_peaks(
        sosfilt(band, norm - norm[0]), height=CAUSAL_MIN_STEP_AMPLITUDE_MPS2,
        distance=max(round(CAUSAL_MIN_STEP_PERIOD_S * rate_hz), 1))
    return np.bincount(peaks // rows, minlength=ticks).astype(np.float64)


def dead_reckon(candidates: Candidates, magnetic_yaw: float | Array, step_m: float) -> Array:
    """Return paths (P, T, 2) [m], area frame, from the origin by steps of length `step_m`."""
    angles, valid = window_headings(candidates, magnetic_yaw)
    length = step_m * count_steps(candidates) * valid
    moves = length[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.cumsum(moves, axis=1)
