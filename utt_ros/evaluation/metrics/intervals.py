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

"""Intervals of translation errors: bootstrap over walks, which windows of one walk share.

Whole walks are drawn with replacement [S: Efron and Tibshirani 1993, ch. 6 and 13]; the interval
is that of percentiles. The draws depend on the walks alone, so errors of several methods on the
same windows are paired.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from utt_ros.evaluation.results import Prediction
from utt_ros.training.metrics import mean_ratio
from utt_ros.types import Array, MaskArray

DRAWS = 1000
LEVEL = 0.95
MIN_WALKS = 3  # fewer have no interval
SEED = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends of a bootstrap interval; NaN without one."""

    low: float
    high: float


UNKNOWN = Interval(np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class WalkErrors:
    """Squared errors of a prediction, and those of the train mean, summed over each walk."""

    error: Array  # (W, F)
    spread: Array  # (W, F)

    def nmse(self, channels: slice = slice(None)) -> float:
        """NMSE_var over all walks, of the mean over channels that vary."""
        return float(mean_ratio(self.error.sum(0)[channels], self.spread.sum(0)[channels]))

    def draws(self, channels: slice = slice(None)) -> Array:
        """NMSE_var (DRAWS,) of walks drawn with replacement."""
        counts = _draw_walks(len(self.error))
        return mean_ratio((counts @ self.error)[:, channels], (counts @ self.spread)[:, channels])

    def interval(self, channels: slice = slice(None)) -> Interval:
        """Interval of NMSE_var."""
        return UNKNOWN if len(self.error) < MIN_WALKS else percentiles(self.draws(channels))


def walk_errors(predicted: Prediction) -> WalkErrors:
    """Sum the errors of a prediction by walk: a subject in a sequence."""
    names = np.char.add(np.char.add(predicted.sequence, '\n'), predicted.subject)
    walks, index = np.unique(names, return_inverse=True)
    truth = predicted.target.astype(np.float64)
    mask: MaskArray = predicted.mask
    sums = [
        np.where(mask, (estimate - truth) ** 2, 0.0).sum(1)
        for estimate in (predicted.prediction, predicted.train_mean)]
    error, spread = np.zeros((2, len(walks), truth.shape[2]))
    for total, of_windows in zip((error, spread), sums, strict=True):
        np.add.at(total, index, of_windows)
    return WalkErrors(error, spread)


def ratio(
    errors: WalkErrors, reference: WalkErrors, channels: slice = slice(None),
) -> tuple[float, Interval]:
    """Return NMSE_var over that of a reference on the same windows, and its paired interval."""
    value = errors.nmse(channels) / reference.nmse(channels)
    if len(errors.error) < MIN_WALKS:
        return value, UNKNOWN
    return value, percentiles(errors.draws(channels) / reference.draws(channels))


def percentiles(draws: Array) -> Interval:
    """Return the interval that LEVEL of the draws lie in."""
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return Interval(float(low), float(high))


@cache
def _draw_walks(walks: int) -> Array:
    """Return how often each walk is drawn (DRAWS, W)."""
    generator = np.random.default_rng(SEED)
    return generator.multinomial(walks, np.full(walks, 1.0 / walks), DRAWS).astype(np.float64)
