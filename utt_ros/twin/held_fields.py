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

"""Magnetic fields of phones, remembered relative to the courses of the people who carry them.

A phone is held as before while its owner turns: turned about the vertical by the course, its field
stays the same. That field at course 0 holds the offset between phone and course, the tilt, and
the strengths of the horizontal and vertical field. While an IMU is measured and particles have a
course it is learned, as a mean that forgets, and remembered while the IMU is gone. The newest
field is another estimate, since people walk straight; its variance grows as they turn.
"""

import numpy as np

from utt_ros.geometry.compass import MIN_FIELD_T, rotate_about
from utt_ros.twin.expected_measurements import ExpectedMeasurement
from utt_ros.types import (
    IMU_CHANNELS,
    NEVER_NS,
    Array,
    ComplexArray,
    FloatArray,
    Indices,
    MaskArray,
)

ACCELERATION, MAGNETIC = slice(0, 3), slice(6, 9)  # channels
FORGET_S = 5.0  # time constant of the mean at course 0 [R: val split, as all below]
GRAVITY_S = 1.0  # time constant of the vertical: about two steps
NEWEST_S = 0.448  # time constant of the newest field: 0.2 of each tick at 10 Hz
OFFSET_STD_RAD = 0.3  # of a new offset between phone and course: iron bends the field indoors
HELD_STD_RAD, HELD_S = 0.5, 20.0  # its change, an Ornstein-Uhlenbeck process
FIELD_STD_T = 6e-6  # of a field at a known course
NEWEST_STD_T, TURN_S = 8e-6, 6.0  # of the newest field, and time constant of turns
TURNED_VARIANCE = 3.0  # of the newest field after long, over that of fields in all directions


class HeldFields:
    """Mean fields at course 0 and newest fields, phone frame, for the R rows of a filter."""

    def __init__(self, rows: int) -> None:
        self._gravity, self._at_course_0, self._newest = np.zeros((3, rows, 3))
        self._weight = np.zeros(rows)  # of the mean, in ticks of a sure course
        self._learned_ns = np.full(rows, NEVER_NS, np.int64)  # stamps of the last ticks learned

    def forget(self, row: int) -> None:
        """Begin with a phone that is held in an unknown way."""
        for part in (self._gravity, self._at_course_0, self._newest, self._weight):
            part[row] = 0.0
        self._learned_ns[row] = NEVER_NS

    def learn(
        self, rows: Indices, imu: FloatArray, mask: MaskArray, courses: ComplexArray,
        stamp_ns: int,
    ) -> None:
        """Learn from IMU rows (S, C, 9) of a tick, masks (S, C), and `mean_directions` (2, S).

        What a row knew fades with the time since a tick taught it. A field below MIN_FIELD_T is
        none: that of a phone whose magnetometer is silent is 0.
        """
        count = mask.sum(1)
        means = (imu * mask[..., None]).sum(1, dtype=np.float64) / np.maximum(count, 1)[:, None]
        strength = np.linalg.norm(means[:, MAGNETIC], axis=1)
        usable = (count > 0) & np.isfinite(means).all(1) & (strength >= MIN_FIELD_T)
        rows, means, courses = rows[usable], means[usable], courses[0, usable]
        elapsed_s = (stamp_ns - self._learned_ns[rows]) / 1e9  # since NEVER_NS nothing is left
        self._learned_ns[rows] = stamp_ns
        keep = np.exp(-elapsed_s / GRAVITY_S)[:, None]
        self._gravity[rows] = keep * self._gravity[rows] + (1.0 - keep) * means[:, ACCELERATION]
        share = -np.expm1(-elapsed_s / NEWEST_S)[:, None]
        self._newest[rows] += share * (means[:, MAGNETIC] - self._newest[rows])
        up, field = (part.T.astype(np.float32)
                     for part in (_unit(self._gravity[rows]), means[:, MAGNETIC]))
        at_course_0 = rotate_about(up, field, np.angle(courses)).T
        weight = np.maximum(np.abs(courses)**4, 1e-6)  # a mean of unsure directions is short
        self._weight[rows] = np.exp(-elapsed_s / FORGET_S) * self._weight[rows] + weight
        share = (weight / self._weight[rows])[:, None]
        self._at_course_0[rows] += share * (at_course_0 - self._at_course_0[rows])

    def expect(
        self, row: int, courses: ComplexArray, stamp_ns: int,
    ) -> ExpectedMeasurement | None:
        """Return the IMU of a subject with `mean_directions` (2,) of its particles.

        Accelerations and turn rates are not expected. None before the first IMU.
        """
        if not self._weight[row]:
            return None
        age_s = (stamp_ns - self._learned_ns[row]) / 1e9
        up = _unit(self._gravity[row])
        vertical = up * (up @ self._at_course_0[row])
        level = self._at_course_0[row] - vertical
        offset_variance = OFFSET_STD_RAD**2 / min(self._weight[row], 1.0) + (
            HELD_STD_RAD**2 * -np.expm1(-2 * age_s / HELD_S))
        mean, variance = _turned(level, np.cross(up, level), courses, offset_variance)
        variance += FIELD_STD_T**2
        strength = (level @ level) * (1.0 - up**2) / 2  # variance of a field in any direction
        newest_variance = NEWEST_STD_T**2 - TURNED_VARIANCE * strength * np.expm1(
            -2 * age_s / TURN_S)
        share = newest_variance / (variance + newest_variance)
        field, std = np.full((2, len(IMU_CHANNELS)), np.nan)
        field[MAGNETIC] = self._newest[row] + share * (vertical + mean - self._newest[row])
        std[MAGNETIC] = np.sqrt(share * variance)
        return ExpectedMeasurement(field, std)


def unoriented_std(target: str, std: Array) -> FloatArray:
    """Return deviations (F,) of a decoded modality that hold in every orientation of a phone.

    Residuals are known in the frame of the area and merged in that of the phone: of a field they
    get the root mean square over its three channels, which no rotation changes.
    """
    alike = np.array(std, np.float32)
    if target == 'imu':
        alike[MAGNETIC] = np.sqrt(np.mean(std[MAGNETIC]**2))
    return alike


def _turned(
    level: Array, across: Array, courses: ComplexArray, variance: float,
) -> tuple[Array, Array]:
    """Return mean and variance (3,) of a horizontal field that is turned back by a course.

    `courses`: their `mean_directions`, and an offset of that `variance` [rad^2], with which
    E exp(i k c) falls by exp(-k^2 variance / 2) [D].
    """
    first, second = courses * np.exp(np.array([-0.5, -2.0]) * variance)
    cos_variance = (1 + second.real) / 2 - first.real**2
    sin_variance = (1 - second.real) / 2 - first.imag**2
    covariance = second.imag / 2 - first.real * first.imag
    return level * first.real - across * first.imag, (
        level**2 * cos_variance + across**2 * sin_variance - 2 * level * across * covariance)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
