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

"""Beliefs keep their moments through ensembles and frames, and become unsure with age."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.map_pose import MapPose
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import (
    AreaBeliefs,
    SubjectBelief,
    age_belief,
    check_beliefs,
    draw_ensemble,
    summarize_ensemble,
    transform_belief,
)

SETTINGS = ParticleFilterSettings()
MEAN = np.array([3.0, -1.0, 1.2, 0.1, 0.2])
MOTION = np.array([0.3, 1.2, 0.0])


def belief(std: float = 0.2, **changes: Any) -> SubjectBelief:
    made = SubjectBelief(MEAN, std**2 * (np.eye(5) + 0.5), MOTION)
    return replace(made, **changes)


def test_an_ensemble_drawn_from_a_belief_has_its_moments() -> None:
    normal = np.random.default_rng(1).standard_normal((5, 200_000))
    states = draw_ensemble(belief(), normal).astype(np.float32)
    found = summarize_ensemble(states, np.full(200_000, 5e-6, np.float32), MOTION)
    np.testing.assert_allclose(found.mean, MEAN, atol=0.005)
    np.testing.assert_allclose(found.covariance, belief().covariance, atol=0.003)


def test_weights_count() -> None:
    states = np.zeros((5, 2), np.float32)
    states[0] = 0.0, 4.0
    found = summarize_ensemble(states, np.array([0.75, 0.25], np.float32), None)
    assert found.mean[0] == pytest.approx(1.0)
    assert found.covariance[0, 0] == pytest.approx(3.0, rel=1e-3)
    assert np.linalg.eigvalsh(found.covariance)[0] > 0  # also of an ensemble of two points


def test_a_belief_keeps_its_heading_error_and_turns_the_rest_into_the_map() -> None:
    pose = MapPose(10.0, 2.0, 0.0, np.pi / 2)
    found = transform_belief(belief(), pose)
    np.testing.assert_allclose(found.mean, [11.0, 5.0, -0.1, 1.2, 0.2], atol=1e-12)
    np.testing.assert_allclose(found.motion, [0.3 + np.pi / 2, 1.2, 0.0])
    back = transform_belief(found, pose.inverse())
    np.testing.assert_allclose(back.mean, MEAN, atol=1e-12)
    np.testing.assert_allclose(back.covariance, belief().covariance, atol=1e-12)
    np.testing.assert_allclose(back.motion, MOTION, atol=1e-12)


@pytest.mark.parametrize('age_s', [2.0, -2.0], ids=['older', 'newer'])
def test_a_belief_moves_on_and_becomes_unsure(age_s: float) -> None:
    found = age_belief(belief(), age_s, SETTINGS)
    np.testing.assert_allclose(found.mean[:4], [
        3 + 1.2 * age_s, -1 + 0.1 * age_s, 1.2, 0.1])
    assert 0 < found.mean[4] < MEAN[4]  # a compass error is forgotten
    assert (np.diag(found.covariance) > np.diag(belief().covariance)).all()
    assert found.covariance[0, 0] > 4.0
    assert found.covariance[4, 4] < SETTINGS.heading_std**2


def test_a_belief_of_now_is_as_it_was() -> None:
    found = age_belief(belief(), 0.0, SETTINGS)
    np.testing.assert_array_equal(found.covariance, belief().covariance)


def with_number(name: str, place: Any, number: float) -> SubjectBelief:
    values = getattr(belief(), name).copy()
    values[place] = number
    return belief(**{name: values})


@pytest.mark.parametrize(('given', 'words'), [
    (with_number('mean', 0, np.nan), 'within'), (with_number('mean', 1, 2e5), 'within'),
    (with_number('mean', 2, 40.0), 'within'), (with_number('mean', 4, np.inf), 'within'),
    (with_number('covariance', (0, 0), np.nan), 'variances'),
    (with_number('covariance', (4, 4), 1e3), 'variances'),
    (with_number('covariance', (0, 0), -1.0), 'positive definite'),
    (with_number('covariance', (0, 1), 0.5), 'positive definite'),
    (belief(covariance=np.zeros((5, 5))), 'positive definite'),
    (with_number('motion', 1, 99.0), 'motion'), (with_number('motion', 0, np.nan), 'motion')])
def test_a_belief_that_nobody_can_have_is_refused(given: SubjectBelief, words: str) -> None:
    check_beliefs(AreaBeliefs('hall', 7, {'ann': belief()}))
    with pytest.raises(MeasurementError, match=words):
        check_beliefs(AreaBeliefs('hall', 7, {'ann': belief(), 'bob': given}))


@pytest.mark.parametrize(('area', 'stamp_ns', 'subject', 'words'), [
    ('no area', 7, 'ann', 'area'), ('hall', 0, 'ann', 'stamp'), ('hall', 2**63, 'ann', 'stamp'),
    ('hall', 7, 'a b', 'subject')])
def test_names_and_stamps_that_are_none_are_refused(
    area: str, stamp_ns: int, subject: str, words: str,
) -> None:
    with pytest.raises(MeasurementError, match=words):
        check_beliefs(AreaBeliefs(area, stamp_ns, {subject: belief()}))


def test_an_area_with_more_subjects_than_it_can_serve_is_refused() -> None:
    crowd = {f's{number}': belief() for number in range(1001)}
    with pytest.raises(MeasurementError, match='1001 subjects: at most 1000'):
        check_beliefs(AreaBeliefs('hall', 7, crowd))
