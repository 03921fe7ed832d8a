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

"""Linear floors of the operations: ridge regression on features of windows.

A window of the target is a polynomial in time, whose coefficients are linear in the features. The
penalty of each channel is the best of PENALTIES on the val split [D].
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from utt_ros.evaluation.baselines.linear_features import window_features
from utt_ros.settings import WindowSettings
from utt_ros.training.columns import Columns, take
from utt_ros.training.metrics import RelativeError, channel_means
from utt_ros.types import Array, FloatArray, Indices, MaskArray

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 10.0)  # per row, for a std of 1
DEGREE = 2  # of the polynomials in time


@dataclass(frozen=True, slots=True)
class RidgeTranslator:
    """Ridge regression from windows of `sources` to windows of `target`, in the area frame."""

    sources: tuple[str, ...]
    target: str
    window: WindowSettings
    mean: Array  # (K,) of the features
    std: Array  # (K,)
    weights: Array  # (DEGREE + 1, K + 1, F)

    def predict(self, columns: Columns) -> FloatArray:
        """Predict windows (N, T, F) of the target; columns as `rotate_to_area_frame` has them."""
        rows = columns[f'{self.target}_mask'].shape[1]
        features = _standardized(
            window_features(columns, self.sources, self.window), self.mean, self.std)
        coefficients = np.einsum('nk,pkf->pnf', features, self.weights)
        predicted = np.einsum('tp,pnf->ntf', time_basis(rows), coefficients)
        return np.asarray(predicted, np.float32)


def fit_ridge(
    train: Columns, val: Columns, sources: Sequence[str], target: str, window: WindowSettings,
) -> RidgeTranslator:
    """Fit on `train` and choose the penalties by NMSE_var on `val`.

    Windows without one of the sources or the target are left out.
    """
    train, val = (take(columns, complete_rows(columns, (*sources, target)))
                  for columns in (train, val))
    mean = channel_means(train[target], train[f'{target}_mask'])
    features = window_features(train, sources, window)
    centre, spread = features.mean(0), np.maximum(features.std(0), 1e-6)
    moments = _moments(
        _standardized(features, centre, spread), train[target], train[f'{target}_mask'])
    best = np.zeros_like(moments[1])
    least: Array = np.full(len(mean), np.inf)
    translator = RidgeTranslator(tuple(sources), target, window, centre, spread, best)
    for penalty in PENALTIES:
        weights = _solve(*moments, penalty)
        error = RelativeError(mean)
        error.add(replace(translator, weights=weights).predict(val), val[target],
                  val[f'{target}_mask'])
        better = error.nmse_var_of_channels < least
        best[..., better] = weights[..., better]
        least = np.where(better, error.nmse_var_of_channels, least)
    return translator


def complete_rows(columns: Columns, names: Sequence[str]) -> Indices:
    """Return the windows in which each of the modalities was measured, at least in part."""
    return np.flatnonzero(np.all([columns[f'{name}_mask'].any(1) for name in names], axis=0))


def time_basis(rows: int) -> Array:
    """Return Legendre polynomials (rows, DEGREE + 1) over a window, of unit mean square."""
    basis = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, rows), DEGREE)
    return np.asarray(basis * np.sqrt(2 * np.arange(DEGREE + 1) + 1))


def _standardized(features: Array, mean: Array, std: Array) -> Array:
    """Return (N, K + 1): features of mean 0 and deviation 1, and 1."""
    scaled = (features - mean) / std
    return np.concatenate([scaled, np.ones((len(scaled), 1))], axis=1)


def _moments(features: Array, target: FloatArray, mask: MaskArray) -> tuple[Array, Array, float]:
    """Return normal equations (P K, P K) and (P, K, F) over measured rows, and their number."""
    basis, seen = time_basis(mask.shape[1]), mask.astype(np.float64)
    count, size = basis.shape[1], features.shape[1]
    gram = np.empty((count, size, count, size))
    for one in range(count):
        for other in range(count):
            weight = seen @ (basis[:, one] * basis[:, other])
            gram[one, :, other] = features.T @ (weight[:, None] * features)
    values = np.where(mask[..., None], target, 0.0)
    cross = np.einsum('nk,ntf,tp->pkf', features, values, basis, optimize=True)
    return gram.reshape(count * size, -1), cross, float(seen.sum())


def _solve(gram: Array, cross: Array, rows: float, penalty: float) -> Array:
    """Solve for weights (P, K + 1, F); intercepts are not penalized."""
    size = len(gram) // (DEGREE + 1)
    penalized = np.full(len(gram), penalty * rows)
    penalized[size - 1::size] = 1e-9 * rows
    solution = np.linalg.solve(gram + np.diag(penalized), cross.reshape(len(gram), -1))
    return np.asarray(solution.reshape(cross.shape))
