"""FTM ranges: what they say about positions, and what positions say about their errors.

A range is the distance from the phone to the access point, plus a trend that grows with distance
(multipath), plus a slow error (bodies and walls in between), plus noise with heavy tails. The
trend is learned per area from people whom the camera sees at the same time.
"""

import numpy as np
import numpy.typing as npt

from utt_ros.settings import AreaSettings
from utt_ros.twin.settings import BeliefSettings
from utt_ros.types import Array, FloatArray

Floats = npt.NDArray[np.floating]

TREND = (-0.5, 0.1)  # expected before anything is learned: metres, and metres per metre [R]
TREND_STD = (0.5, 0.05)  # how wrong that may be [R]
REPEATS = 16.0  # so many rangings in a row say as much as one, since errors last for seconds
MAX_RESIDUAL_M = 2.5  # a ranging that is further off the trend counts as this far
DEGREES = 4.0  # of freedom of the Student distribution


class RangingModel:
    """Likelihood of ranges for clouds of one area; learns the area's trend."""

    def __init__(self, area: AreaSettings, settings: BeliefSettings) -> None:
        self._ap = np.asarray(area.ap_position, np.float32)
        self._rise = float(area.ap_position[2]) - area.phone_height
        self._variance = settings.range_std**2
        self._noise = settings.range_bias_std**2 + self._variance
        self._precision = np.diag(np.array(TREND_STD) ** -2.0)
        self._weighted = self._precision @ np.array(TREND)
        self.trend = np.array(TREND)

    def expected(self, x: Floats, y: Floats) -> FloatArray:
        """Ranges (...) [m] of phones at x, y (...) [m], trend included."""
        slant = self._slant(x, y)
        return np.asarray(slant * np.float32(1 + self.trend[1]) + np.float32(self.trend[0]))

    def distance(self, ranges: Array) -> Array:
        """Distances (...) [m] on the floor from the access point; at least 0.5."""
        slant = np.maximum((ranges - self.trend[0]) / (1 + self.trend[1]), 0.0)
        return np.asarray(np.sqrt(np.maximum(slant**2 - self._rise**2, 0.25)))

    def likelihood(
            self, innovation: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of innovations (S, P) [m], up to a factor, and the gain (S, P) for the slow error.

        `variance` (S, 1) [m^2] is that of the slow error, which is normal for each particle given
        its path. The gain of a Student noise is that of a normal one with the variance its
        expectation step gives [S: Lange, Little and Taylor 1989].
        """
        square = innovation**2 / (variance + np.float32(self._variance))
        tail = 1 + square / DEGREES
        gain = variance / (variance + np.float32(self._variance)) * (1 + 1 / DEGREES) / tail
        return np.asarray(tail ** (-(DEGREES + 1) / 2), np.float32), np.asarray(gain, np.float32)

    def learned_variance(self, variance: FloatArray) -> FloatArray:
        """Variance of the slow error (S,) after a ranging."""
        return np.asarray(variance * self._variance / (variance + self._variance), np.float32)

    def learn(self, ranges: Array, positions: Array) -> None:
        """Adapt the trend to ranges (N,) [m] of phones whose positions (N, 2) [m] are known."""
        slant = self._slant(positions[:, 0], positions[:, 1])
        features = np.stack([np.ones_like(slant), slant], axis=1)
        usual = features @ self.trend
        error = usual + np.clip(ranges - slant - usual, -MAX_RESIDUAL_M, MAX_RESIDUAL_M)
        weight = 1 / (self._noise * REPEATS)
        self._precision += weight * features.T @ features
        self._weighted += weight * features.T @ error
        self.trend = np.linalg.solve(self._precision, self._weighted)

    def _slant(self, x: Floats, y: Floats) -> Floats:
        across = (x - self._ap[0])**2 + (y - self._ap[1])**2
        return np.asarray(np.sqrt(across + np.float32(self._rise**2)))
