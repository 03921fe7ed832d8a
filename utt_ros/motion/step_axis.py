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

"""Step axis: direction in which the steps of a walk push a phone, from its accelerations [D].

Walking is an acceleration along the course, and up, with every step; that across the course comes
with every other step. So the horizontal acceleration that keeps time with the vertical one lies
along the course, forward or backward. The phone's attitude within a step is that of its gyroscope.

Exact where a phone moves with the body as in `sessions.simulator`; phones in a hand move with the
arm as well, which turns the axis: by 16 degrees in the mean of RealWalk, with a standard deviation
of 11 degrees between walks.
"""

import numpy as np
from scipy.signal import butter, hilbert, sosfiltfilt

from utt_ros.types import GRAVITY_MPS2, Array

STEP_BAND_HZ = (1.3, 2.3)
BAND_ORDER = 3
LEVEL_TAU_S = 2.0  # of the correction of gyroscopes by gravity
MIN_STEP_MPS2 = 1.0  # amplitude of the vertical acceleration of a step
MIN_STEPS_S = 10.0
MIN_QUADRATURE = 0.82  # sine of the phase between push and bounce, 55 degrees [R]


def estimate_step_axis(inertial: Array, period_s: float) -> complex:
    """Estimate the axis of steps from accel and gyro (R, 6) of a phone that lies in the hand.

    Return a vector whose direction is twice the angle from the phone's y axis to the axis of the
    steps, both horizontal and counter-clockwise, and whose length is the time of walking [s]; 0
    without MIN_STEPS_S, and where the motion is not the body's: its push is a quarter of a step
    from its bounce, that of an arm is not.
    """
    if len(inertial) * period_s < MIN_STEPS_S:
        return 0j
    accel = inertial[:, :3].astype(np.float64)
    up = _level(accel, inertial[:, 3:].astype(np.float64) * period_s, period_s)
    ahead = np.array([0.0, 1.0, 0.0]) - up * up[:, 1:2]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-6)
    left = np.cross(up, ahead)
    parts = np.stack([(accel * axis).sum(1) for axis in (ahead, left, up)])
    band = butter(BAND_ORDER, STEP_BAND_HZ, 'bandpass', fs=1 / period_s, output='sos')
    along, across, vertical = sosfiltfilt(band, parts, axis=1)
    step = hilbert(vertical)
    walking = np.abs(step) >= MIN_STEP_MPS2
    seconds = float(walking.sum()) * period_s
    if seconds < MIN_STEPS_S:
        return 0j
    moves = np.array([(part * step.conj())[walking].sum() for part in (along, across)])
    covariance = np.real(np.outer(moves, moves.conj()))
    axis = np.linalg.eigh(covariance)[1][:, -1]
    quadrature = abs(float(np.sin(np.angle(moves @ axis))))
    if quadrature < MIN_QUADRATURE:
        return 0j
    return seconds * complex(axis[0], axis[1])**2


def _level(accel: Array, turns: Array, period_s: float) -> Array:
    """Track unit vectors up (R, 3) in the phone frame, forward and backward in time."""
    forward = _track_up(accel, turns, period_s)
    both = forward + _track_up(accel[::-1], -turns[::-1], period_s)[::-1]
    return np.asarray(both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-9))


def _track_up(accel: Array, turns: Array, period_s: float) -> Array:
    share, ups = period_s / LEVEL_TAU_S, np.empty_like(accel)
    x, y, z = accel[:round(LEVEL_TAU_S / period_s)].mean(0) / GRAVITY_MPS2
    for row, ((p, q, r), (a, b, c)) in enumerate(zip(
            turns.tolist(), (accel / GRAVITY_MPS2).tolist(), strict=True)):
        x, y, z = x - (q * z - r * y), y - (r * x - p * z), z - (p * y - q * x)
        x, y, z = x + share * (a - x), y + share * (b - y), z + share * (c - z)
        ups[row] = x, y, z
    return np.asarray(ups / np.maximum(np.linalg.norm(ups, axis=1, keepdims=True), 1e-9))
