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

import numpy as np
import pytest

from utt_ros.twin.ensemble import (
    effective_sample_size,
    ensemble_mean,
    ensrf_update,
    mean_directions,
    position_covariance,
    systematic_resample,
)


def ensemble(rng, subjects=3, particles=500):
    mixing = rng.normal(0, 1, (subjects, 5, 5))
    states = mixing @ rng.standard_normal((subjects, 5, particles))
    weights = rng.random((subjects, particles))
    return states.astype(np.float32), (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def moments(states, weights):
    mean = np.average(states, axis=1, weights=weights)
    return mean, np.cov(states, aweights=weights, ddof=0)


def test_moments_are_those_of_numpy(rng):
    states, weights = ensemble(rng)
    mean = ensemble_mean(states, weights)
    covariance = position_covariance(states, weights, mean)
    for row in range(3):
        expected_mean, expected = moments(states[row], weights[row])
        np.testing.assert_allclose(mean[row], expected_mean, atol=1e-4)
        np.testing.assert_allclose(covariance[row], expected[:2, :2], rtol=1e-3, atol=1e-4)


def test_mean_directions_are_long_where_particles_agree():
    velocities = np.array([[[2.0, 0.5], [0.0, 0.0]], [[1.0, -1.0], [1.0, -1.0]]], np.float32)
    first, second = mean_directions(velocities, np.full((2, 2), 0.5, np.float32))
    assert first == pytest.approx([1.0, 0.0])
    assert second == pytest.approx([1.0, 1.0j])


def test_the_update_gives_mean_and_covariance_of_a_kalman_filter(rng):
    states, weights = ensemble(rng)
    measured = rng.normal(0, 2, (3, 2))
    root = rng.normal(0, 1, (3, 2, 2))
    noise = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(2)
    moved, distance = ensrf_update(states, weights, measured, noise)
    for row in range(3):
        mean, covariance = moments(states[row], weights[row])
        innovation = measured[row] - mean[:2]
        total = covariance[:2, :2] + noise[row]
        gain = covariance[:, :2] @ np.linalg.inv(total)
        found_mean, found = moments(moved[row], weights[row])
        np.testing.assert_allclose(found_mean, mean + gain @ innovation, atol=2e-3)
        np.testing.assert_allclose(found, covariance - gain @ covariance[:2], atol=5e-3)
        assert distance[row] == pytest.approx(
            innovation @ np.linalg.inv(total) @ innovation, rel=1e-3)


def test_an_accurate_measurement_of_a_wide_ensemble_does_not_degenerate(rng):
    states, weights = ensemble(rng)
    states *= 100
    moved, _ = ensrf_update(states, weights, np.ones((3, 2)), np.tile(1e-4 * np.eye(2), (3, 1, 1)))
    np.testing.assert_allclose(ensemble_mean(moved, weights)[:, :2], 1.0, atol=0.01)
    assert (moved.std(2) > 0).all()


def test_an_ensemble_without_variance_stays(rng):
    states, weights = np.ones((1, 4, 10), np.float32), np.full((1, 10), 0.1, np.float32)
    moved, _ = ensrf_update(states, weights, np.zeros((1, 2)), np.eye(2)[None])
    np.testing.assert_allclose(moved, 1.0)


def test_one_particle_with_all_weight_has_an_effective_size_of_one():
    weights = np.array([[1, 0, 0, 0], [0.25] * 4], np.float32)
    np.testing.assert_allclose(effective_sample_size(weights), [1, 4])


def test_resampling_copies_each_particle_by_its_weight():
    states = np.arange(4, dtype=np.float32).reshape(1, 1, 4)
    weights = np.array([[0.5, 0.25, 0.0, 0.25]], np.float32)
    assert systematic_resample(states, weights, np.array([0.5])).ravel().tolist() == [0, 0, 1, 3]


@pytest.mark.parametrize('offset', [0.0, 1e-9, 0.5, np.nextafter(1, 0)])
def test_resampling_keeps_the_number_of_particles_and_never_takes_one_without_weight(rng, offset):
    states = np.tile(np.arange(600, dtype=np.float32), (5, 2, 1))
    weights = rng.random((5, 600)).astype(np.float32) ** 8
    weights[:, ::7] = 0
    weights /= weights.sum(1, keepdims=True)
    chosen = systematic_resample(states, weights, np.full(5, offset))
    assert chosen.shape == states.shape
    assert (np.take_along_axis(weights, chosen[:, 0].astype(int), 1)[:, :-1] > 0).all()
    expected = (weights * states[:, 0]).sum(1)
    np.testing.assert_allclose(chosen[:, 0].mean(1), expected, atol=1.0)
