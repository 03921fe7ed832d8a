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

"""Particles move by the prior along the compass heading, or in a random walk."""

import numpy as np
import pytest

from utt_ros.twin.ensemble_motion import predict_ensembles
from utt_ros.twin.filter_types import MotionPrior
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_ensembles import COMPASS, VX, VY, SubjectEnsembles

SETTINGS = ParticleFilterSettings(particles=2000, max_subjects=1)
ROWS = np.array([0])
TICK_S = np.full(1, 0.1, np.float32)


@pytest.fixture
def ensembles() -> SubjectEnsembles:
    ensembles = SubjectEnsembles(SETTINGS, 1)
    ensembles.reset(0, 'ann', 0)
    ensembles.place(0, np.zeros(2), 0.01 * np.eye(2))
    return ensembles


def prior(heading: float, *, valid: bool = True) -> MotionPrior:
    return MotionPrior(
        np.full(1, heading, np.float32), np.full(1, valid), np.array([[1.2, 0.0]], np.float32),
        np.full((1, 2), 0.2, np.float32))


def move(
    ensembles: SubjectEnsembles, ticks: int, given: MotionPrior | None, *, unseen: bool = False,
) -> np.ndarray:
    for _ in range(ticks):
        predict_ensembles(ensembles, ROWS, TICK_S, given, np.full(1, unseen))
    return ensembles.moments(ROWS)[0][0]


def test_a_guided_ensemble_walks_along_the_heading(ensembles: SubjectEnsembles) -> None:
    ensembles.states[0, [VX, VY, COMPASS]] = 0.0
    mean = move(ensembles, 50, prior(np.pi / 2))
    follows_m = 1.2 * (5.0 - SETTINGS.velocity_tau)  # it begins at rest
    assert mean[1] == pytest.approx(follows_m, abs=0.4)
    assert abs(mean[0]) < 0.4


def test_a_compass_error_turns_the_walk(ensembles: SubjectEnsembles) -> None:
    ensembles.states[0, [VX, VY]] = 0.0
    ensembles.states[0, COMPASS] = 0.5
    mean = move(ensembles, 20, prior(0.0))
    assert np.arctan2(mean[1], mean[0]) == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize('given', [None, prior(0.0, valid=False)], ids=['none', 'no heading'])
def test_without_a_heading_an_ensemble_spreads_and_stays(
        given: MotionPrior | None, ensembles: SubjectEnsembles) -> None:
    mean = move(ensembles, 50, given)
    assert np.hypot(*mean[:2]) < 0.5
    spread = np.sqrt(np.diag(ensembles.moments(ROWS)[1][0]))
    assert (spread > 2.0).all()
    assert ensembles.states[0, VX].std() == pytest.approx(SETTINGS.walk_std, rel=0.1)


@pytest.mark.parametrize('unseen', [True, False])
def test_the_velocity_of_a_random_walk_is_dropped_only_by_who_was_not_seen(
        unseen: bool, ensembles: SubjectEnsembles) -> None:
    ensembles.states[0, VX] = 5.0
    mean = move(ensembles, 1, prior(np.pi / 2), unseen=unseen)
    assert (abs(mean[VX]) < 0.2) == unseen


def test_the_bias_of_ranges_returns_to_what_is_usual(ensembles: SubjectEnsembles) -> None:
    ensembles.bias_variance[0] = 0.0
    move(ensembles, 10, None)
    after_1_s = 1 - np.exp(-2 / SETTINGS.range_bias_tau)
    assert ensembles.bias_variance[0, 0] == pytest.approx(
        after_1_s * SETTINGS.range_bias_std**2, rel=0.01)
