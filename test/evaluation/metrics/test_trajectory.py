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

"""Predicted paths, by numbers computed by hand."""

import numpy as np
import pytest

from utt_ros.evaluation.metrics.trajectory import (
    best_of_samples,
    extrapolate,
    horizons,
    path_deviations,
)
from utt_ros.settings import WindowSettings


def test_horizons_count_ticks() -> None:
    assert horizons(WindowSettings().period) == {'1s': 10, '3s': 30, '5s': 50}


def test_path_is_extrapolated_at_its_mean_velocity() -> None:
    displacements = np.array([[[0.1, 0.0], [0.2, 0.2]]], np.float32)
    assert extrapolate(displacements, 4)[0].tolist() == pytest.approx(
        np.array([[0.1, 0.0], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]]))
    assert extrapolate(displacements, 1).shape == (1, 1, 2)


def test_sample_with_the_deviation_of_the_truth_is_found() -> None:
    start = np.zeros((1, 2))
    predicted = np.array([[[0.0, 1.0], [0.0, 2.0]]])  # goes to the left
    true = np.array([[[-0.1, 1.0], [-0.4, 2.0]]])
    bank = path_deviations(start, predicted, true)
    assert bank[0] == pytest.approx(np.array([[0.0, 0.1], [0.0, 0.4]]))  # along, across
    assert best_of_samples(start, predicted, true, bank, 0) == pytest.approx(np.zeros((1, 2)))
    turned = np.array([[[1.0, 0.0], [2.0, 0.0]]])  # the same to the front
    also = np.array([[[1.0, 0.1], [2.0, 0.4]]])
    assert best_of_samples(start, turned, also, bank, 0) == pytest.approx(np.zeros((1, 2)))


def test_samples_never_make_the_best_worse() -> None:
    rng = np.random.default_rng(1)
    predicted, true = rng.normal(size=(2, 8, 5, 2))
    plain = np.linalg.norm(predicted - true, axis=2).mean(1)
    bank = rng.normal(size=(6, 5, 2))
    best = best_of_samples(np.zeros((8, 2)), predicted, true, bank, 0).mean(1)
    assert (best <= plain + 1e-12).all()
    without = best_of_samples(np.zeros((8, 2)), predicted, true, np.zeros((0, 5, 2)), 0)
    assert without.mean(1) == pytest.approx(plain)
