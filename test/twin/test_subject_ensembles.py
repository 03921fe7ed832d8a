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

"""Ensembles begin about a box, a ring or a belief, and keep to their rows."""

import numpy as np
import pytest

from utt_ros.settings import AreaSettings
from utt_ros.twin.ftm_model import FtmRangeModel
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import SubjectBelief
from utt_ros.twin.subject_ensembles import COMPASS, FURTHER_BIAS, VX, VY, SubjectEnsembles

SETTINGS = ParticleFilterSettings(particles=2000, max_subjects=3)
ROWS, NAMES = np.arange(3), ('ann', 'bob', 'eve')


@pytest.fixture
def ensembles() -> SubjectEnsembles:
    ensembles = SubjectEnsembles(SETTINGS, 2)
    for row, name in enumerate(NAMES):
        ensembles.reset(row, name, 0)
    return ensembles


def test_an_ensemble_begins_about_a_position(ensembles: SubjectEnsembles) -> None:
    covariance = np.array([[0.5, 0.2], [0.2, 0.3]])
    ensembles.place(1, np.array([4.0, -2.0]), covariance)
    assert ensembles.known.tolist() == [False, True, False]
    mean, found = ensembles.moments(np.array([1]))
    np.testing.assert_allclose(mean[0, :2], [4.0, -2.0], atol=0.1)
    np.testing.assert_allclose(found[0], covariance, atol=0.05)
    assert ensembles.states[1, [VX, VY]].std() == pytest.approx(SETTINGS.walk_std, rel=0.1)
    assert not ensembles.states[[0, 2]].any()


def test_a_first_range_is_a_ring_about_its_access_point(ensembles: SubjectEnsembles) -> None:
    model = FtmRangeModel(AreaSettings(area='hall', ap_position=(3.0, 1.0, 2.5)), SETTINGS)
    ensembles.place_on_ring(0, 1, model, 8.0)
    offset = ensembles.states[0, :2] - model.position[:, None]
    radius = np.hypot(*offset)
    assert np.median(radius) == pytest.approx(model.floor_distance(np.array(8.0)), abs=0.2)
    assert np.hypot(*(offset / radius).mean(1)) < 0.02, 'it has no bearing'
    assert ensembles.states[0, FURTHER_BIAS].std() == pytest.approx(
        SETTINGS.range_bias_std, rel=0.1)
    assert ensembles.bias_variance[0].tolist() == pytest.approx([SETTINGS.range_bias_std**2, 0.25])


def test_a_belief_comes_back_as_it_was_placed(ensembles: SubjectEnsembles) -> None:
    belief = SubjectBelief(
        np.array([5.0, 2.0, 1.0, -0.5, 0.3]), np.diag([0.2, 0.3, 0.1, 0.1, 0.02]),
        np.array([0.7, 1.2, 0.1]))
    ensembles.contradictions[2] = 1
    ensembles.place_belief(2, belief)
    found = ensembles.belief(2)
    np.testing.assert_allclose(found.mean, belief.mean, atol=0.05)
    np.testing.assert_allclose(found.covariance, belief.covariance, atol=0.03)
    np.testing.assert_allclose(found.motion, belief.motion, rtol=1e-6)
    assert ensembles.contradictions[2] == 0
    ensembles.reset(2, 'kim', 0)
    assert ensembles.belief(2).motion is None
    assert not ensembles.known[2]


def test_only_depleted_ensembles_are_resampled(ensembles: SubjectEnsembles) -> None:
    for row in ROWS:
        ensembles.place(row, np.zeros(2), np.eye(2))
    before = ensembles.states.copy()
    likelihood = np.ones((3, SETTINGS.particles), np.float32)
    likelihood[1] = ensembles.states[1, 0] > 1.0
    ensembles.multiply_weights(ROWS, likelihood)
    np.testing.assert_allclose(ensembles.weights.sum(1), 1.0, rtol=1e-5)
    ensembles.resample_depleted(ROWS)
    assert (ensembles.states[1, 0] > 1.0).all()
    np.testing.assert_array_equal(ensembles.states[[0, 2]], before[[0, 2]])
    np.testing.assert_allclose(ensembles.weights, 1 / SETTINGS.particles, rtol=1e-5)


def test_numbers_depend_on_the_name_and_not_on_the_row(ensembles: SubjectEnsembles) -> None:
    other = SubjectEnsembles(SETTINGS, 2)
    other.reset(0, 'eve', 0)
    np.testing.assert_array_equal(
        other.take_noise(np.array([0])), ensembles.take_noise(np.array([2])))
    other.reset(0, 'eve', 1)
    ensembles.place(2, np.zeros(2), np.eye(2))
    other.place(0, np.zeros(2), np.eye(2))
    assert (other.states[0, COMPASS] != ensembles.states[2, COMPASS]).any()


def test_noise_that_is_drawn_early_is_that_of_the_next_tick(ensembles: SubjectEnsembles) -> None:
    other = SubjectEnsembles(SETTINGS, 2)
    for row, name in zip(ROWS, NAMES, strict=True):
        other.reset(row, name, 0)
    for rows in (ROWS, ROWS[:1], ROWS):
        np.testing.assert_array_equal(other.take_noise(rows), ensembles.take_noise(rows))
        ensembles.draw_noise(ROWS)
        ensembles.draw_noise(ROWS[1:])  # once is enough
    ensembles.reset(0, 'eve', 7)  # which another subject does not inherit
    other.reset(0, 'eve', 7)
    np.testing.assert_array_equal(other.take_noise(ROWS), ensembles.take_noise(ROWS))
