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

"""A new area and its first windows: a model from scratch, transferred, or fine-tuned.

All three train alike on the windows that the area has, and select the best round by the newest of
them, so nothing else of the area is read.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import ceil, inf, isfinite

import numpy as np

from utt_ros.errors import SessionError
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.models.operations import unique_pairs
from utt_ros.models.twin import (
    UnifiedTwin,
    Weights,
    build_twin,
    load_weights,
)
from utt_ros.training.columns import Columns, take
from utt_ros.training.fine_tuning import split_for_selection
from utt_ros.training.metrics import relative_errors, training_means
from utt_ros.training.model_selection import MIN_IMPROVEMENT, model_examples
from utt_ros.training.offline_dataset import PAST_MODALITIES, TRAIN_STRIDE
from utt_ros.training.offline_trainer import offline_trainer
from utt_ros.training.optimization import cosine_factor
from utt_ros.training.recordings import Recordings
from utt_ros.training.simulated_rounds import FederationPlan, SimulatedRound, run_federation
from utt_ros.training.trainer import LocalTrainer
from utt_ros.training.training_recipe import Recipe
from utt_ros.types import FloatArray

SCRATCH, TRANSFERRED, FINE_TUNED = FEW_SHOT_METHODS = ('scratch', 'transferred', 'fine_tuned')
FEW_SHOT_ROUNDS = {SCRATCH: 20, TRANSFERRED: 6, FINE_TUNED: 6}  # at most
ALONE_STEPS = 2  # of an area that trains alone, in steps of the recipe
RATE_SHARES = {SCRATCH: 1.0, TRANSFERRED: 0.5, FINE_TUNED: 0.5}  # of the learning rate
FEW_SHOT_PATIENCE = 5  # rounds without an improvement of any new area
MAX_SCORED = 64  # windows by which a round is selected
ALL_WINDOWS = -1


@dataclass(frozen=True, slots=True)
class NewAreas:
    """Areas that are new at one time, and the model that they begin with."""

    areas: tuple[str, ...]
    others: tuple[str, ...]  # which they may join
    weights: Weights
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class FewShotLearner:
    """Trains models of new areas on their first windows; examples of areas are kept."""

    data: Recordings
    _examples: dict[str, Columns] = field(default_factory=dict, repr=False)

    def learn(
        self, method: str, new: NewAreas, windows: int, seed: int,
    ) -> dict[str, UnifiedTwin]:
        """Return the model of each new area after so many of its windows, or ALL_WINDOWS.

        Transferred, all new areas join the federation of the others together; without windows
        its model is used as it is. From scratch and fine-tuned, each area trains alone.
        """
        if not windows:
            return {area: self._twin(new, new.weights) for area in new.areas}
        examples = {area: self.first_windows(new.recipe, area, windows) for area in new.areas}
        if method == TRANSFERRED:
            best = self._train(method, new, examples, seed, new.others)
        else:
            best = {area: self._train(method, new, {area: columns}, seed)[area]
                    for area, columns in examples.items()}
        return {area: self._twin(new, weights) for area, weights in best.items()}

    def first_windows(self, recipe: Recipe, area: str, windows: int = ALL_WINDOWS) -> Columns:
        """Return the first training windows of an area, in order of time."""
        if area not in self._examples:
            self._examples[area] = model_examples(
                self.data, recipe.model, 'train', area, TRAIN_STRIDE)
        columns = self._examples[area]
        return columns if windows == ALL_WINDOWS else take(columns, slice(windows))

    def _train(
        self, method: str, new: NewAreas, examples: Mapping[str, Columns], seed: int,
        others: Sequence[str] = (),
    ) -> dict[str, Weights]:
        parts = {area: split_for_selection(columns) for area, columns in examples.items()}
        recipe = replace(
            new.recipe, learning_rate=RATE_SHARES[method] * new.recipe.learning_rate)
        columns = {area: training for area, (training, _) in parts.items()}
        for area in others:
            with suppress(SessionError):  # no sequence of it is long enough
                columns[area] = self.first_windows(recipe, area)
        trainers = {
            area: offline_trainer(
                replace(recipe, batch=min(recipe.batch, len(next(iter(of_area.values()))))),
                self.data, of_area, 1000 * seed + number)
            for number, (area, of_area) in enumerate(sorted(columns.items()))}
        plan = FederationPlan(
            rounds=FEW_SHOT_ROUNDS[method], seed=seed,
            local_steps=recipe.local_steps * (1 if others else ALONE_STEPS),
            aggregator=AggregatorSettings(
                server=recipe.server, server_rate=recipe.server_rate,
                weighting=recipe.weighting, screening=False))
        selection = AreaSelection(
            self._twin(new, new.weights), recipe, plan.rounds, trainers, parts)
        selection.keep_best(new.weights)
        run_federation(trainers, new.weights, plan, stop=selection)
        return selection.best

    def _twin(self, new: NewAreas, weights: Weights) -> UnifiedTwin:
        return build_twin(new.recipe.model, self.data.window, weights, PAST_MODALITIES)


class AreaSelection:
    """Callback after each round: keep the best model of each new area, decay the rate."""

    def __init__(
        self, twin: UnifiedTwin, recipe: Recipe, rounds: int,
        trainers: Mapping[str, LocalTrainer], parts: Mapping[str, tuple[Columns, Columns]],
    ) -> None:
        """`parts`: windows of each new area to train on, and those to select by."""
        self.best: dict[str, Weights] = {}
        self._twin, self._recipe, self._rounds, self._trainers = twin, recipe, rounds, trainers
        self._pairs = unique_pairs(recipe.operations)
        targets = sorted({target for _, target in self._pairs})
        self._selections = {
            area: (_thinned(selection), training_means(training, targets))
            for area, (training, selection) in parts.items()}
        self._scores = dict.fromkeys(parts, inf)
        self._marks = dict.fromkeys(parts, inf)  # scores that counted as an improvement
        self._since_improved = self._done = 0

    def __call__(self, _done: SimulatedRound, weights: Mapping[str, FloatArray]) -> bool:
        self._done += 1
        self._since_improved = 0 if self.keep_best(weights) else self._since_improved + 1
        rate = cosine_factor(self._done / self._rounds) * self._recipe.learning_rate
        for trainer in self._trainers.values():
            trainer.set_rate(rate)
        return self._since_improved >= FEW_SHOT_PATIENCE

    def keep_best(self, weights: Mapping[str, FloatArray]) -> bool:
        """Score weights in each new area; return whether one of them improved."""
        load_weights(self._twin, weights)
        improved = False
        for area, (selection, means) in self._selections.items():
            errors = relative_errors(self._twin, selection, self._pairs, means)
            finite = [item.nmse_var for item in errors.values() if isfinite(item.nmse_var)]
            score = float(np.mean(finite)) if finite else inf
            if score < self._scores[area] or area not in self.best:
                self._scores[area] = score
                self.best[area] = {name: values.copy() for name, values in weights.items()}
            if score < self._marks[area] - MIN_IMPROVEMENT:
                self._marks[area], improved = score, True
        return improved


def _thinned(columns: Columns) -> Columns:
    """Return at most MAX_SCORED windows, evenly spaced."""
    count = len(next(iter(columns.values())))
    return take(columns, np.arange(0, count, ceil(count / MAX_SCORED)))
