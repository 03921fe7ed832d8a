"""How people move, as boxes up to now tell it: the same in training and live."""

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.camera import CameraModel
from utt_ros.records import MaskArray
from utt_ros.settings import AreaSettings

Array = npt.NDArray[np.float64]

LARGEST_STD = 0.6  # of a velocity that tells anything [m/s]
ACCELERATION = 0.2  # spectral density of people's acceleration, as their belief has it [m^2/s^3]
SPEED_STD = 1.0  # of somebody who was not seen before [m/s]
FAR_M = 100.0  # standard deviation of a position of which nothing is known
GATE = 9.0  # squared Mahalanobis distance beyond which a box counts less
BEND_M = 0.1  # how far a path leaves a straight line within a second


def camera_positions(
    boxes: npt.ArrayLike, mask: MaskArray, area: AreaSettings,
) -> tuple[Array, Array]:
    """Positions (..., 2) [m] in the area frame of boxes (..., 5) where `mask` (...) holds.

    And their precisions (...) [1/m^2], 0 where unseen.
    """
    with np.errstate(invalid='ignore'):  # boxes that are masked or broken are left out below
        positions, covariance = CameraModel(area).locate(boxes)
    variance = np.trace(covariance, axis1=-2, axis2=-1) / 2 + BEND_M**2
    usable = mask & np.isfinite(positions).all(-1) & np.isfinite(variance)
    return np.where(usable[..., None], positions, 0.0), np.where(usable, 1.0 / variance, 0.0)


def strangers(count: int) -> tuple[Array, Array]:
    """State (N, 2, 2) and spread (N, 2, 2) of people of whom nothing is known.

    A state has position and velocity by axis; its spread is the same for both axes.
    """
    return np.zeros((count, 2, 2)), np.tile(np.diag([FAR_M**2, SPEED_STD**2]), (count, 1, 1))


def step(
    state: Array, spread: Array, elapsed: npt.ArrayLike, positions: Array, precision: Array,
) -> tuple[Array, Array]:
    """A Kalman filter over one tick, `elapsed` (N,) or one [s] after the one before.

    Constant velocity with white-noise acceleration [S: Bar-Shalom, Li and Kirubarajan 2001];
    positions (N, 2) of precision (N,), no gain where that is 0.
    """
    seconds = np.broadcast_to(np.asarray(elapsed, np.float64), len(state))
    move: Array = np.tile(np.eye(2), (len(state), 1, 1))
    move[:, 0, 1] = seconds
    noise = ACCELERATION * np.stack(
        [seconds**3 / 3, seconds**2 / 2, seconds**2 / 2, seconds], axis=1).reshape(-1, 2, 2)
    state = move @ state
    spread = move @ spread @ move.transpose(0, 2, 1) + noise
    with np.errstate(divide='ignore'):
        total = spread[:, 0, 0] + 1.0 / precision
    innovation = positions - state[:, 0]
    surprise = (innovation**2).sum(-1) / total / GATE
    gain = spread[:, 0] / (total * np.maximum(surprise, 1.0))[:, None]  # (N, 2)
    return (state + gain[:, :, None] * innovation[:, None],
            spread - gain[:, :, None] * spread[:, None, 0])


def filter_velocity(positions: Array, precision: Array, period: float) -> tuple[Array, Array]:
    """Velocity (N, 2) at the last tick of (N, K, 2), and its deviation (N,)."""
    state, spread = strangers(len(positions))
    for tick in range(positions.shape[1]):
        state, spread = step(state, spread, period, positions[:, tick], precision[:, tick])
    return state[:, 1], np.sqrt(spread[:, 1, 1])
