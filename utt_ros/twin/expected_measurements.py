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

"""Measurements that a belief expects of a sensor, and their merge with those of a network.

A network reads windows of seconds; the belief about a subject remembers as long as the subject is
there. Boxes follow from its particles by the projection of the camera, ranges by the distance and
the trend of the access point, fields of phones by the course (`twin.held_fields`). So one estimate
of a measurement is decoded, another is computed, and both have a standard deviation: they are
merged with the inverse variances as weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.twin.box_sizes import HEIGHT, WIDTH
from utt_ros.twin.ftm_model import FtmRangeModel
from utt_ros.types import Array, FloatArray

# Share of the variance of particles that counts: belief and network read the same ranges, so that
# with all of it the mean that a network falls back to would count twice [R: val split].
SHARED_INPUTS = 0.25
MIN_VISIBLE_WEIGHT = 0.02  # of particles in view, below which no box is expected
CENTRE_SPREAD, DEPTH_SPREAD = (0.01, 0.03), 0.04  # deviations, in box heights and relative [R]


@dataclass(frozen=True, slots=True)
class ExpectedMeasurement:
    """Mean and standard deviation (F,) of a measurement of one subject; NaN: not expected."""

    mean: Array
    std: Array


ExpectedMeasurements = Mapping[str, ExpectedMeasurement]
"""By subject."""


def expect_box(
    camera: CameraModel, positions: FloatArray, weights: FloatArray,
    size: tuple[Array, Array],
) -> ExpectedMeasurement | None:
    """Return the box of a subject with particles at positions (2, P) [m] of weights (P,).

    It is that of the particles in view; None where hardly any is. `size`: see `BoxSizes.ratio`.
    """
    ratio, spread = size
    boxes = camera.project(positions.T)
    boxes[:, 1] -= (ratio[1] - 1.0) * boxes[:, HEIGHT] / 2  # the feet stay on the floor
    boxes[:, WIDTH:HEIGHT + 1] *= ratio
    boxes, visible = camera.clip_boxes(boxes)
    share = np.where(visible, weights, 0.0).astype(np.float64)
    if share.sum() < MIN_VISIBLE_WEIGHT:
        return None
    share, boxes = share[visible] / share.sum(), boxes[visible]
    mean = share @ boxes
    variance = SHARED_INPUTS * (share @ (boxes - mean) ** 2)
    deviations = np.array([
        *(share_of_height * mean[HEIGHT] for share_of_height in CENTRE_SPREAD),
        DEPTH_SPREAD * mean[2], *spread * mean[WIDTH:HEIGHT + 1]])
    return ExpectedMeasurement(mean, np.sqrt(variance + deviations**2))


def expect_range(
    model: FtmRangeModel, positions: FloatArray, bias: FloatArray, bias_variance: float,
    weights: FloatArray,
) -> ExpectedMeasurement:
    """Return the range of a subject with particles at positions (2, P) with biases (P,) [m].

    `bias_variance` [m^2] is that which all particles share. The deviation of a range that a phone
    reports is not expected.
    """
    share = weights.astype(np.float64) / weights.sum(dtype=np.float64)
    x, y = positions.astype(np.float64)
    ranges = model.expected_range(x, y) + bias
    mean = float(share @ ranges)
    variance = SHARED_INPUTS * float(share @ (ranges - mean) ** 2) + bias_variance
    variance += model.noise_variance + model.trend_variance(mean)
    return ExpectedMeasurement(np.array([mean, np.nan]), np.array([np.sqrt(variance), np.nan]))


def merge_expected(
    subjects: tuple[str, ...], decoded: FloatArray, std: FloatArray,
    expected: ExpectedMeasurements,
) -> FloatArray:
    """Merge decoded rows (S, C, F) of deviations `std` (F,) with those that a belief expects."""
    unknown = np.full(decoded.shape[2], np.nan)
    known = [expected.get(name, ExpectedMeasurement(unknown, unknown)) for name in subjects]
    means, stds = (np.stack(parts)[:, None] for parts in (
        [item.mean for item in known], [item.std for item in known]))
    return merge_by_variance(decoded, std, means, stds)


def merge_by_variance(
    decoded: FloatArray, std: FloatArray, expected: Array, expected_std: Array,
) -> FloatArray:
    """Merge values (..., F) of deviations `std` (F,) with expected ones of their deviations.

    Decoded values stay where nothing is expected, or a deviation is not known (NaN).
    """
    with np.errstate(invalid='ignore'):
        weight = std**2 / (std**2 + expected_std**2)
    change = weight * (expected - decoded)
    return np.asarray(decoded + np.where(np.isfinite(change), change, 0.0), np.float32)
