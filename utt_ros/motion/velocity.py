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

"""Velocity of people from camera boxes: a bank of constant-velocity Kalman filters.

Training and the live twin share this code.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, FloatArray, MaskArray, SyncedBatch

ACCELERATION_DENSITIES = (0.1, 0.01, 1.0)  # [m^2/s^3]: usual, low, high process noise
INITIAL_SPEED_STD_MPS = 1.0
INITIAL_POSITION_STD_M = 100.0
MAX_POSITION_NIS = 9.0  # squared Mahalanobis distance beyond which a box loses weight
MAX_FILTER_STD_MPS = 0.6  # of a valid velocity
MAX_VELOCITY_AGE_S = 0.5  # up to which a velocity is usable, as in training
PATH_CURVATURE_STD_M = 0.1  # deviation of a path from a straight line within a second
VELOCITY_FEATURES = (  # of the usual filter, then differences of the others from it
    'velocity', 'steady_velocity', 'restless_velocity', 'steady_position', 'restless_position')
_POSITION_BLOCK, _VELOCITY_BLOCK = np.diag([1.0, 1.0, 0.0, 0.0]), np.diag([0.0, 0.0, 1.0, 1.0])
_CROSS_BLOCKS = np.eye(4, k=2) + np.eye(4, k=-2)  # of a covariance


@dataclass(frozen=True, slots=True)
class PositionObservations:
    """Positions of people from boxes, area frame."""

    positions: Array  # (..., 2) [m]; 0 where unseen
    covariances: Array  # (..., 2, 2) [m^2]; unit where unseen
    mask: MaskArray  # (...)

    @property
    def precision(self) -> Array:
        """Inverse variance (...) [1/m^2] averaged over both axes, for fits of lines; 0 if unseen.

        PATH_CURVATURE_STD_M is added.
        """
        variance = np.trace(self.covariances, axis1=-2, axis2=-1) / 2 + PATH_CURVATURE_STD_M**2
        return np.where(self.mask, 1.0 / variance, 0.0)

    def __getitem__(self, where: Any) -> 'PositionObservations':
        return PositionObservations(
            self.positions[where], self.covariances[where], self.mask[where])


def observe_positions(
    boxes: npt.ArrayLike, mask: MaskArray, area: AreaSettings, camera: CameraModel | None = None,
) -> PositionObservations:
    """Locate boxes (..., 5) where `mask` (...) holds; non-finite ones count as unseen.

    `camera`: model of the area's camera with other errors than the usual ones.
    """
    with np.errstate(invalid='ignore'):  # masked and non-finite boxes are dropped below
        positions, covariances = (camera or CameraModel(area)).locate(boxes)
    usable = mask & np.isfinite(positions).all(-1) & np.isfinite(covariances).all((-2, -1))
    return PositionObservations(
        np.where(usable[..., None], positions, 0.0),
        np.where(usable[..., None, None], covariances, np.eye(2)), usable)


def initial_state(count: int) -> tuple[Array, Array]:
    """Initial states (N, A, 4) and covariances (N, A, 4, 4) with an uninformative prior.

    A state is x, y, vx, vy; there is one for each of ACCELERATION_DENSITIES.
    """
    prior = np.diag([INITIAL_POSITION_STD_M**2] * 2 + [INITIAL_SPEED_STD_MPS**2] * 2)
    filters = len(ACCELERATION_DENSITIES)
    return np.zeros((count, filters, 4)), np.tile(prior, (count, filters, 1, 1))


def kalman_step(
    state: Array, covariance: Array, elapsed: npt.ArrayLike, observed: PositionObservations,
) -> tuple[Array, Array]:
    """Predict over `elapsed` [s], (N,) or one for all, and update by one observation each (N,).

    Constant velocity with white-noise acceleration [S: Bar-Shalom, Li and Kirubarajan 2001].
    Depth is less accurate than bearing, so covariances are full. A box beyond MAX_POSITION_NIS
    keeps its direction and loses weight, as with Huber's loss.
    """
    seconds = np.broadcast_to(np.asarray(elapsed, np.float64), len(state))[:, None, None, None]
    transition = np.eye(4) + seconds * np.eye(4, k=2)
    noise = np.asarray(ACCELERATION_DENSITIES)[:, None, None] * (
        seconds**3 / 3 * _POSITION_BLOCK + seconds**2 / 2 * _CROSS_BLOCKS
        + seconds * _VELOCITY_BLOCK)
    state = (transition @ state[..., None])[..., 0]
    covariance = transition @ covariance @ transition.swapaxes(-1, -2) + noise
    innovation = (observed.positions[:, None] - state[..., :2])[..., None]  # (N, A, 2, 1)
    total = covariance[..., :2, :2] + observed.covariances[:, None]
    nis = innovation.swapaxes(-1, -2) @ np.linalg.solve(total, innovation)
    total = total * np.maximum(nis / MAX_POSITION_NIS, 1.0)
    gain = np.linalg.solve(total, covariance[..., :2, :]).swapaxes(-1, -2)
    gain = gain * observed.mask[:, None, None, None]
    return (state + (gain @ innovation)[..., 0],
            covariance - gain @ total @ gain.swapaxes(-1, -2))


def velocity_features(state: Array, covariance: Array) -> tuple[Array, MaskArray]:
    """Extract VELOCITY_FEATURES (N, 5, 2) of filters (N, A, 4), (N, A, 4, 4), and valid (N,).

    Differences between filters of low and high process noise indicate turns and changes of pace.
    """
    usual = state[:, :1]
    others = (state - usual)[:, 1:]
    features = np.concatenate([usual[..., 2:], others[..., 2:], others[..., :2]], axis=1)
    variance = (covariance[:, 0, 2, 2] + covariance[:, 0, 3, 3]) / 2
    return features, variance <= MAX_FILTER_STD_MPS**2


def window_velocity_features(
    observed: PositionObservations, period: float, outage_ticks: int,
) -> tuple[Array, Array, MaskArray]:
    """Filter (N, K) observations; features (N, 5, 2) at the last tick, twice, and valid (N,).

    The second are those of a camera that has seen nothing during the last `outage_ticks` ticks.
    """
    state, covariance = initial_state(len(observed.mask))
    last = observed.mask.shape[1]
    unseen = PositionObservations(
        observed.positions, observed.covariances, np.zeros_like(observed.mask))
    for tick in range(last):
        if tick == max(last - outage_ticks, 0):
            before_outage = state, covariance
        state, covariance = kalman_step(state, covariance, period, observed[:, tick])
    for tick in range(last - min(outage_ticks, last), last):
        before_outage = kalman_step(*before_outage, period, unseen[:, tick])
    features, valid = velocity_features(state, covariance)
    return features, velocity_features(*before_outage)[0], valid


class VelocityTracker:
    """Filter states of an area's subjects, updated once per tick.

    Features agree with those of training windows (`window_velocity_features`).
    """

    def __init__(self, area: AreaSettings) -> None:
        self._area = area
        self._tracks: dict[str, tuple[Array, Array, int, int]] = {}  # state, covariance, stamps

    def reset(self) -> None:
        """Forget all subjects."""
        self._tracks = {}

    def update(
        self, batch: SyncedBatch, observed: PositionObservations | None = None,
    ) -> tuple[FloatArray, MaskArray]:
        """Return VELOCITY_FEATURES (S, 5, 2) in the area frame and valid (S,).

        `observed` (S,): positions of the boxes of the batch; computed here when None.
        """
        if observed is None:
            observed = observe_positions(batch.camera, batch.camera_mask, self._area)
        now_ns, names = batch.stamp_ns, batch.subjects
        state, covariance = initial_state(len(names))
        elapsed, seen_ns = np.zeros(len(names)), np.zeros(len(names), np.int64)
        for row, name in enumerate(names):
            if name in self._tracks:
                state[row], covariance[row], stamp_ns, seen_ns[row] = self._tracks[name]
                elapsed[row] = (now_ns - stamp_ns) / 1e9
        state, covariance = kalman_step(state, covariance, elapsed, observed)
        seen_ns[observed.mask] = now_ns
        self._tracks = {name: (state[row], covariance[row], now_ns, int(seen_ns[row]))
                        for row, name in enumerate(names)}
        is_recent = (now_ns - seen_ns <= MAX_VELOCITY_AGE_S * 1e9) & (seen_ns > 0)
        features, is_certain = velocity_features(state, covariance)
        valid = is_recent & is_certain
        return np.where(valid[:, None, None], features, 0.0).astype(np.float32), valid
