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

"""Selection of the best model on the validation split, and early stopping."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan

import numpy as np
import torch

from utt_ros.models.operations import operations, unique_pairs
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, Weights, load_weights
from utt_ros.training.columns import Columns
from utt_ros.training.labels import heading_frame_targets
from utt_ros.training.metrics import relative_errors, training_means
from utt_ros.training.offline_dataset import (
    PAST,
    PAST_MODALITIES,
    VAL_STRIDE,
    paired_examples,
    plain_examples,
    rotate_to_area_frame,
    unified_examples,
)
from utt_ros.training.optimization import cosine_factor
from utt_ros.training.recordings import Recordings
from utt_ros.training.simulated_rounds import SimulatedRound
from utt_ros.training.trainer import LocalTrainer
from utt_ros.training.training_recipe import Recipe
from utt_ros.types import MODALITIES, FloatArray

TRANSLATION, MOTION = 'translation', 'motion'  # parts of a model and its score
NOT_SCORED = 'stride.'  # prefix of weights without a score: the newest are kept
MIN_IMPROVEMENT = 0.002  # of NMSE_var: less does not prolong training


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """One finished round, for a callback."""

    round: SimulatedRound
    score: float  # on validation, less is better
    rounds: int  # maximum


def model_examples(
    data: Recordings, model: ModelSettings, split: str, area: str | None, stride: int,
) -> Columns:
    """Return the examples that a model reads, with the past where it reads any."""
    if any(name.endswith(PAST) for name in model.modalities):
        return rotate_to_area_frame(paired_examples(data, split, area, stride), data.window)
    return unified_examples(data, split, area, stride)


class ValidationScorer:
    """Scores on the val split: mean NMSE_var over all decodings, and error of motion."""

    def __init__(self, data: Recordings, recipe: Recipe) -> None:
        self.twin = UnifiedTwin(recipe.model, data.window, PAST_MODALITIES)
        self._columns = model_examples(data, recipe.model, 'val', None, VAL_STRIDE)
        self._terms = recipe.terms
        self._pairs = unique_pairs(recipe.operations or operations(MODALITIES))
        targets = sorted({target for _, target in self._pairs})
        train = rotate_to_area_frame(plain_examples(data, 'train'), data.window)
        self._means = training_means(train, targets)

    def __call__(self, weights: Weights) -> dict[str, float]:
        """Return scores by part of the model, less is better; inf when nothing can be scored."""
        load_weights(self.twin, weights)
        errors = relative_errors(self.twin, self._columns, self._pairs, self._means)
        nmse = [error.nmse_var for error in errors.values() if isfinite(error.nmse_var)]
        scores = {TRANSLATION: float(np.mean(nmse)) if nmse else inf}
        if MOTION in self._terms:
            errors_of_motion = [motion_error(self.twin, self._columns, use_course=use_course)
                                for use_course in (True, False)]
            scores[MOTION] = float(np.mean(
                [error for error in errors_of_motion if isfinite(error)] or [0.0]))
        return scores


@torch.no_grad()
def motion_error(twin: UnifiedTwin, columns: Columns, *, use_course: bool) -> float:
    """Return the mean error of the next H displacements, relative to staying in place.

    With or without the course from the camera. NaN when no label is valid.
    """
    targets = heading_frame_targets(
        columns, columns['heading_valid'], columns['course'],
        columns['course_valid'] & use_course, columns['gait'])
    predicted = twin.motion(torch.from_numpy(targets.context)).future.numpy()
    valid = targets.future_valid
    error, distance = (np.linalg.norm(path[valid], axis=1).sum() for path in (
        predicted - targets.future, targets.future))
    return float(error / distance) if distance > 0 else nan


class ModelSelection:
    """Callback after each round: score, keep the best, decay the learning rate, stop early.

    Translation and motion share no weights, so the best of each is kept; of the gait head the
    newest.
    """

    def __init__(
        self, recipe: Recipe, trainers: Mapping[str, LocalTrainer], scorer: ValidationScorer,
        watch: Callable[[TrainingProgress], None] | None,
    ) -> None:
        self._recipe, self._trainers, self._scorer, self._watch = recipe, trainers, scorer, watch
        self.best: Weights = {}
        self.best_round = 0
        self.history: list[float] = []
        self._scores: dict[str, float] = {}
        self._marks: dict[str, float] = {}  # scores that counted as an improvement
        self._improved = 0  # round of the last improvement

    @property
    def score(self) -> float:
        """Sum of the best scores of all parts."""
        return sum(self._scores.values(), 0.0) if self._scores else inf

    def __call__(self, done: SimulatedRound, weights: Mapping[str, FloatArray]) -> bool:
        scores = self._scorer(dict(weights))
        score = sum(scores.values())
        self.history.append(score)
        for part, value in scores.items():
            if value < self._marks.get(part, inf) - MIN_IMPROVEMENT:
                self._marks[part], self._improved = value, len(self.history)
            if part not in self._scores or value < self._scores[part]:
                self._scores[part], self.best_round = value, len(self.history)
                self.best |= {name: values.copy() for name, values in weights.items()
                              if (part == MOTION) == name.startswith(f'{MOTION}.')}
        self.best |= {name: values.copy() for name, values in weights.items()
                      if name.startswith(NOT_SCORED)}
        if not self.best.keys() >= weights.keys():  # weights of a part that is not scored
            self.best = {name: values.copy() for name, values in weights.items()} | self.best
        if self._watch is not None:
            self._watch(TrainingProgress(done, score, self._recipe.rounds))
        self._decay_rate(len(self.history) / self._recipe.rounds)
        return len(self.history) - self._improved >= self._recipe.patience

    def _decay_rate(self, share: float) -> None:
        factor = cosine_factor(share)
        for trainer in self._trainers.values():
            trainer.set_rate(factor * self._recipe.learning_rate)
