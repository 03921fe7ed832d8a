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

"""Poisoning attacks: the changes of hostile areas."""

from collections.abc import Mapping

import numpy as np
import pytest

from utt_ros.evaluation.federated.poisoning import (
    ATTACKS,
    MAX_NORM,
    HostileLearner,
    shuffle_modalities,
)
from utt_ros.federation.settings import AggregatorSettings

BEGIN = {'a': np.full((4, 4), 2.0, np.float32), 'b': np.zeros(8, np.float32)}
TARGET = {'a': np.full((4, 4), 9.0, np.float32), 'b': np.ones(8, np.float32)}


class Step:
    """Learner of one area that adds 0.1 to the weights that it has."""

    modalities = ('ftm',)
    window_count = 50

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        self.weights = {name: item + np.float32(0.1) for name, item in weights.items()}

    def train(self, steps: int) -> float:
        return 0.0

    def update(self) -> dict[str, np.ndarray]:
        return self.weights


def attacked(name: str) -> tuple[HostileLearner, dict[str, np.ndarray]]:
    learner = HostileLearner(Step(), ATTACKS[name], TARGET, 0)
    learner.load(BEGIN)
    learner.train(1)
    return learner, {name: item - BEGIN[name] for name, item in learner.update().items()}


def norm(change: dict[str, np.ndarray]) -> float:
    return float(np.sqrt(sum((item**2).sum() for item in change.values())))


@pytest.mark.parametrize('name', [name for name in ATTACKS if name != 'nan'])
def test_a_hostile_change_is_within_the_norm_that_validation_accepts(name: str) -> None:
    _, change = attacked(name)
    assert 0.0 < norm(change) <= MAX_NORM * 1.0001 < AggregatorSettings().max_change


def test_signs_are_flipped_and_windows_inflated() -> None:
    learner, change = attacked('inflated')
    np.testing.assert_allclose(change['b'], -0.5, atol=1e-6)
    assert learner.window_count == AggregatorSettings().max_windows
    assert attacked('sign_flip')[0].window_count == Step.window_count


def test_fti_goes_ten_times_as_far_as_its_target() -> None:
    _, change = attacked('fti')
    np.testing.assert_allclose(change['b'] / change['a'][0, 0], 1.0 / 7.0, rtol=1e-5)


@pytest.mark.parametrize('name', ['quiet_sign_flip', 'quiet_noise', 'quiet_fti'])
def test_a_quiet_attack_has_the_norm_of_the_honest_change(name: str) -> None:
    assert norm(attacked(name)[1]) == pytest.approx(0.1 * np.sqrt(24), rel=1e-4)


def test_nan_is_in_one_tensor() -> None:
    _, change = attacked('nan')
    assert np.isnan(change['a']).all()
    assert np.isfinite(change['b']).all()


def test_shuffled_windows_keep_each_modality_with_its_mask() -> None:
    columns = {name: np.arange(20.0)[:, None] * np.ones((20, 3)) for name in (
        'camera', 'ftm', 'imu', 'camera_mask', 'ftm_mask', 'imu_mask', 'other')}
    shuffled = shuffle_modalities(columns, np.random.default_rng(0))
    for name in ('camera', 'ftm', 'imu'):
        np.testing.assert_array_equal(shuffled[name], shuffled[f'{name}_mask'])
        assert sorted(shuffled[name][:, 0]) == sorted(columns[name][:, 0])
    assert (shuffled['camera'] != shuffled['ftm']).any()
    np.testing.assert_array_equal(shuffled['other'], columns['other'])
