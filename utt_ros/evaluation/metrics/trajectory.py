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

"""Predicted paths: extrapolation, sampling and distances to the true path."""

from collections.abc import Sequence

import numpy as np

from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.geometry.compass import rotate
from utt_ros.types import Array, FloatArray, MaskArray

HORIZONS_S = (1, 3, 5)
SAMPLES = 20
MIN_DISPLACEMENT_M = 0.3  # predicted displacement below which a path has no direction of its own
FRESH_S = 0.05  # maximum age of a box of the same tick


def horizons(period: float) -> dict[str, int]:
    """Return the ticks of each evaluated horizon, by name."""
    return {f'{seconds}s': round(seconds / period) for seconds in HORIZONS_S}


def extrapolate(displacements: FloatArray, ticks: int) -> FloatArray:
    """Extrapolate displacements (N, H, 2) to (N, `ticks`, 2) at their mean velocity.

    The model predicts H ticks. Beyond them nothing is learned, and the mean over all of them has
    less noise than the last [R].
    """
    horizon = displacements.shape[1]
    if ticks <= horizon:
        return displacements[:, :ticks]
    further = np.arange(1, ticks - horizon + 1)[:, None] * (displacements[:, -1:] / horizon)
    return np.concatenate(
        [displacements, displacements[:, -1:] + further], axis=1).astype(np.float32)


def evaluated_ticks(
    track: TrackEstimate, walk: SubjectTrajectory, future: Array,
) -> MaskArray:
    """Ticks (T,) with a box, a predicted path and a known `future` (T, ticks, 2)."""
    if track.future_displacements is None:
        return np.zeros(len(future), bool)
    predicted = (np.isfinite(track.future_displacements).all((1, 2))
                 & np.isfinite(track.position).all(1))
    return np.asarray(
        predicted & np.isfinite(future).all((1, 2)) & (walk.camera_age_s() <= FRESH_S))


def predicted_paths(track: TrackEstimate, ticks: int) -> Array:
    """Predicted positions (T, `ticks`, 2) [m]; raises ValueError for a track without them."""
    if track.future_displacements is None:
        raise ValueError('a track without predictions has no paths')
    paths: Array = (track.position[:, None].astype(np.float64)
                    + extrapolate(track.future_displacements, ticks))
    return paths


def path_deviations(start: Array, predicted: Array, true: Array) -> Array:
    """Deviations (N, K, 2) [m] of true from predicted paths (N, K, 2), along and across them."""
    deviations: Array = rotate(true - predicted, -_direction(start, predicted))
    return deviations


def best_of_samples(
    start: Array, predicted: Array, true: Array, bank: Array, seed: int,
) -> Array:
    """Distances (N, K) of the sample, out of 20, with the smallest mean distance.

    A sample is the predicted path plus a deviation drawn from the `bank` (B, K, 2), which holds
    those of other people (another split), rotated into the direction of the path [R]. The
    first sample is the prediction itself.
    """
    rng = np.random.default_rng(seed)
    direction = _direction(start, predicted)
    best: Array = np.linalg.norm(predicted - true, axis=2)
    for _ in range(SAMPLES - 1 if len(bank) else 0):
        deviations = bank[rng.integers(0, len(bank), len(predicted))]
        distance = np.linalg.norm(predicted + rotate(deviations, direction) - true, axis=2)
        better = distance.mean(1) < best.mean(1)
        best[better] = distance[better]
    return best


def concatenate_paths(parts: Sequence[Array], ticks: int) -> Array:
    """Concatenate paths to (N, `ticks`, 2); `parts` may be empty."""
    return np.concatenate([np.zeros((0, ticks, 2)), *parts])


def _direction(start: Array, predicted: Array) -> Array:
    """Direction (N, 1) [rad] of each path from its start (N, 2); 0 below MIN_DISPLACEMENT_M."""
    displacement = predicted[:, -1] - start
    angle = np.arctan2(displacement[:, 1], displacement[:, 0])
    moves = np.linalg.norm(displacement, axis=1) > MIN_DISPLACEMENT_M
    return np.asarray(np.where(moves, angle, 0.0)[:, None])
