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

"""Place of one access point by its ranges at places that are known."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from utt_ros.geometry.range_model import (
    REPEATS,
    RangeSamples,
    RangeTrend,
    range_features,
)
from utt_ros.geometry.robust_errors import CAUCHY
from utt_ros.types import Array

GRID_STEP_M, GRID_MARGIN_M = 1.0, 20.0  # of places that are tried, and about walked ones
MAX_TRIED_RANGES = 300
STARTS, START_DISTANCE_M = 5, 4.0  # places that are refined, and their least distance
MIN_RIVAL_M = 3.0  # from the best place to one that may be another
MAX_RIVAL_LOSS = 9.0  # of minus twice the log likelihood, of one that may be the true one


@dataclass(frozen=True, slots=True)
class ApPlace:
    """Most likely place of an access point [m], area frame."""

    position_m: Array  # (2,)
    loss: float  # minus twice its log likelihood, up to a constant
    rival_m: Array | None  # (2,) another place that is about as likely; None without


def locate_access_point(
    samples: RangeSamples, rise_m: float, trend: RangeTrend,
) -> ApPlace:
    """Locate the access point that all the samples are ranges to; its offset is free."""
    offers = sorted((_refine(samples, start, rise_m, trend)
                     for start in _starts(samples, rise_m, trend)), key=lambda found: found[1])
    best, loss = offers[0]
    rivals = [place for place, other in offers[1:] if other - loss <= MAX_RIVAL_LOSS
              and np.linalg.norm(place - best) >= MIN_RIVAL_M]
    return ApPlace(best, loss, rivals[0] if rivals else None)


def place_loss(
    samples: RangeSamples, place_m: Array, rise_m: float, trend: RangeTrend,
) -> float:
    """Compute the loss of a place, with the offset that fits it best, as that of an ApPlace."""
    distance, features = range_features(
        samples.positions_m, samples.velocities_mps, place_m, rise_m)
    excess = samples.ranges_m - distance - features @ trend
    found = least_squares(lambda offset: (excess - offset) / samples.noise_m,
                          [np.median(excess)], loss='cauchy', f_scale=CAUCHY)
    return 2 * float(found.cost) / REPEATS


def _starts(samples: RangeSamples, rise_m: float, trend: RangeTrend) -> list[Array]:
    """Return the likeliest places of a grid that are apart from each other."""
    few = samples[np.arange(0, len(samples.ranges_m), len(samples.ranges_m)
                            // MAX_TRIED_RANGES + 1)]
    low, high = (edge(few.positions_m, axis=0) for edge in (np.min, np.max))
    axes = [np.arange(start - GRID_MARGIN_M, end + GRID_MARGIN_M, GRID_STEP_M)
            for start, end in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    losses = np.concatenate([_grid_losses(few, part, rise_m, trend)
                             for part in np.array_split(grid, len(grid) // 500 + 1)])
    starts: list[Array] = []
    for number in np.argsort(losses):
        place = grid[number]
        if all(np.linalg.norm(place - other) >= START_DISTANCE_M for other in starts):
            starts.append(place)
        if len(starts) == STARTS:
            break
    return starts


def _grid_losses(
    samples: RangeSamples, places_m: Array, rise_m: float, trend: RangeTrend,
) -> Array:
    distance, features = range_features(
        samples.positions_m, samples.velocities_mps, places_m[:, None], rise_m)
    excess = samples.ranges_m - distance - features @ trend
    deviation = (excess - np.median(excess, axis=1, keepdims=True)) / samples.noise_m
    return np.asarray(np.log1p((deviation / CAUCHY)**2).sum(1))


def _refine(
    samples: RangeSamples, start: Array, rise_m: float, trend: RangeTrend,
) -> tuple[Array, float]:
    def deviations(parameters: Array) -> Array:
        distance, features = range_features(
            samples.positions_m, samples.velocities_mps, parameters[:2], rise_m)
        excess = samples.ranges_m - distance - features @ trend
        return np.asarray((excess - parameters[2]) / samples.noise_m)

    first = float(np.median(deviations(np.array([*start, 0.0])) * samples.noise_m))
    found = least_squares(deviations, [*start, first], loss='cauchy', f_scale=CAUCHY)
    return found.x[:2], 2 * float(found.cost) / REPEATS
