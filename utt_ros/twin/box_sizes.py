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

"""Sizes of the boxes of subjects, relative to those of a usual person at the same position.

Clothes, arms and the height of a person make boxes wider and higher than the projection of a
person of usual size. While a camera sees a subject the mean logarithm of that ratio is learned,
and remembered as long as the subject is there. Its present deviation from the mean, of somebody
who turns and swings the arms, is an Ornstein-Uhlenbeck process and forgotten within seconds.
"""

import numpy as np

from utt_ros.types import Array, Indices

LOG_STD = np.array([0.6, 0.05])  # of width and height between people [R]
WITHIN_LOG_STD = np.array([0.25, 0.03])  # of one person about the mean, who turns and walks [R]
REPEATS = 10.0  # consecutive boxes with the information of one [R]
FORGET_S = 8.0  # time constant of the present deviation [R]
NEWEST_WEIGHT = 0.3  # of a box in the present deviation [R]
WIDTH, HEIGHT = 3, 4  # channels of a box


class BoxSizes:
    """Normal posterior of logarithmic ratios of width and height, for the R rows of a filter."""

    def __init__(self, rows: int) -> None:
        self._count = np.zeros(rows)
        self._sum, self._present = np.zeros((2, rows, 2))

    def forget(self, row: int) -> None:
        """Begin with a person of usual size."""
        self._count[row], self._sum[row], self._present[row] = 0.0, 0.0, 0.0

    def learn(self, rows: Indices, boxes: Array, projected: Array) -> None:
        """Learn from boxes (S, 5) and those of usual people at the same positions (S, 5)."""
        with np.errstate(divide='ignore', invalid='ignore'):
            ratios = np.log(boxes[:, WIDTH:HEIGHT + 1] / projected[:, WIDTH:HEIGHT + 1])
        usable = np.isfinite(ratios).all(1) & (np.abs(ratios) < 4 * LOG_STD).all(1)
        rows, ratios = rows[usable], ratios[usable]
        self._count[rows] += 1.0 / REPEATS
        self._sum[rows] += ratios / REPEATS
        change = ratios - self._posterior(rows)[0] - self._present[rows]
        self._present[rows] += NEWEST_WEIGHT * change

    def ratio(self, row: int, age_s: float) -> tuple[Array, Array]:
        """Return ratios (2,) of width and height, and their relative deviations (2,).

        `age_s` is the time since the newest box.
        """
        mean, variance = self._posterior(np.array([row]))
        kept = np.exp(-age_s / FORGET_S)
        return (np.exp(mean[0] + kept * self._present[row]),
                np.sqrt(variance[0] + (1.0 - kept**2) * WITHIN_LOG_STD**2))

    def _posterior(self, rows: Indices) -> tuple[Array, Array]:
        """Return means and variances (S, 2) of the mean ratios."""
        precision = LOG_STD**-2 + self._count[rows, None] * WITHIN_LOG_STD**-2
        return self._sum[rows] * WITHIN_LOG_STD**-2 / precision, 1.0 / precision
