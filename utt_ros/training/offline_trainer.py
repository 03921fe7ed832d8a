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

"""Offline training on recordings: federated or centralised, best model by validation.

Both run Algorithm 1 (`simulated_rounds`) with the trainer of the live client; all data in one
place is a federation of one area.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

import torch

from utt_ros.errors import SessionError
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.models.twin import UnifiedTwin, initial_weights, load_weights
from utt_ros.training.columns import Columns
from utt_ros.training.model_selection import (
    ModelSelection,
    TrainingProgress,
    ValidationScorer,
    model_examples,
)
from utt_ros.training.offline_dataset import PAST_MIRRORS, PAST_MODALITIES, TRAIN_STRIDE
from utt_ros.training.recordings import Recordings
from utt_ros.training.replay_buffer import ReplayMemory
from utt_ros.training.settings import LearningSettings
from utt_ros.training.simulated_rounds import FederationPlan, FederationResult, run_federation
from utt_ros.training.trainer import LocalTrainer, trainable_heads
from utt_ros.training.training_recipe import CENTRAL_BATCH, Recipe


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The best model on validation."""

    twin: UnifiedTwin
    score: float
    best_round: int  # number of rounds that led to it
    history: tuple[float, ...]  # score after each round
    federation: FederationResult
    windows: int  # training windows of all areas


def device() -> str:
    """Return the device that models are trained on: CUDA where there is one."""
    return 'cuda' if torch.cuda.is_available() else 'cpu'


def offline_trainer(
    recipe: Recipe, data: Recordings, columns: Columns, seed: int,
) -> LocalTrainer:
    """Return the trainer of recorded examples, of any modalities and of their past.

    None of its windows is held out: the splits of recordings are by whole sequences.
    """
    learning = LearningSettings(
        terms=recipe.terms, batch=recipe.batch, learning_rate=recipe.learning_rate,
        capacity=len(next(iter(columns.values()))), corruption=recipe.corruption, seed=seed)
    memory = ReplayMemory(learning)
    memory.training.add(columns)
    twin = UnifiedTwin(recipe.model, data.window, PAST_MODALITIES).to(device())
    return LocalTrainer(
        twin, memory, learning,
        modalities=[name for name in recipe.model.modalities if columns[f'{name}_mask'].any()],
        heads=trainable_heads(recipe.terms, recipe.model.modalities),
        wanted=recipe.wanted, mirrors=PAST_MIRRORS)


def train_model(
    data: Recordings, recipe: Recipe, seed: int,
    watch: Callable[[TrainingProgress], None] | None = None,
) -> TrainedModel:
    """Train on the train split and select the best model on the val split; no other is read.

    Raises SessionError when no sequence is long enough.
    """
    trainers = make_trainers(data, recipe, seed)
    scorer = ValidationScorer(data, recipe)
    weights = initial_weights(recipe.model, data.window, seed, PAST_MODALITIES)
    selection = ModelSelection(recipe, trainers, scorer, watch)
    clock = perf_counter if device() == 'cuda' else process_time
    result = run_federation(
        trainers, weights, _plan(data, recipe, seed), stop=selection, clock=clock)
    load_weights(scorer.twin, selection.best)
    return TrainedModel(
        scorer.twin, selection.score, selection.best_round, tuple(selection.history), result,
        sum(trainer.window_count for trainer in trainers.values()))


def make_trainers(data: Recordings, recipe: Recipe, seed: int) -> dict[str, LocalTrainer]:
    """Return one trainer per area, or one for all; areas without training windows are left out."""
    areas = list(data.areas) if recipe.plan == 'federated' else [None]
    trainers = {}
    for number, area in enumerate(areas):
        try:
            columns = model_examples(data, recipe.model, 'train', area, TRAIN_STRIDE)
        except SessionError:
            continue
        trainers[area or 'all'] = offline_trainer(recipe, data, columns, 1000 * seed + number)
    if not trainers:
        raise SessionError('no train sequence is long enough for a window')
    return trainers


def _plan(data: Recordings, recipe: Recipe, seed: int) -> FederationPlan:
    """Return the plan; centralised, a round has as many windows as in all areas together."""
    steps = recipe.local_steps
    if recipe.plan == 'centralised':
        steps = max(1, steps * len(data.areas) // CENTRAL_BATCH)
    return FederationPlan(
        rounds=recipe.rounds, local_steps=steps, seed=seed,
        aggregator=AggregatorSettings(
            server=recipe.server, server_rate=recipe.server_rate, weighting=recipe.weighting,
            screening=False))


def training_summary(trained: TrainedModel, recipe: Recipe, seed: int) -> dict[str, Any]:
    """Return the description of a training for the model card."""
    rounds = trained.federation.rounds
    return {
        'plan': recipe.plan, 'fusor': recipe.model.fusor, 'terms': list(recipe.terms),
        'seed': seed, 'rounds': len(rounds), 'best_round': trained.best_round,
        'local_steps': recipe.local_steps, 'batch': recipe.batch,
        'corruption': recipe.corruption, 'windows': trained.windows,
        'server': recipe.server, 'weighting': recipe.weighting, 'history': list(trained.history),
        'areas': len(rounds[0].train_s),
        'round_slowest_s': [max(item.train_s.values()) + item.aggregate_s for item in rounds],
        'train_s': sum(sum(item.train_s.values()) for item in rounds),
        'compute_s': sum(sum(item.train_s.values()) + item.aggregate_s for item in rounds),
        'bytes_down': [sum(item.bytes_down.values()) for item in rounds],
        'bytes_up': [sum(item.bytes_up.values()) for item in rounds],
        'bytes_slowest': [max(item.bytes_down[area] + item.bytes_up.get(area, 0)
                              for area in item.train_s) for item in rounds],
        'bytes_final': trained.federation.bytes_final,
    }
