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

"""Ranges of walks to access points, for tests of surveys."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from utt_ros.geometry.range_model import RangeSamples
from utt_ros.types import Array

RISE_M = 1.3


@pytest.fixture
def ranged_walks() -> Callable[..., RangeSamples]:
    """Return the function that makes walks."""
    return make_ranged_walks


def make_ranged_walks(
    rng: np.random.Generator, places_m: Array, offsets_m: Sequence[float],
    phones_m: Sequence[float] = (0.0,), *, seconds: float = 120.0, noise_m: float = 0.6,
    across: bool = True,
) -> RangeSamples:
    """Walks of each phone between random places, ranged at 3 Hz, in turn by each access point.

    Errors last for 2 s. `across`: else all places are on one line.
    """
    parts = []
    for phone, phone_m in enumerate(phones_m):
        times = np.arange(0, seconds, 1 / 3)
        marks = np.arange(0, seconds + 8, 8.0)
        spots = np.stack([rng.uniform(2, 14, len(marks)),
                          rng.uniform(-6, 6, len(marks)) * across], axis=1)
        walk = np.stack([np.interp(times, marks, axis) for axis in spots.T], axis=1)
        velocity = np.gradient(walk, times, axis=0)
        for number, (place, offset) in enumerate(zip(places_m, offsets_m, strict=True)):
            distance = np.hypot(np.linalg.norm(walk - place, axis=1), RISE_M)
            errors = np.repeat(rng.normal(0, noise_m, len(times) // 6 + 1), 6)[:len(times)]
            ranges = 1.15 * distance - 0.9 + offset + phone_m + errors
            ranges[rng.random(len(times)) < 0.02] += 8.0
            count = len(times)
            parts.append((ranges, np.full(count, number), np.full(count, phone), walk, velocity,
                          times, np.full(count, phone)))
    return RangeSamples(
        *(np.concatenate(column) for column in zip(*parts, strict=True)),  # type: ignore[arg-type]
        tuple(f'ap{number}' for number in range(len(places_m))),
        tuple(f'phone{number}' for number in range(len(phones_m))))
