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

"""Offline training on recordings."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from utt_ros.evaluation.recipes import direct
from utt_ros.models.operations import Operation
from utt_ros.models.twin import initial_weights, read_weights
from utt_ros.training.model_selection import ValidationScorer
from utt_ros.training.offline_dataset import paired_examples, unified_examples
from utt_ros.training.offline_trainer import make_trainers, offline_trainer, train_model
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe, centralised


def test_every_area_trains_on_its_own_windows(data: Recordings, recipe: Recipe) -> None:
    learners = make_trainers(data, recipe, 0)
    together = make_trainers(data, centralised(recipe), 0)
    assert list(learners) == ['area0', 'area1']
    assert learners['area1'].modalities == ('ftm', 'imu')
    assert sum(one.window_count for one in learners.values()) == together['all'].window_count


@pytest.mark.parametrize('plan', ['federated', 'centralised'])
def test_the_best_model_on_validation_is_returned(
    data: Recordings, recipe: Recipe, plan: str,
) -> None:
    trained = train_model(data, replace(recipe, plan=plan), 0)
    scorer = ValidationScorer(data, recipe)
    parts = scorer(read_weights(trained.twin))
    assert trained.score == pytest.approx(sum(parts.values()))
    assert trained.score <= min(trained.history) + 0.004  # of two parts
    assert len(trained.federation.rounds) == recipe.rounds


def test_the_gait_head_is_that_of_the_last_round(
    data: Recordings, recipe: Recipe,
) -> None:
    trained = train_model(data, recipe, 0)
    kept, last = read_weights(trained.twin), trained.federation.weights
    strides = [name for name in kept if name.startswith('stride.')]
    assert strides
    assert all(np.array_equal(kept[name], last[name]) for name in strides)


def test_training_ends_when_no_round_is_better(data: Recordings, recipe: Recipe) -> None:
    stuck = replace(recipe, learning_rate=0.0, rounds=9, patience=2)
    assert len(train_model(data, stuck, 0).history) == 3


def test_the_same_seed_gives_the_same_model(data: Recordings, recipe: Recipe) -> None:
    first, again = (read_weights(train_model(data, recipe, 3).twin) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_training_never_reads_the_test_split(data: Recordings, recipe: Recipe) -> None:
    blind = replace(data, recordings=data.of('train') + data.of('val'))
    first, again = (read_weights(train_model(part, recipe, 0).twin) for part in (data, blind))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_direct_mapping_trains_the_encoder_of_the_past_alone(
    data: Recordings, recipe: Recipe,
) -> None:
    one = direct(recipe, 'ftm')
    assert one.operations == (Operation('transfer', ('ftm_past',), ('ftm',)),)
    columns = paired_examples(data, 'train', None, 5)
    learner = offline_trainer(one, data, columns, 0)
    learner.train(1)
    assert not [name for name in learner.update() if 'encoders.ftm.' in name]
    assert [name for name in learner.update() if 'encoders.ftm_past.' in name]


@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no CUDA device')
def test_processor_and_cuda_agree_on_loss_and_step(data: Recordings, recipe: Recipe) -> None:
    columns = unified_examples(data, 'train', 'area0', 5)
    local, device_trainer = (offline_trainer(recipe, data, columns, 0) for _ in range(2))
    local.twin.to('cpu')
    for learner in (local, device_trainer):
        learner.load(initial_weights(recipe.model, data.window, 0))
    assert local.train(3) == pytest.approx(device_trainer.train(3), rel=1e-3)
    expected, actual = local.update(), device_trainer.update()
    assert expected.keys() == actual.keys()
    assert all(np.allclose(expected[name], actual[name], atol=1e-3) for name in expected)
