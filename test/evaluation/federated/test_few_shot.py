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

"""A new area and its first windows."""

import numpy as np
import pytest

from utt_ros.evaluation.federated import few_shot
from utt_ros.evaluation.federated.few_shot import (
    ALL_WINDOWS,
    FEW_SHOT_METHODS,
    FINE_TUNED,
    TRANSFERRED,
    FewShotLearner,
    NewAreas,
)
from utt_ros.evaluation.recipes import with_fusor
from utt_ros.models.twin import initial_weights, read_weights
from utt_ros.training.offline_dataset import PAST_MODALITIES
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe


@pytest.fixture
def new(data: Recordings, recipe: Recipe) -> NewAreas:
    weights = initial_weights(recipe.model, data.window, 7, PAST_MODALITIES)
    return NewAreas(('area1',), ('area0',), weights, with_fusor(recipe, 'gating'))


def test_without_windows_the_model_of_the_others_is_used(
    data: Recordings, new: NewAreas,
) -> None:
    twins = FewShotLearner(data).learn(TRANSFERRED, new, 0, 0)
    assert list(twins) == ['area1']
    for name, values in read_weights(twins['area1']).items():
        np.testing.assert_array_equal(values, new.weights[name])


def test_the_first_windows_are_the_first_of_the_area(data: Recordings, new: NewAreas) -> None:
    learner = FewShotLearner(data)
    few, all_ = (learner.first_windows(new.recipe, 'area1', count) for count in (16, ALL_WINDOWS))
    assert len(few['imu']) == 16 < len(all_['imu'])
    np.testing.assert_array_equal(few['imu'], all_['imu'][:16])


@pytest.mark.parametrize('method', FEW_SHOT_METHODS)
def test_a_method_trains_on_the_windows_given_and_keeps_the_best_round(
    data: Recordings, new: NewAreas, monkeypatch: pytest.MonkeyPatch, method: str,
) -> None:
    monkeypatch.setitem(few_shot.FEW_SHOT_ROUNDS, method, 2)
    trained: list[tuple[str, int]] = []
    run = few_shot.run_federation

    def watched(learners, *args, **options):  # type: ignore[no-untyped-def]
        trained.extend((area, learner.window_count) for area, learner in learners.items())
        return run(learners, *args, **options)

    monkeypatch.setattr(few_shot, 'run_federation', watched)
    learner = FewShotLearner(data)
    twin = learner.learn(method, new, 16, 0)['area1']
    of_others = len(learner.first_windows(new.recipe, 'area0')['imu'])
    assert trained == [*[('area0', of_others)] * (method == TRANSFERRED), ('area1', 11)]
    weights = read_weights(twin)
    assert all(np.isfinite(values).all() for values in weights.values())
    if method == FINE_TUNED:  # no weight of a camera that the area does not have
        assert all(np.array_equal(weights[name], new.weights[name])
                   for name in weights if name.startswith('encoders.camera'))
