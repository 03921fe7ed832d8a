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

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.association.assignment import UNASSIGNED
from utt_ros.association.candidates import Candidates
from utt_ros.cli.main import main
from utt_ros.errors import SessionError
from utt_ros.evaluation.association.encounters import Encounter
from utt_ros.evaluation.association.live_replay import read_recordings
from utt_ros.evaluation.association.scorer_training import (
    drop_phone,
    drop_sensors,
    fit_scorers_file,
    shorten_tracks,
    train_scorer,
)
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import AreaSettings, WindowSettings


def informative_pairs(count, rng):
    """Three features per pair: the second identifies the owner, the third is never known."""
    pairs = []
    for _ in range(count):
        owners = rng.permutation(4)[:2]
        features = rng.standard_normal((2, 4, 3)).astype(np.float32)
        features[..., 1] += 5.0
        features[[0, 1], owners, 1] -= 5.0
        features[..., 2] = np.nan
        pairs.append((features, owners))
    return pairs


def test_the_scorer_learns_which_feature_is_informative() -> None:
    rng = np.random.default_rng(0)
    scorer = train_scorer(informative_pairs(200, rng), informative_pairs(50, rng), seed=0)
    correct = [np.array_equal(scorer(features).argmax(1), owners)
               for features, owners in informative_pairs(100, rng)]
    assert np.mean(correct) > 0.9


def test_the_score_of_unknown_features_is_finite() -> None:
    rng = np.random.default_rng(0)
    scorer = train_scorer(informative_pairs(20, rng), informative_pairs(5, rng), seed=0)
    assert np.isfinite(scorer(np.full((1, 3), np.nan, np.float32))).all()


def test_the_scorer_learns_that_some_tracks_have_no_phone() -> None:
    rng = np.random.default_rng(0)

    def pairs(count):
        made = []
        for _ in range(count):
            owner = int(rng.integers(-1, 3))
            features = rng.normal(3.0, 0.3, (1, 3, 1)).astype(np.float32)
            if owner != UNASSIGNED:
                features[0, owner] = 0.0
            made.append((features, np.array([owner])))
        return made
    scorer = train_scorer(pairs(200), pairs(50), seed=0)
    for features, owners in pairs(50):
        scores = scorer(features)[0]
        assert (scores > 0.0).any() == (owners[0] != UNASSIGNED)
        assert owners[0] == UNASSIGNED or scores.argmax() == owners[0]
    assert replace(scorer, level=9.0)(features).min() > scorer(features).min()


@pytest.fixture
def encounter():
    candidates = Candidates(
        10**9, 0.1, ('1', '2'), ('a', 'b', 'c'), np.ones((2, 60, 5), np.float32),
        np.ones((2, 60), bool), np.ones((3, 60, 2), np.float32), np.ones((3, 60), bool),
        np.ones((3, 300, 9), np.float32), np.ones((3, 300), bool))
    return Encounter(AreaSettings(), 'walk', candidates, np.array([2, 0]))


def augmented(change, encounter):
    return [change(encounter, np.random.default_rng(seed)) for seed in range(60)]


def test_a_dropped_phone_leaves_its_track_without_one(encounter) -> None:
    changed = [each for each in augmented(drop_phone, encounter) if UNASSIGNED in each.owners]
    assert 10 < len(changed) < 40
    for each in changed:
        assert len(each.candidates.phones) == each.candidates.ftm.shape[0] == 2
        for owner, phone in zip(each.owners, ('c', 'a'), strict=True):
            assert owner == UNASSIGNED or each.candidates.phones[owner] == phone
            assert phone in each.candidates.phones or owner == UNASSIGNED


def test_half_of_the_encounters_have_young_tracks(encounter) -> None:
    ages = [each.candidates.boxes_mask[0].sum() for each in augmented(shorten_tracks, encounter)]
    assert 15 < sum(age < 40 for age in ages) < 45
    assert min(ages) < 12


def test_some_encounters_have_a_phone_without_ftm_or_imu(encounter) -> None:
    changed = augmented(drop_sensors, encounter)
    assert any(not each.candidates.ftm_mask.any(1).all() for each in changed)
    assert any(not each.candidates.imu_mask.any(1).all() for each in changed)
    assert encounter.candidates.ftm_mask.all()


def test_one_val_sequence_is_too_few_to_fit_on(tmp_path: Path) -> None:
    assert main(['simulate', '--out', str(tmp_path / 'sessions'), '--areas', '1',
                 '--minutes', '0.7']) == 0
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), WindowSettings())
    save_model(tmp_path / 'model.safetensors', twin, 'nothing', {}, {})
    data = read_recordings(tmp_path / 'sessions', None)
    assert len(data.of('val')) == 1
    with pytest.raises(SessionError, match='fewer than two sequences'):
        fit_scorers_file(data, tmp_path / 'model.safetensors', tmp_path / 'own.json', 0)
