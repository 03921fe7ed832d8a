"""Dead reckoning on foot: steps from the accelerometer, directions from the compass."""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from utt_ros.association.candidates import Candidates
from utt_ros.geometry.compass import compass_headings
from utt_ros.types import Array, FloatArray, MaskArray

SMOOTH_S = 0.12
MIN_STEP_S = 0.33
MIN_STEP_PROMINENCE_MPS2 = 0.7  # prominence of a step in the norm of the acceleration [m/s^2]


def headings(
    seen: Candidates, magnetic_yaw: float | Array,
) -> tuple[FloatArray, MaskArray]:
    """Where phones point at each tick (P, T) [rad], counter-clockwise from x; valid (P, T).

    `magnetic_yaw` is one for all, or (P,).
    """
    rows = seen.imu_rows
    angles, valid = compass_headings(
        seen.imu, seen.imu_mask, seen.period / rows, magnetic_yaw)
    return angles[:, rows - 1::rows], valid[:, rows - 1::rows]


def count_steps(seen: Candidates) -> Array:
    """How many steps were taken in each tick (P, T): 0, 1 or rarely 2."""
    rate_s = seen.period / seen.imu_rows
    strength = np.linalg.norm(seen.imu[..., :3], axis=-1)
    steps = np.zeros(strength.shape)
    for phone, felt in enumerate(strength):
        if not seen.imu_mask[phone].any():
            continue
        level = felt[seen.imu_mask[phone]].mean()
        filled = np.where(seen.imu_mask[phone], felt, level)
        smooth = uniform_filter1d(filled, max(1, round(SMOOTH_S / rate_s)))
        peaks, _ = find_peaks(
            smooth, prominence=MIN_STEP_PROMINENCE_MPS2,
            distance=max(1, round(MIN_STEP_S / rate_s)))
        steps[phone, peaks] = 1.0
    return np.asarray(steps.reshape(len(steps), seen.ticks, -1).sum(2))


def dead_reckon(seen: Candidates, magnetic_yaw: float | Array, step_m: float) -> Array:
    """Where steps of one length lead from the origin: (P, T, 2) [m], area frame."""
    angles, valid = headings(seen, magnetic_yaw)
    length = step_m * count_steps(seen) * valid
    moves = length[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.cumsum(moves, axis=1)
