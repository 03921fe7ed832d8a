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

"""Ridge regression between windows."""

import numpy as np
import pytest

from utt_ros.evaluation.baselines.ridge import complete_rows, fit_ridge, time_basis
from utt_ros.settings import WindowSettings
from utt_ros.training.columns import Columns

WINDOW = WindowSettings()


def walkers(count: int, seed: int, noise: float = 0.0) -> Columns:
    """People who walk straight: ranges, and boxes whose depth is the range minus 1 m."""
    random = np.random.default_rng(seed)
    time = np.linspace(-1.0, 1.0, WINDOW.ticks)
    start, speed = random.uniform(4.0, 12.0, (count, 1)), random.uniform(-2.0, 2.0, (count, 1))
    ranges = start + speed * time
    ftm = np.stack([ranges, np.full_like(ranges, 0.5)], axis=2)
    camera = np.zeros((count, WINDOW.ticks, 5))
    camera[..., 2] = ranges - 1.0 + noise * random.standard_normal(ranges.shape)
    mask = np.ones((count, WINDOW.ticks), bool)
    return {'ftm': ftm.astype(np.float32), 'ftm_mask': mask,
            'camera': camera.astype(np.float32), 'camera_mask': mask.copy()}


def test_a_linear_relation_is_found() -> None:
    ridge = fit_ridge(walkers(200, 0), walkers(50, 1), ('ftm',), 'camera', WINDOW)
    new = walkers(20, 2)
    assert ridge.predict(new)[..., 2] == pytest.approx(new['camera'][..., 2], abs=0.01)


def test_rows_that_were_not_measured_do_not_count() -> None:
    train = walkers(200, 0)
    train['camera_mask'][:, ::2] = False
    train['camera'][:, ::2] = 1e6
    ridge = fit_ridge(train, walkers(50, 1), ('ftm',), 'camera', WINDOW)
    new = walkers(20, 2)
    assert ridge.predict(new)[..., 2] == pytest.approx(new['camera'][..., 2], abs=0.01)


def test_noise_that_no_source_has_is_answered_by_the_mean() -> None:
    train, val, new = (walkers(100, seed) for seed in range(3))
    for columns in (train, val):
        columns['camera'][..., 0] = np.random.default_rng(4).standard_normal(
            columns['camera'].shape[:2])
    predicted = fit_ridge(train, val, ('ftm',), 'camera', WINDOW).predict(new)[..., 0]
    assert np.abs(predicted).max() < 0.3


def test_only_windows_with_every_modality_are_complete() -> None:
    columns = walkers(3, 0)
    columns['ftm_mask'][1] = False
    columns['camera_mask'][2, 1:] = False
    assert complete_rows(columns, ('ftm', 'camera')).tolist() == [0, 2]


def test_polynomials_of_time_are_orthogonal() -> None:
    basis = time_basis(1000)
    assert basis.T @ basis / 1000 == pytest.approx(np.eye(3), abs=0.01)
