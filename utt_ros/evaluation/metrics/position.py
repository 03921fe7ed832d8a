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

"""Position error, quantiles, coverage and camera conditions: the only definition of each.

`utt evaluate`, `utt bench association` and `utt demo` call these functions.
"""

import numpy as np

from utt_ros.evaluation import ground_truth
from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.types import CHI2_90_2D, Array, FloatArray, GroundTruth, MaskArray, Stamps

CAMERA_GONE_S = 0.5  # time since the last box after which the camera counts as gone
MIN_VARIANCE_M2 = 1e-6  # added to covariances, which may be singular in float32


def camera_conditions(age_s: Array) -> dict[str, MaskArray]:
    """Split ticks (T,) by the time [s] since the camera last detected the subject."""
    return {
        'camera': age_s <= CAMERA_GONE_S,
        'camera_gone': (age_s > CAMERA_GONE_S) & np.isfinite(age_s),
        'camera_never': ~np.isfinite(age_s),
        'no_camera': age_s > CAMERA_GONE_S}


def position_errors(
    truth: GroundTruth, stamps_ns: Stamps, positions_m: Array | FloatArray,
) -> Array:
    """2-D position errors (N,) [m] of positions (N, 2); NaN where one or the truth is unknown."""
    error: Array = np.linalg.norm(
        positions_m - ground_truth.truth_at(truth, stamps_ns), axis=1)
    return error


def track_errors(track: TrackEstimate, walk: SubjectTrajectory) -> Array:
    """2-D position errors (T,) [m] of an estimated track."""
    return position_errors(walk.truth, walk.stamps_ns, track.position)


def squared_mahalanobis(
    truth: GroundTruth, stamps_ns: Stamps, positions_m: Array | FloatArray,
    covariances_m2: Array | FloatArray,
) -> Array:
    """Squared Mahalanobis distances (N,) of the truth from normal distributions; NaN: unknown."""
    error = positions_m.astype(np.float64) - ground_truth.truth_at(truth, stamps_ns)
    covariance = _regularized(covariances_m2)
    known = np.isfinite(error).all(1) & np.isfinite(covariance).all((1, 2))
    square = np.full(len(error), np.nan)
    solved = np.linalg.solve(covariance[known], error[known, :, None])[..., 0]
    square[known] = (error[known] * solved).sum(1)
    return square


def inside_90(square: Array) -> MaskArray:
    """Whether the truth lies within the 90 % ellipse, by squared Mahalanobis distances (N,)."""
    return np.asarray(square <= CHI2_90_2D)


def track_likelihoods(track: TrackEstimate, walk: SubjectTrajectory) -> tuple[Array, Array]:
    """Squared Mahalanobis distances (T,) of the truth and negative log likelihoods (T,) [nats].

    Normal distributions with the mean and covariance of the track. NaN where either is unknown.
    """
    square = squared_mahalanobis(walk.truth, walk.stamps_ns, track.position, track.covariance)
    known = np.isfinite(square)
    likelihood = np.full(len(square), np.nan)
    _, volume = np.linalg.slogdet(2 * np.pi * _regularized(track.covariance)[known])
    likelihood[known] = 0.5 * (square[known] + volume)
    return square, likelihood


def error_quantiles(errors_m: Array) -> dict[str, float]:
    """Mean, median and 90th percentile [m] of the finite errors (N,)."""
    known = errors_m[np.isfinite(errors_m)]
    if not len(known):
        return dict.fromkeys(('mean_m', 'median_m', 'p90_m'), float('nan'))
    median, p90 = np.quantile(known, (0.5, 0.9))
    return {'mean_m': float(known.mean()), 'median_m': float(median),
            'p90_m': float(p90)}


def coverage_90(square: Array) -> float:
    """Share of the finite squared Mahalanobis distances (N,) within the 90 % ellipse."""
    known = square[np.isfinite(square)]
    return float(inside_90(known).mean()) if len(known) else float('nan')


def interval_metrics(square: Array, likelihood: Array) -> dict[str, float]:
    """Coverage of the 90 % ellipses and mean negative log likelihood [nats]."""
    known = np.isfinite(square)
    nll = float(likelihood[known].mean()) if known.any() else float('nan')
    return {'coverage_90': coverage_90(square), 'nll': nll}


def _regularized(covariances_m2: Array | FloatArray) -> Array:
    return np.asarray(covariances_m2.astype(np.float64) + MIN_VARIANCE_M2 * np.eye(2))
