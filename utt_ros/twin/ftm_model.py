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

"""FTM ranging model: likelihood of ranges at given positions, and their trend in an area.

A range is the distance from the phone to the access point, plus a trend that grows with distance
(multipath), plus a slowly varying bias (bodies and walls in between), plus noise with heavy tails.
The trend is learned per access point from people whom the camera sees at the same time.
"""

import numpy as np
import numpy.typing as npt

from utt_ros.errors import MeasurementError
from utt_ros.settings import AreaSettings
from utt_ros.twin.range_offsets import ApOffset
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import Array, FloatArray, MaskArray, SyncedBatch

Floats = npt.NDArray[np.floating]

TREND = (-0.5, 0.1)  # prior mean of offset [m] and slope [m/m] [R]
TREND_STD = (0.5, 0.05)  # of that prior [R]
DRIFT_STD = (0.1, 0.01)  # of a trend since an earlier run, or a survey [R]
REPEATS = 16.0  # consecutive ranges with the information of one: biases last for seconds
TREND_LIMITS = (-50.0, -0.5), (50.0, 1.0)  # of a trend that is kept
MIN_ERROR, MAX_CORRELATION = (1e-3, 1e-4), 0.99  # of a trend that is kept
MAX_RESIDUAL_M = 2.5  # from the trend; larger ones are clipped
DEGREES_OF_FREEDOM = 4.0  # of the Student distribution
MAX_DISTANCE_M = 1000.0  # a position or range beyond is a fault
MIN_FLOOR_DISTANCE_M2 = 0.25  # squared


def usable_ranges(batch: SyncedBatch, access_points: int) -> tuple[Array, MaskArray]:
    """Return ranges [m] of a tick and where they are new and usable, (S, A) for A access points.

    Raises MeasurementError when there are more than `access_points`.
    """
    ranges, mask = batch.ftm[:, :1], batch.ftm_mask[:, None]
    if further := batch.further_ftm.shape[1]:
        if further >= access_points:
            raise MeasurementError(f'a tick has ranges of {further + 1} access points: the area '
                                   f'has {access_points}')
        ranges = np.concatenate([ranges, batch.further_ftm[..., 0]], axis=1)
        mask = np.concatenate([mask, batch.further_ftm_mask], axis=1)
    return ranges.astype(np.float64), mask & (np.abs(ranges) <= MAX_DISTANCE_M)


class FtmRangeModel:
    """Likelihood of ranges to one access point for ensembles of an area; learns their trend."""

    def __init__(
        self, area: AreaSettings, settings: ParticleFilterSettings, access_point: int = 0,
        begin: ApOffset | None = None,
    ) -> None:
        position = area.ap_positions[access_point]
        self.position = np.asarray(position[:2])  # (2,) [m]
        self._ap = np.asarray(position, np.float32)
        self._rise = float(position[2]) - area.phone_height
        self._variance = settings.range_std**2
        self._noise = settings.range_bias_std**2 + self._variance
        self._precision = np.diag(np.array(TREND_STD) ** -2.0)
        self._weighted = self._precision @ np.array(TREND)
        self.trend = np.array(TREND)
        if begin is not None:
            self._precision = np.linalg.inv(begin.covariance + np.diag(np.array(DRIFT_STD)**2))
            self._weighted = self._precision @ begin.trend
            self.trend = begin.trend
        self._position, self._is_known = position, begin is not None

    @property
    def repeated_precision(self) -> float:
        """Information [1/m^2] of one of many consecutive ranges."""
        return 1 / (self._noise * REPEATS)

    @property
    def noise_variance(self) -> float:
        """Variance [m^2] of a range about distance, trend and bias."""
        return self._variance

    def trend_variance(self, slant: float) -> float:
        """Compute the variance [m^2] of the trend at a distance [m] from the access point."""
        features = np.array([1.0, slant])
        return float(features @ np.linalg.solve(self._precision, features))

    def known_offset(self, address: str) -> ApOffset | None:
        """Return the trend for a later start; None where nothing was learned or given."""
        if not self._is_known:
            return None
        covariance = np.linalg.inv(self._precision)
        errors = np.sqrt(np.diag(covariance))
        offset, slope = np.clip(self.trend, *TREND_LIMITS).tolist()
        return ApOffset(
            address, tuple(self._position), offset, slope,
            max(float(errors[0]), MIN_ERROR[0]), max(float(errors[1]), MIN_ERROR[1]),
            float(np.clip(covariance[0, 1] / errors.prod(), -MAX_CORRELATION, MAX_CORRELATION)))

    def expected_range(self, x: Floats, y: Floats) -> FloatArray:
        """Compute ranges (...) [m] of phones at x, y (...) [m], trend included."""
        slant = self._slant(x, y)
        return np.asarray(slant * np.float32(1 + self.trend[1]) + np.float32(self.trend[0]))

    def floor_distance(self, ranges: Array) -> Array:
        """Compute distances (...) [m] from the access point along the floor; at least 0.5."""
        slant = np.maximum((ranges - self.trend[0]) / (1 + self.trend[1]), 0.0)
        return np.asarray(np.sqrt(np.maximum(slant**2 - self._rise**2, MIN_FLOOR_DISTANCE_M2)))

    def likelihood(
            self, innovation: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return likelihoods (S, P) of innovations (S, P) [m] and gains (S, P) for the bias.

        Likelihoods are up to a factor. `variance` (S, 1) [m^2] is that of the bias, which is
        normal for each particle given its path. The gain of a Student noise is that of a normal
        one with the variance of the expectation step [S: Lange, Little and Taylor 1989].
        """
        square = innovation**2 / (variance + np.float32(self._variance))
        tail = 1 + square / DEGREES_OF_FREEDOM
        gain = variance / (variance + np.float32(self._variance))
        gain = gain * (1 + 1 / DEGREES_OF_FREEDOM) / tail
        return (np.asarray(tail ** (-(DEGREES_OF_FREEDOM + 1) / 2), np.float32),
                np.asarray(gain, np.float32))

    def posterior_bias_variance(self, variance: FloatArray) -> FloatArray:
        """Compute the variance of the bias (S,) [m^2] after a range."""
        return np.asarray(variance * self._variance / (variance + self._variance), np.float32)

    def update_trend(self, ranges: Array, positions: Array) -> None:
        """Update the trend with ranges (N,) [m] of phones at known positions (N, 2) [m]."""
        slant = self._slant(positions[:, 0], positions[:, 1])
        features = np.stack([np.ones_like(slant), slant], axis=1)
        predicted = features @ self.trend
        error = predicted + np.clip(ranges - slant - predicted, -MAX_RESIDUAL_M, MAX_RESIDUAL_M)
        weight, self._is_known = self.repeated_precision, True
        self._precision += weight * features.T @ features
        self._weighted += weight * features.T @ error
        self.trend = np.linalg.solve(self._precision, self._weighted)

    def residuals(self, ranges: Array, positions: Array) -> Array:
        """Compute clipped residuals (N,) [m] of ranges (N,) at positions (N, 2) from the trend."""
        slant = self._slant(positions[:, 0], positions[:, 1])
        excess = ranges - slant * (1 + self.trend[1]) - self.trend[0]
        return np.asarray(np.clip(excess, -MAX_RESIDUAL_M, MAX_RESIDUAL_M))

    def _slant(self, x: Floats, y: Floats) -> Floats:
        squared = (x - self._ap[0])**2 + (y - self._ap[1])**2
        return np.asarray(np.sqrt(squared + np.float32(self._rise**2)))
