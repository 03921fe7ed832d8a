"""Kalman filters for one walk at a time, by filterpy: constant velocity, with and without FTM."""

import numpy as np
from filterpy.common import Q_continuous_white_noise
from filterpy.kalman import ExtendedKalmanFilter

from utt_ros.evaluation.baselines.settings import FloorSettings
from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import Array

SPEED_STD = 1.0  # of somebody seen for the first time [m/s]
POSITION = np.eye(2, 4)  # what a camera measures of the state x, y, vx, vy


def kalman_track(
    area: AreaSettings, walk: Walk, window: WindowSettings, settings: FloorSettings, *,
    ranges: bool,
) -> Track:
    """Positions and, at constant velocity, displacements of the next H ticks.

    White-noise acceleration; boxes count as positions with the covariance of
    `CameraModel.locate`, and with `ranges` so do FTM ranges, linearised [S: Bar-Shalom, Li and
    Kirubarajan 2001]. Nothing is said before the first box. A measurement beyond the gate keeps
    its direction and loses weight, as with Huber's loss.
    """
    with np.errstate(invalid='ignore', divide='ignore'):
        places, spreads = CameraModel(area).locate(walk.camera)
    ap = np.asarray(area.ap_position)
    rise = float(ap[2]) - area.phone_height
    states = np.full((len(walk.stamps_ns), 4), np.nan)
    covariances = np.full((len(states), 2, 2), np.nan)
    kalman: ExtendedKalmanFilter | None = None
    elapsed = np.diff(walk.stamps_ns, prepend=walk.stamps_ns[:1]) / 1e9
    for row in range(len(states)):
        if kalman is not None:
            _advance(kalman, float(elapsed[row]), settings)
        if walk.camera_mask[row] and np.isfinite(places[row]).all():
            if kalman is None:
                kalman = _begin(places[row], spreads[row])
            else:
                _correct(kalman, places[row] - kalman.x[:2], POSITION, spreads[row],
                         settings.gate)
        if kalman is None:
            continue
        if ranges and walk.ftm_mask[row]:
            expected, slope = _range(kalman.x, ap[:2], rise, settings)
            noise = np.array([[settings.range_std**2]])
            _correct(kalman, walk.ftm[row, :1] - expected, slope, noise, settings.gate)
        states[row], covariances[row] = kalman.x, kalman.P[:2, :2]
    seconds = window.period * np.arange(1, window.horizon + 1)
    ahead = states[:, None, 2:] * seconds[:, None]
    return Track(states[:, :2].astype(np.float32), covariances.astype(np.float32),
                 ahead.astype(np.float32))


def _begin(place: Array, spread: Array) -> ExtendedKalmanFilter:
    kalman = ExtendedKalmanFilter(4, 2)
    kalman.x = np.concatenate([place, np.zeros(2)])
    kalman.P = np.diag([0.0, 0.0, SPEED_STD**2, SPEED_STD**2])
    kalman.P[:2, :2] = spread
    return kalman


def _advance(kalman: ExtendedKalmanFilter, seconds: float, settings: FloorSettings) -> None:
    kalman.F = np.eye(4) + seconds * np.eye(4, k=2)
    kalman.Q = Q_continuous_white_noise(
        2, seconds, settings.acceleration, block_size=2, order_by_dim=False)
    kalman.predict()


def _correct(
    kalman: ExtendedKalmanFilter, innovation: Array, jacobian: Array, noise: Array, gate: float,
) -> None:
    total = jacobian @ kalman.P @ jacobian.T + noise
    surprise = float(innovation @ np.linalg.solve(total, innovation))
    kalman.update(innovation, lambda _: jacobian, lambda _: np.zeros_like(innovation),
                  R=noise + max(surprise / gate - 1, 0.0) * total)


def _range(
    state: Array, ap: Array, rise: float, settings: FloorSettings,
) -> tuple[Array, Array]:
    """The range to expect (1,) and how it changes with the state (1, 4)."""
    offset = state[:2] - ap
    slant = float(np.sqrt(offset @ offset + rise**2))
    growth = 1 + settings.range_slope
    slope = np.concatenate([growth * offset / max(slant, 0.1), np.zeros(2)])
    return np.array([settings.range_offset + growth * slant]), slope[None]
