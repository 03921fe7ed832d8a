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

"""Constant-velocity Kalman filters by filterpy, with and without FTM.

An independent implementation beside the batched filters of `motion.velocity`: one subject at a
time.
"""

import numpy as np
from filterpy.common import Q_continuous_white_noise
from filterpy.kalman import ExtendedKalmanFilter

from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import Array

INITIAL_SPEED_STD = 1.0  # [m/s]
POSITION = np.eye(2, 4)  # measurement matrix of a camera, of the state x, y, vx, vy


def kalman_track(
    area: AreaSettings, walk: SubjectTrajectory, window: WindowSettings,
    settings: BaselineSettings, *, ranges: bool,
) -> TrackEstimate:
    """Estimate positions and, at constant velocity, displacements at the next H ticks.

    White-noise acceleration. Boxes are position measurements with the covariance of
    `CameraModel.locate`; with `ranges`, FTM ranges are measurements as well, linearised [S:
    Bar-Shalom, Li and Kirubarajan 2001]. NaN before the first box. A measurement beyond the gate
    keeps its direction and loses weight, as with Huber's loss.
    """
    with np.errstate(invalid='ignore', divide='ignore'):
        measured, noise = CameraModel(area).locate(walk.camera)
    ap = np.asarray(area.ap_position)
    rise = float(ap[2]) - area.phone_height
    states = np.full((len(walk.stamps_ns), 4), np.nan)
    covariances = np.full((len(states), 2, 2), np.nan)
    kalman: ExtendedKalmanFilter | None = None
    elapsed = np.diff(walk.stamps_ns, prepend=walk.stamps_ns[:1]) / 1e9
    for row in range(len(states)):
        if kalman is not None:
            _predict(kalman, float(elapsed[row]), settings)
        if walk.camera_mask[row] and np.isfinite(measured[row]).all():
            if kalman is None:
                kalman = _initialize(measured[row], noise[row])
            else:
                _update(kalman, measured[row] - kalman.x[:2], POSITION, noise[row],
                        settings.gate)
        if kalman is None:
            continue
        if ranges and walk.ftm_mask[row]:
            expected, jacobian = _range_model(kalman.x, ap[:2], rise, settings)
            _update(kalman, walk.ftm[row, :1] - expected, jacobian,
                    np.array([[settings.range_std**2]]), settings.gate)
        states[row], covariances[row] = kalman.x, kalman.P[:2, :2]
    seconds = window.period * np.arange(1, window.horizon + 1)
    displacements = states[:, None, 2:] * seconds[:, None]
    return TrackEstimate(states[:, :2].astype(np.float32), covariances.astype(np.float32),
                 displacements.astype(np.float32))


def _initialize(position: Array, covariance: Array) -> ExtendedKalmanFilter:
    kalman = ExtendedKalmanFilter(4, 2)
    kalman.x = np.concatenate([position, np.zeros(2)])
    kalman.P = np.diag([0.0, 0.0, INITIAL_SPEED_STD**2, INITIAL_SPEED_STD**2])
    kalman.P[:2, :2] = covariance
    return kalman


def _predict(kalman: ExtendedKalmanFilter, seconds: float, settings: BaselineSettings) -> None:
    kalman.F = np.eye(4) + seconds * np.eye(4, k=2)
    kalman.Q = Q_continuous_white_noise(
        2, seconds, settings.acceleration, block_size=2, order_by_dim=False)
    kalman.predict()


def _update(
    kalman: ExtendedKalmanFilter, innovation: Array, jacobian: Array, noise: Array, gate: float,
) -> None:
    total = jacobian @ kalman.P @ jacobian.T + noise
    mahalanobis2 = float(innovation @ np.linalg.solve(total, innovation))
    kalman.update(innovation, lambda _: jacobian, lambda _: np.zeros_like(innovation),
                  R=noise + max(mahalanobis2 / gate - 1, 0.0) * total)


def _range_model(
    state: Array, ap: Array, rise: float, settings: BaselineSettings,
) -> tuple[Array, Array]:
    """Expected range (1,) and its Jacobian (1, 4) with respect to the state."""
    offset = state[:2] - ap
    slant = float(np.sqrt(offset @ offset + rise**2))
    growth = 1 + settings.range_slope
    jacobian = np.concatenate([growth * offset / max(slant, 0.1), np.zeros(2)])
    return np.array([settings.range_offset + growth * slant]), jacobian[None]
