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

from itertools import permutations

import numpy as np
import pytest

from utt_ros.association.hysteresis import AssignmentHysteresis, posteriors

S = 10**9


def hysteresis(min_probability=0.5, margin=2.0, patience_s=1.0):
    return AssignmentHysteresis(min_probability, margin, round(patience_s * S))


def held(assignment):
    return {track: phone.phone for track, phone in assignment.held.items()}


def exact(scores):
    """Posteriors by enumeration of all assignments, also those without a phone."""
    tracks, phones = scores.shape
    total, weights = 0.0, np.zeros(scores.shape)
    for columns in {columns[:tracks] for columns in permutations(
            [*range(phones), *[-1] * tracks], tracks)}:
        weight = np.exp(sum(
            scores[row, column] for row, column in enumerate(columns) if column >= 0))
        total += weight
        for row, column in enumerate(columns):
            if column >= 0:
                weights[row, column] += weight
    return weights / total


def test_posteriors_are_close_to_those_of_all_possible_assignments() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores = rng.normal(0, 3, (rng.integers(1, 4), rng.integers(1, 4)))
        assert posteriors(scores) == pytest.approx(exact(scores), abs=0.1)


def test_a_phone_that_certainly_belongs_to_another_track_is_improbable() -> None:
    probability = posteriors(np.array([[12.0, -12.0], [3.0, 0.0]]))
    assert probability[0, 0] > 0.99
    assert probability[1, 0] < 0.01


def test_huge_scores_stay_finite() -> None:
    probability = posteriors(np.full((3, 3), 1e6))
    assert np.isfinite(probability).all()
    assert (probability.sum(0) <= 1.001).all()


def test_a_track_without_a_likely_phone_gets_none() -> None:
    assignment = hysteresis()
    assignment.update(S, ['1', '2'], ['a'], np.array([[4.0], [-3.0]]))
    assert held(assignment) == {'1': 'a'}


def test_a_phone_is_assigned_from_the_minimum_probability_on() -> None:
    assignment = hysteresis(min_probability=0.9)
    assignment.update(S, ['1'], ['a'], np.array([[1.0]]))
    assert not assignment.held
    assignment.update(2 * S, ['1'], ['a'], np.array([[4.0]]))
    assert assignment.held['1'].confidence == pytest.approx(1 / (1 + np.exp(-4.0)), abs=1e-6)


RIGHT = np.array([[5.0, -1.0], [-1.0, 5.0]])


def test_assignments_do_not_change_when_others_fit_better_for_a_moment() -> None:
    assignment = hysteresis()
    for half in range(10):
        assignment.update(S + half * S // 2, ['1', '2'], ['a', 'b'],
                    RIGHT[::-1] if half == 5 else RIGHT)
        assert held(assignment) == {'1': 'a', '2': 'b'}


def test_assignments_do_not_change_when_others_fit_little_better() -> None:
    assignment = hysteresis()
    assignment.update(S, ['1', '2'], ['a', 'b'], RIGHT)
    for half in range(10):
        assignment.update(2 * S + half * S // 2, ['1', '2'], ['a', 'b'],
                    np.array([[2.0, 2.9], [2.9, 2.0]]))
    assert held(assignment) == {'1': 'a', '2': 'b'}
    assert assignment.held['1'].confidence < 0.5


def test_two_tracks_exchange_phones_together_when_that_stays_clearly_better() -> None:
    assignment = hysteresis()
    assignment.update(S, ['1', '2'], ['a', 'b'], RIGHT)
    seen = []
    for half in range(4):
        assignment.update(2 * S + half * S // 2, ['1', '2'], ['a', 'b'], RIGHT[::-1])
        seen.append(held(assignment)['1'])
    assert seen == ['a', 'a', 'b', 'b']
    assert held(assignment) == {'1': 'b', '2': 'a'}


def test_a_track_that_ended_frees_its_phone() -> None:
    assignment = hysteresis()
    assignment.update(S, ['1'], ['a'], np.array([[5.0]]))
    assignment.update(2 * S, ['2'], ['a'], np.array([[5.0]]))
    assert held(assignment) == {'2': 'a'}


def test_a_track_that_returns_still_has_its_phone() -> None:
    assignment = hysteresis()
    assignment.update(S, ['1', '2'], ['a', 'b'], RIGHT)
    assignment.update(2 * S, ['2'], ['a', 'b'], RIGHT[1:])
    assignment.update(3 * S, ['1', '2'], ['a', 'b'], np.zeros((2, 2)))
    assert held(assignment) == {'1': 'a', '2': 'b'}


def test_a_phone_without_new_samples_stays_with_its_track() -> None:
    assignment = hysteresis()
    assignment.update(S, ['1', '2'], ['a', 'b'], RIGHT)
    assignment.update(2 * S, ['1', '2'], ['b'], np.array([[9.0], [5.0]]))
    assert held(assignment) == {'1': 'a', '2': 'b'}


def test_a_released_phone_is_taken_from_its_track() -> None:
    assignment = hysteresis()
    assignment.update(S, ['1', '2'], ['a', 'b'], RIGHT)
    assignment.release(['a'])
    assert held(assignment) == {'2': 'b'}
