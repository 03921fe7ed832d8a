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

"""Activity recognition, walking or standing, from the IMU: train on synthesized, test on real."""

from collections.abc import Sequence

import numpy as np

from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.types import Array, FloatArray, MaskArray

SPAN_TICKS = 20
MIN_WALKING_MPS = 0.6  # mean speed of a walking segment
MAX_STANDING_MPS = 0.3  # mean speed of a standing segment; between the two neither counts
SHRINKAGE = 0.1

ActivityExamples = tuple[Array, MaskArray]
"""Features (N, F) and labels (N,): whether the subject walks."""


def activity_examples(
    walk: SubjectTrajectory, imu: FloatArray, known: MaskArray,
) -> ActivityExamples:
    """Cut segments of SPAN_TICKS of imu (T, C, 9) into examples; labels are from the ground truth.

    Features: mean, logarithm of the standard deviation and of the mean change from row to row, of
    the magnitudes of acceleration and turn rate, and of each of their axes.
    """
    count = len(imu) // SPAN_TICKS
    cut = slice(0, count * SPAN_TICKS)
    rows = imu[cut, :, :6].reshape(count, -1, 6).astype(np.float64)
    complete = known[cut].reshape(count, -1).all(1) & np.isfinite(rows).all((1, 2))
    truth = walk.truth_m()[cut].reshape(count, SPAN_TICKS, 2)
    seconds = (walk.stamps_ns[cut].reshape(count, SPAN_TICKS)[:, [0, -1]] @ [-1, 1]) / 1e9
    path = np.linalg.norm(truth[:, -1] - truth[:, 0], axis=1)
    speed = path / np.maximum(seconds, 1e-3)
    walks, stands = speed >= MIN_WALKING_MPS, speed <= MAX_STANDING_MPS
    use = complete & (walks | stands)
    return _features(rows[use]), walks[use]


def concatenate_examples(parts: Sequence[ActivityExamples]) -> ActivityExamples:
    """Concatenate the examples of one or more walks."""
    features, labels = zip(*parts, strict=True)
    return np.concatenate(features), np.concatenate(labels)


def balanced_accuracy(train: ActivityExamples, test: ActivityExamples) -> float:
    """Balanced accuracy of a linear discriminant with shrinkage [S: Friedman 1989].

    The mean over both classes: 0.5 is chance. NaN without examples of both.
    """
    features, walks = train
    if not (walks.any() and (~walks).any() and test[1].any() and (~test[1]).any()):
        return float('nan')
    centre, deviation = features.mean(0), features.std(0) + 1e-6
    scaled = (features - centre) / deviation
    means = [scaled[walks == label].mean(0) for label in (False, True)]
    within = np.concatenate(
        [scaled[walks == label] - means[label] for label in (False, True)])
    covariance = within.T @ within / len(within)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(centre))
    normal = np.linalg.solve(covariance, means[1] - means[0])
    predicted = ((test[0] - centre) / deviation - (means[0] + means[1]) / 2) @ normal > 0
    return float(np.mean(
        [(predicted[test[1] == label] == label).mean() for label in (False, True)]))


def _features(rows: Array) -> Array:
    """(N, R, 6) -> (N, 24)."""
    magnitudes = np.stack([np.linalg.norm(rows[..., :3], axis=2),
                           np.linalg.norm(rows[..., 3:], axis=2)], axis=2)
    signals = np.concatenate([rows, magnitudes], axis=2)
    change = np.abs(np.diff(signals, axis=1)).mean(1)
    return np.concatenate(
        [signals.mean(1), np.log(signals.std(1) + 1e-3), np.log(change + 1e-3)], axis=1)
