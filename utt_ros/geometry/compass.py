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

"""Compass: headings and magnetic field of phones from nine-axis IMU windows, all at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from utt_ros.types import FloatArray, MaskArray

GRAVITY_SPAN_S = 1.0  # about two steps: walking cancels out of the mean acceleration
STANDING_SIN = (0.77, 0.94)  # 50 and 70 degrees: between them the pointing axis turns from y to -z
MIN_FIELD_T = 2e-6  # horizontal field; on Earth it is 10 to 42 microtesla away from the poles
RECENT_SPAN_S = 1.0
MIN_RECENT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class HeadingEstimate:
    """Headings and turns of S phones over windows of R rows."""

    heading: FloatArray  # (S,) at the last row [rad], counter-clockwise from the area's x axis
    valid: MaskArray  # (S,); elsewhere the heading is 0
    turns: FloatArray  # (S, R) from the last row back to each [rad]


def estimate_heading(
        imu: FloatArray, mask: MaskArray, row_period_s: float, magnetic_yaw: float,
) -> HeadingEstimate:
    """Estimate headings of phones at the last row of their windows.

    imu (S, R, 9) [IMU_CHANNELS], mask (S, R). Per row r, with means over GRAVITY_SPAN_S [D]:

        up      = mean accel / |mean accel|
        east    = mag x up,  north = up x east                  (as Android's getRotationMatrix)
        p       = w y - (1 - w) sign(up_y) z,  w = 1 (lying) .. 0 (standing), from the mean up_y
        compass = direction of (east . p, north . p)            (ENU; north . p = east . (p x up))
        yaw     = integral of gyro . up over time

    The heading is the circular mean over the rows of compass_r - yaw_r, plus the yaw of the last
    row, minus `magnetic_yaw`: turning is removed from the compass before it is averaged, so its
    noise averages out. Valid where at least MIN_RECENT_SHARE of the rows of the last
    RECENT_SPAN_S are measured and have a horizontal field of at least MIN_FIELD_T; elsewhere the
    heading is 0.
    """
    rows = _channels(imu, mask)
    heading, turns, usable = _fuse(
        rows, _vertical(rows, row_period_s), mask, row_period_s, magnetic_yaw)
    valid = usable[:, -round(RECENT_SPAN_S / row_period_s):].mean(1) >= MIN_RECENT_SHARE
    return HeadingEstimate(np.where(valid, heading, 0).astype(np.float32), valid, turns)


def compass_heading(
        imu: FloatArray, mask: MaskArray, row_period_s: float, magnetic_yaw: float,
) -> tuple[FloatArray, MaskArray]:
    """Return heading (S,) and valid (S,) of `estimate_heading`."""
    estimate = estimate_heading(imu, mask, row_period_s, magnetic_yaw)
    return estimate.heading, estimate.valid


def compass_headings(
        imu: FloatArray, mask: MaskArray, row_period_s: float,
        magnetic_yaw: float | npt.NDArray[np.floating],
) -> tuple[FloatArray, MaskArray]:
    """Estimate headings (S, R) of all rows, from the same mean as `compass_heading`; valid (S, R).

    Not causal: headings before the last row depend on later rows. Valid where the row is.
    `magnetic_yaw` is one for all, or (S,).
    """
    rows = _channels(imu, mask)
    return _headings(rows, _vertical(rows, row_period_s), mask, row_period_s, magnetic_yaw)


def tick_headings(
        imu: FloatArray, mask: MaskArray, rows_per_tick: int, row_period_s: float,
        magnetic_yaw: float | npt.NDArray[np.floating],
) -> tuple[FloatArray, MaskArray]:
    """Select `compass_headings` of the last row of every tick (S, T), and valid (S, T)."""
    headings, valid = compass_headings(imu, mask, row_period_s, magnetic_yaw)
    ticks = slice(rows_per_tick - 1, None, rows_per_tick)
    return headings[:, ticks], valid[:, ticks]


def causal_tick_headings(
        imu: FloatArray, mask: MaskArray, window_ticks: int, row_period_s: float,
        magnetic_yaw: float,
) -> tuple[FloatArray, MaskArray]:
    """Estimate headings (T,) of one phone at every tick from the ticks up to it, and valid (T,).

    imu (T, C, 9), mask (T, C). Each heading is the `compass_heading` of `window_ticks` ticks.
    """
    rows_per_tick = imu.shape[1]
    length = window_ticks * rows_per_tick
    padded = np.pad(imu.reshape(-1, imu.shape[-1]), ((length, 0), (0, 0)))
    padded_mask = np.pad(mask.ravel(), (length, 0))
    ticks = slice(rows_per_tick, None, rows_per_tick)
    windows = sliding_window_view(padded, length, axis=0)[ticks]
    masks = sliding_window_view(padded_mask, length)[ticks]
    return compass_heading(windows.transpose(0, 2, 1), masks, row_period_s, magnetic_yaw)


def _headings(
        rows: FloatArray, up: FloatArray, mask: MaskArray, row_period_s: float,
        magnetic_yaw: float | npt.NDArray[np.floating],
) -> tuple[FloatArray, MaskArray]:
    heading, turns, usable = _fuse(rows, up, mask, row_period_s, magnetic_yaw)
    headings = wrap_angle(heading[:, None] + turns)
    return np.where(usable, headings, 0).astype(np.float32), usable


def _fuse(
        rows: FloatArray, up: FloatArray, mask: MaskArray, row_period_s: float,
        magnetic_yaw: float | npt.NDArray[np.floating],
) -> tuple[npt.NDArray[np.floating], FloatArray, MaskArray]:
    """Fuse compass and gyro: heading (S,) at the last row, turns (S, R), and usable rows (S, R).

    `rows` are `_channels`, `up` is their `_vertical`; turns are from the last row to each.
    """
    axis = _pointing_axis(up[1], mask)[..., None]  # (3, S, 1)
    east = _cross(rows[6:9], up)
    usable = mask & (_dot(east, east) >= MIN_FIELD_T**2)
    yaw = np.cumsum(_dot(rows[3:6], up), axis=1) * np.float32(row_period_s)
    compass = _dot(east, axis) + 1j * _dot(east, _cross(axis, up))
    compass *= usable / np.maximum(np.abs(compass), 1e-12)
    turns = yaw - yaw[:, -1:]
    mean = (compass * (np.cos(turns) - 1j * np.sin(turns))).sum(1)
    return wrap_angle(np.angle(mean) - magnetic_yaw), turns, usable


def rotate_magnetic_field(
        imu: FloatArray, mask: MaskArray, row_period_s: float, angle: npt.ArrayLike,
) -> FloatArray:
    """Rotate the magnetic field in IMU rows (S, R, 9) about the vertical, counter-clockwise.

    With `angle` = `magnetic_yaw` (one, or (S,)) [rad] the result is the field if magnetic east lay
    along the area's x axis, so that directions look alike in every area [D]; the negative angle
    inverts it. The vertical is that of `compass_heading`; masked rows become 0.
    """
    rows = _channels(imu, mask)
    rows[6:9] = rotate_about(_vertical(rows, row_period_s), rows[6:9], np.reshape(angle, (-1, 1)))
    return np.ascontiguousarray(rows.transpose(1, 2, 0))


def mirror_imu(imu: FloatArray, mask: MaskArray, row_period_s: float) -> FloatArray:
    """Mirror IMU windows (S, R, 9) onto paths with left and right exchanged, held alike [D].

    In the frame of magnetic east, or of the area after `rotate_magnetic_field`: a heading h
    becomes -h, so the field turns by 2 h about the vertical, and the turning about it changes its
    sign. Accelerations stay: a hand holds the phone as before. Masked rows become 0.
    """
    rows = _channels(imu, mask)
    up, turning, field = _vertical(rows, row_period_s), rows[3:6], rows[6:9]
    headings, _ = _headings(rows, up, mask, row_period_s, 0.0)
    rows[3:6] = turning - 2 * up * _dot(up, turning)
    rows[6:9] = rotate_about(up, field, 2 * headings)
    return np.ascontiguousarray(rows.transpose(1, 2, 0))


def rotate(
        vectors: npt.NDArray[np.floating], angle: npt.NDArray[np.floating],
) -> npt.NDArray[Any]:
    """Rotate vectors (..., 2) counter-clockwise by angles (...) [rad]; keeps the precision."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def wrap_angle(angle: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Wrap angles [rad] into [-pi, pi)."""
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi)


def _channels(imu: FloatArray, mask: MaskArray) -> FloatArray:
    """Transpose IMU rows (S, R, 9) to channels (9, S, R); 0 where masked."""
    return np.ascontiguousarray(np.where(mask[..., None], imu, 0).transpose(2, 0, 1))


def _vertical(rows: FloatArray, row_period_s: float) -> FloatArray:
    """Compute unit vectors up (3, S, R) in the phone frame from channels (9, S, R)."""
    up = _moving_sum(rows[0:3], round(GRAVITY_SPAN_S / row_period_s))
    up /= np.maximum(np.sqrt(_dot(up, up)), 1e-9)
    return up


def _moving_sum(values: FloatArray, span: int) -> FloatArray:
    """Sum (3, S, R) over `span` rows around each row, fewer at the ends."""
    count = values.shape[-1]
    total = np.zeros((*values.shape[:-1], count + 1), np.float64)
    np.cumsum(values, axis=-1, out=total[..., 1:])
    row = np.arange(count)
    high, low = np.minimum(row + span // 2 + 1, count), np.maximum(row - span // 2, 0)
    return np.asarray(total.take(high, -1) - total.take(low, -1), np.float32)


def _pointing_axis(up_y: FloatArray, mask: MaskArray) -> FloatArray:
    """Return the phone's axis (3, S) that points forward, in the phone frame."""
    standing = (up_y * mask).sum(1) / np.maximum(mask.sum(1), 1)
    low, high = STANDING_SIN
    lying = np.clip((high - np.abs(standing)) / (high - low), 0, 1)
    across = -(1 - lying) * np.sign(standing)
    return np.stack([np.zeros_like(lying), lying, across]).astype(np.float32)


def rotate_about(
        up: FloatArray, vectors: FloatArray, angle: npt.NDArray[np.floating],
) -> FloatArray:
    """Rotate vectors (3, S, R) about unit vectors, counter-clockwise; angles must broadcast.

    Rodrigues' formula: b' = b cos a + (up x b) sin a + up (up . b) (1 - cos a).
    """
    cos, sin = (np.asarray(part, np.float32) for part in (np.cos(angle), np.sin(angle)))
    return np.asarray(
        vectors * cos + _cross(up, vectors) * sin + up * (_dot(up, vectors) * (1 - cos)))


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cross product over the first axis; numpy's takes ten times as long on the last."""
    return np.stack([
        a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
