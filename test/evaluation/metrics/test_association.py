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

from utt_ros.association.candidates import Candidates
from utt_ros.evaluation.association.encounters import Encounter
from utt_ros.evaluation.metrics.association import (
    EncounterSet,
    IdpScore,
    heading_biases,
    mean_idp,
    memoize,
    score_assignments,
)
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings

AREA = AreaSettings()


def encounter(ticks=40, heading_offset=0.0):
    """One person walks ahead, one to the left; phones are in the order of tracks."""
    seconds = np.arange(ticks) * 0.1
    paths = np.stack([
        np.stack([4.0 + 1.2 * seconds, np.full(ticks, -1.0)], -1),
        np.stack([np.full(ticks, 9.0), -3.0 + 1.2 * seconds], -1)])
    imu = np.zeros((2, ticks * 5, 9), np.float32)
    imu[..., 2], imu[..., 8] = 9.81, -4e-5
    headings = np.array([[0.0], [np.pi / 2]]) + heading_offset
    imu[..., 6], imu[..., 7] = -2e-5 * np.cos(headings), 2e-5 * np.sin(headings)
    candidates = Candidates(
        10**18, 0.1, ('1', '2'), ('a', 'b'), CameraModel(AREA).project(paths).astype(np.float32),
        np.ones((2, ticks), bool), np.ones((2, ticks, 2), np.float32), np.ones((2, ticks), bool),
        imu, np.ones((2, ticks * 5), bool))
    return Encounter(AREA, 'area/walk', candidates, np.array([0, 1]))


def test_idp_is_the_share_of_tracks_of_the_age_with_the_correct_phone() -> None:
    encounters = tuple(encounter(ticks) for ticks in (10, 20, 30, 40, 50, 60))

    def swapped_when_young(item):
        cost = np.ones((2, 2))
        cost[[0, 1], item.owners] = 0.0
        return cost if item.candidates.ages_s.min() > 3.0 else 1.0 - cost
    scores = score_assignments(
        [EncounterSet('all', encounters), EncounterSet('old', encounters, (3.5, 99.0))],
        swapped_when_young)
    assert scores['old'] == IdpScore(6, 6)
    assert scores['all'] == IdpScore(6, 12)
    assert mean_idp(scores) == pytest.approx(0.75)


def test_the_mean_leaves_out_sets_without_tracks() -> None:
    assert mean_idp({'a': IdpScore(1, 2), 'b': IdpScore(0, 0)}) == 0.5
    assert np.isnan(mean_idp({'b': IdpScore(0, 0)}))


def test_a_memoized_function_is_computed_once_per_encounter() -> None:
    calls, encounters = [], [encounter(), encounter()]
    memoized = memoize(lambda item: calls.append(item) or len(calls))
    assert [memoized(item) for item in (*encounters, *encounters)] == [1, 2, 1, 2]


def test_heading_biases_are_the_mean_offsets_of_the_phones() -> None:
    assert heading_biases([encounter(heading_offset=0.3)])[AREA.area] == pytest.approx(
        0.3, abs=0.05)
