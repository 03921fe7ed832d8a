"""What the camera teaches about motion: velocity and displacement, from boxes alone [D].

Ground truth is never used. An area's labels are made from what its own camera saw, after the fact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from utt_ros.geometry.compass import compass
from utt_ros.motion.gait import gait
from utt_ros.motion.velocity import follow, see
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import Array, FloatArray, MaskArray, Windows

VELOCITY_SPAN_S = 0.8  # to either side of an instant
POSITION_SPAN_S = 0.4
MAX_VELOCITY_STD_MPS = 0.3  # of a label [m/s]
MAX_POSITION_STD_M = 0.3  # [m]
CAUCHY = 2.385  # 95 % efficient for Gaussian noise [S: Holland and Welsch 1977]
REWEIGHTINGS = 5
LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class MotionLabels:
    """How N subjects moved at the last tick of their windows and after it, in the area frame."""

    heading: FloatArray  # (N,) of the phone, counter-clockwise from x [rad]
    heading_valid: MaskArray  # (N,)
    velocity: FloatArray  # (N, 2) [m/s]
    velocity_valid: MaskArray  # (N,)
    future: FloatArray  # (N, H, 2) displacement from the last tick [m]
    future_valid: MaskArray  # (N, H)
    course: FloatArray  # (N, 5, 2) `walking.COURSE`, as boxes up to the last tick tell it
    course_late: FloatArray  # (N, 5, 2) as boxes up to LATE_S before it tell it
    course_valid: MaskArray  # (N,)
    gait: FloatArray  # (N, G) `gait.GAIT`, as the phone tells it


def motion_labels(windows: Windows, area: AreaSettings, shape: WindowSettings) -> MotionLabels:
    """Labels at tick T of windows of T + H ticks; only headings are valid without a camera."""
    boxes = see(windows.values['camera'], windows.masks['camera'], area)
    positions, precision, seen = boxes.positions, boxes.precision, boxes.mask
    reach = round(VELOCITY_SPAN_S / shape.period)
    now = shape.ticks - 1
    first = max(now - reach, 0)
    around = slice(first, now + reach + 1)
    both_sides = seen[:, first:now].any(1) & seen[:, now + 1:now + 1 + reach].any(1)
    velocity, velocity_std = fit_velocity(positions[:, around], precision[:, around], shape.period)
    future, future_valid = displacements(positions[:, now:], precision[:, now:], shape.period)
    course, late, course_valid = follow(
        boxes[:, :now + 1], shape.period, round(LATE_S / shape.period))
    row_s = shape.period / shape.imu_rows
    rows = shape.ticks * shape.imu_rows
    imu, mask = windows.values['imu'][:, :rows], windows.masks['imu'][:, :rows]
    phone = compass(imu, mask, row_s, area.magnetic_yaw)
    return MotionLabels(
        phone.heading, phone.valid,
        *_only(velocity, both_sides & (velocity_std <= MAX_VELOCITY_STD_MPS)),
        *_only(future, future_valid),
        _only(course, course_valid)[0], *_only(late, course_valid),
        gait(imu, mask, phone.turns, row_s))


def displacements(
    positions: Array, precision: Array, period: float,
) -> tuple[Array, MaskArray]:
    """Displacement (N, H, 2) from the first of 1 + H ticks to each other; valid (N, H)."""
    reach = round(POSITION_SPAN_S / period)
    span = 2 * reach + 1
    near = sliding_window_view(np.pad(positions, ((0, 0), (reach, reach), (0, 0))), span, axis=1)
    weights = sliding_window_view(np.pad(precision, ((0, 0), (reach, reach))), span, axis=1)
    seconds = period * np.arange(-reach, reach + 1, dtype=np.float64)
    smoothed, _, std, _ = fit_lines(np.moveaxis(near, -1, -2), weights, seconds)
    known = std <= MAX_POSITION_STD_M
    return smoothed[:, 1:] - smoothed[:, :1], known[:, 1:] & known[:, :1]


def fit_velocity(positions: Array, precision: Array, period: float) -> tuple[Array, Array]:
    """Velocity (N, 2) of a line through the ticks of (N, K, 2), and its deviation (N,)."""
    seconds = period * np.arange(positions.shape[1], dtype=np.float64)
    _, velocity, _, std = fit_lines(positions, precision, seconds)
    return velocity, std


def fit_lines(
    positions: Array, precision: Array, seconds: Array,
) -> tuple[Array, Array, Array, Array]:
    """Lines through points (..., K, 2) of known precision (..., K) at instants (K,) [s].

    Least squares, reweighted so that outliers (a depth measured behind the person) lose their
    weight. Returns position at instant 0 and velocity (..., 2), and the standard deviation of each
    (...), infinite where the points do not determine a line.
    """
    weights = precision
    for _ in range(REWEIGHTINGS):
        position, velocity, position_std, velocity_std = _least_squares(
            positions, weights, seconds)
        line = position[..., None, :] + velocity[..., None, :] * seconds[:, None]
        surprise = ((positions - line) ** 2).sum(-1) * precision
        weights = precision / (1.0 + surprise / CAUCHY**2)
    return position, velocity, position_std, velocity_std


def _least_squares(
    positions: Array, weights: Array, seconds: Array,
) -> tuple[Array, Array, Array, Array]:
    total, first, second = (
        (weights * seconds**power).sum(-1, keepdims=True) for power in (0, 1, 2))  # (..., 1)
    where, moment = ((weights * seconds**power)[..., None, :] @ positions for power in (0, 1))
    where, moment = where[..., 0, :], moment[..., 0, :]  # (..., 2)
    determinant = total * second - first**2
    fixed = determinant > 1e-9 * np.maximum(total * second, 1e-9)
    scale = 1.0 / np.where(fixed, determinant, np.inf)
    position = (second * where - first * moment) * scale
    velocity = (total * moment - first * where) * scale
    position_std, velocity_std = (
        np.where(fixed, np.sqrt(np.abs(part * scale)), np.inf)[..., 0] for part in (second, total))
    return position, velocity, position_std, velocity_std


def _only(values: Array, valid: MaskArray) -> tuple[FloatArray, MaskArray]:
    known = valid.reshape(valid.shape + (1,) * (values.ndim - valid.ndim))
    return np.where(known, values, 0.0).astype(np.float32), valid
