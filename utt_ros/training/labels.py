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

"""Motion labels and targets: velocity and displacements, from camera boxes alone [D].

Ground truth is never used. Labels are computed in retrospect, from the area's own camera.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from utt_ros.geometry.compass import estimate_heading, rotate
from utt_ros.motion.features import heading_frame, make_context
from utt_ros.motion.gait import gait_features
from utt_ros.motion.velocity import observe_positions, window_velocity_features
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.columns import Columns
from utt_ros.types import Array, FloatArray, MaskArray, Windows

VELOCITY_SPAN_S = 0.8  # on either side of the labelled tick
POSITION_SPAN_S = 0.4
MAX_VELOCITY_STD_MPS = 0.3  # of a valid label
MAX_POSITION_STD_M = 0.3
CAUCHY = 2.385  # 95 % efficient for Gaussian noise [S: Holland and Welsch 1977]
REWEIGHTINGS = 5
LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class MotionLabels:
    """Motion of N subjects at and after the last tick of their windows, in the area frame."""

    heading: FloatArray  # (N,) of the phone, counter-clockwise from x [rad]
    heading_valid: MaskArray  # (N,)
    velocity: FloatArray  # (N, 2) [m/s]
    velocity_valid: MaskArray  # (N,)
    future: FloatArray  # (N, H, 2) displacement from the last tick [m]
    future_valid: MaskArray  # (N, H)
    course: FloatArray  # (N, 5, 2) `velocity.VELOCITY_FEATURES`, from boxes up to the last tick
    course_late: FloatArray  # (N, 5, 2) the same, from boxes up to LATE_S before it
    course_valid: MaskArray  # (N,)
    gait: FloatArray  # (N, G) `gait.GAIT_FEATURES`, from the phone


@dataclass(frozen=True, slots=True)
class MotionTargets:
    """Input and targets of the motion head, in the heading frame."""

    context: FloatArray  # (N, C) CONTEXT
    velocity: FloatArray  # (N, 2) [m/s]
    velocity_valid: MaskArray  # (N,)
    future: FloatArray  # (N, H, 2) [m]
    future_valid: MaskArray  # (N, H)


def motion_labels(
    windows: Windows, area: AreaSettings, window: WindowSettings,
) -> MotionLabels:
    """Return labels at tick T of windows of T + H ticks.

    Without a camera only headings and gait are valid.
    """
    boxes = observe_positions(windows.values['camera'], windows.masks['camera'], area)
    positions, precision, seen = boxes.positions, boxes.precision, boxes.mask
    reach = round(VELOCITY_SPAN_S / window.period)
    now = window.ticks - 1
    first = max(now - reach, 0)
    around = slice(first, now + reach + 1)
    both_sides = seen[:, first:now].any(1) & seen[:, now + 1:now + 1 + reach].any(1)
    velocity, velocity_std = fit_velocity(
        positions[:, around], precision[:, around], window.period)
    future, future_valid = displacements(positions[:, now:], precision[:, now:], window.period)
    course, late, course_valid = window_velocity_features(
        boxes[:, :now + 1], window.period, round(LATE_S / window.period))
    row_s = window.period / window.imu_rows
    rows = window.ticks * window.imu_rows
    imu, mask = windows.values['imu'][:, :rows], windows.masks['imu'][:, :rows]
    phone = estimate_heading(imu, mask, row_s, area.magnetic_yaw)
    return MotionLabels(
        phone.heading, phone.valid,
        *_zero_invalid(velocity, both_sides & (velocity_std <= MAX_VELOCITY_STD_MPS)),
        *_zero_invalid(future, future_valid),
        _zero_invalid(course, course_valid)[0], *_zero_invalid(late, course_valid),
        gait_features(imu, mask, phone.turns, row_s))


def heading_frame_targets(
    columns: Columns, heading_used: MaskArray, course: FloatArray, course_used: MaskArray,
    gait: FloatArray,
) -> MotionTargets:
    """Rotate labels into each subject's heading frame; subjects without one are invalid.

    `course` (N, 5, 2) and `gait` (N, G) are the inputs; `heading_used`, `course_used` (N,) select
    the subjects whose heading and course are part of the context.
    """
    angle = heading_frame(columns['heading'], heading_used, course)
    framed = heading_used | course_used
    return MotionTargets(
        make_context(heading_used, course_used, rotate(course, -angle[:, None]), gait),
        rotate(columns['velocity'], -angle), columns['velocity_valid'] & framed,
        rotate(columns['future'], -angle[:, None]), columns['future_valid'] & framed[:, None])


def displacements(
    positions: Array, precision: Array, period: float,
) -> tuple[Array, MaskArray]:
    """Return displacements (N, H, 2) from the first of 1 + H ticks to the others; valid (N, H)."""
    reach = round(POSITION_SPAN_S / period)
    span = 2 * reach + 1
    near = sliding_window_view(np.pad(positions, ((0, 0), (reach, reach), (0, 0))), span, axis=1)
    weights = sliding_window_view(np.pad(precision, ((0, 0), (reach, reach))), span, axis=1)
    seconds = period * np.arange(-reach, reach + 1, dtype=np.float64)
    smoothed, _, std, _ = fit_lines(np.moveaxis(near, -1, -2), weights, seconds)
    known = std <= MAX_POSITION_STD_M
    return smoothed[:, 1:] - smoothed[:, :1], known[:, 1:] & known[:, :1]


def fit_velocity(positions: Array, precision: Array, period: float) -> tuple[Array, Array]:
    """Fit a line to positions (N, K, 2); return velocity (N, 2) and its std (N,)."""
    seconds = period * np.arange(positions.shape[1], dtype=np.float64)
    _, velocity, _, std = fit_lines(positions, precision, seconds)
    return velocity, std


def fit_lines(
    positions: Array, precision: Array, seconds: Array,
) -> tuple[Array, Array, Array, Array]:
    """Fit lines to points (..., K, 2) of known precision (..., K) at times (K,) [s].

    Iteratively reweighted least squares with Cauchy weights, so that outliers (a depth measured
    behind the person) lose their influence. Returns position at time 0 and velocity (..., 2), and
    the standard deviation of each (...), infinite where the points do not determine a line.
    """
    weights = precision
    for _ in range(REWEIGHTINGS):
        position, velocity, position_std, velocity_std = _least_squares(
            positions, weights, seconds)
        line = position[..., None, :] + velocity[..., None, :] * seconds[:, None]
        mahalanobis2 = ((positions - line) ** 2).sum(-1) * precision
        weights = precision / (1.0 + mahalanobis2 / CAUCHY**2)
    return position, velocity, position_std, velocity_std


def _least_squares(
    positions: Array, weights: Array, seconds: Array,
) -> tuple[Array, Array, Array, Array]:
    total, first, second = (
        (weights * seconds**power).sum(-1, keepdims=True) for power in (0, 1, 2))  # (..., 1)
    mean, moment = ((weights * seconds**power)[..., None, :] @ positions for power in (0, 1))
    mean, moment = mean[..., 0, :], moment[..., 0, :]  # (..., 2)
    determinant = total * second - first**2
    fixed = determinant > 1e-9 * np.maximum(total * second, 1e-9)
    scale = 1.0 / np.where(fixed, determinant, np.inf)
    position = (second * mean - first * moment) * scale
    velocity = (total * moment - first * mean) * scale
    position_std, velocity_std = (
        np.where(fixed, np.sqrt(np.abs(part * scale)), np.inf)[..., 0] for part in (second, total))
    return position, velocity, position_std, velocity_std


def _zero_invalid(values: Array, valid: MaskArray) -> tuple[FloatArray, MaskArray]:
    known = valid.reshape(valid.shape + (1,) * (values.ndim - valid.ndim))
    return np.where(known, values, 0.0).astype(np.float32), valid
