"""How people move, as boxes up to now tell it: the same in training and live."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

MAX_STD_MPS = 0.6  # of a velocity that tells anything [m/s]
ACCELERATIONS = (0.1, 0.01, 1.0)  # spectral densities [m^2/s^3]: usual, steady, restless
SPEED_STD = 1.0  # of somebody who was not seen before [m/s]
FAR_M = 100.0  # standard deviation of a position of which nothing is known
GATE = 9.0  # squared Mahalanobis distance beyond which a box counts less
COURSE = ('velocity', 'steady_velocity', 'restless_velocity', 'steady_position',
          'restless_position')  # all but the first less that of the usual filter
OF_POSITION, OF_VELOCITY = np.diag([1.0, 1.0, 0.0, 0.0]), np.diag([0.0, 0.0, 1.0, 1.0])
OF_BOTH = np.eye(4, k=2) + np.eye(4, k=-2)  # parts of a covariance
BEND_M = 0.1  # how far a path leaves a straight line within a second


@dataclass(frozen=True, slots=True)
class Seen:
    """Where boxes say that people are, area frame."""

    positions: Array  # (..., 2) [m]; 0 where unseen
    covariances: Array  # (..., 2, 2) [m^2]; unit where unseen
    mask: MaskArray  # (...)

    @property
    def precision(self) -> Array:
        """Inverse variance along an axis (...) [1/m^2], of both on average; 0 where unseen.

        With BEND_M, for lines through points.
        """
        variance = np.trace(self.covariances, axis1=-2, axis2=-1) / 2 + BEND_M**2
        return np.where(self.mask, 1.0 / variance, 0.0)

    def __getitem__(self, where: Any) -> 'Seen':
        return Seen(self.positions[where], self.covariances[where], self.mask[where])


def see(boxes: npt.ArrayLike, mask: MaskArray, area: AreaSettings) -> Seen:
    """What boxes (..., 5) tell where `mask` (...) holds; broken ones count as unseen."""
    with np.errstate(invalid='ignore'):  # boxes that are masked or broken are left out below
        positions, covariances = CameraModel(area).locate(boxes)
    usable = mask & np.isfinite(positions).all(-1) & np.isfinite(covariances).all((-2, -1))
    return Seen(np.where(usable[..., None], positions, 0.0),
                np.where(usable[..., None, None], covariances, np.eye(2)), usable)


def strangers(count: int) -> tuple[Array, Array]:
    """States (N, A, 4) and covariances (N, A, 4, 4) of people of whom nothing is known.

    A state is x, y, vx, vy; there is one for each of ACCELERATIONS.
    """
    unknown = np.diag([FAR_M**2, FAR_M**2, SPEED_STD**2, SPEED_STD**2])
    filters = len(ACCELERATIONS)
    return np.zeros((count, filters, 4)), np.tile(unknown, (count, filters, 1, 1))


def step(
    state: Array, spread: Array, elapsed: npt.ArrayLike, seen: Seen,
) -> tuple[Array, Array]:
    """Kalman filters over one tick, `elapsed` (N,) or one [s] after the one before.

    Constant velocity with white-noise acceleration [S: Bar-Shalom, Li and Kirubarajan 2001]. A
    camera tells depths worse than bearings, so covariances are full. A box beyond the gate keeps
    its direction and loses weight, as with Huber's loss.
    """
    seconds = np.broadcast_to(np.asarray(elapsed, np.float64), len(state))[:, None, None, None]
    move = np.eye(4) + seconds * np.eye(4, k=2)
    noise = np.asarray(ACCELERATIONS)[:, None, None] * (
        seconds**3 / 3 * OF_POSITION + seconds**2 / 2 * OF_BOTH + seconds * OF_VELOCITY)
    state = (move @ state[..., None])[..., 0]
    spread = move @ spread @ move.swapaxes(-1, -2) + noise
    innovation = (seen.positions[:, None] - state[..., :2])[..., None]  # (N, A, 2, 1)
    total = spread[..., :2, :2] + seen.covariances[:, None]
    surprise = innovation.swapaxes(-1, -2) @ np.linalg.solve(total, innovation)
    total = total * np.maximum(surprise / GATE, 1.0)
    gain = np.linalg.solve(total, spread[..., :2, :]).swapaxes(-1, -2)
    gain = gain * seen.mask[:, None, None, None]
    return state + (gain @ innovation)[..., 0], spread - gain @ total @ gain.swapaxes(-1, -2)


def course(state: Array, spread: Array) -> tuple[Array, MaskArray]:
    """What filters (N, A, 4), (N, A, 4, 4) tell: COURSE (N, 5, 2), and whether it counts (N,).

    How steady and restless filters differ from the usual one tells of turns and changes of pace.
    """
    usual = state[:, :1]
    others = (state - usual)[:, 1:]
    velocity = usual[..., 2:]
    told = np.concatenate([velocity, others[..., 2:], others[..., :2]], axis=1)
    variance = (spread[:, 0, 2, 2] + spread[:, 0, 3, 3]) / 2
    return told, variance <= MAX_STD_MPS**2


def follow(seen: Seen, period: float, late: int) -> tuple[Array, Array, MaskArray]:
    """Courses (N, 5, 2) at the last tick of (N, K), and valid (N,).

    Between them those of a camera that has seen nothing for the last `late` ticks.
    """
    state, spread = strangers(len(seen.mask))
    last = seen.mask.shape[1]
    blocked = Seen(seen.positions, seen.covariances, np.zeros_like(seen.mask))
    for tick in range(last):
        if tick == max(last - late, 0):
            old = state, spread
        state, spread = step(state, spread, period, seen[:, tick])
    for tick in range(last - min(late, last), last):
        old = step(*old, period, blocked[:, tick])
    told, valid = course(state, spread)
    return told, course(*old)[0], valid
