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

"""Selection of the best model on validation, and early stopping."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.dataset import make_examples
from utt_ros.training.model_selection import (
    MIN_IMPROVEMENT,
    ModelSelection,
    TrainingProgress,
    motion_error,
)
from utt_ros.training.optimization import MIN_RATE
from utt_ros.training.simulated_rounds import SimulatedRound
from utt_ros.training.training_recipe import Recipe
from utt_ros.types import Windows

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
DONE = SimulatedRound(0, {}, {}, {}, {}, 0.0, {}, {})


class Trainer:
    rate = 0.0

    def set_rate(self, rate: float) -> None:
        self.rate = rate


def selection(
    scores: list[dict[str, float]], trainer: Trainer | None = None,
    watch: Callable[[TrainingProgress], None] | None = None, **settings: int,
) -> ModelSelection:
    left = iter(scores)
    return ModelSelection(
        Recipe(**settings), {'a': trainer or Trainer()}, lambda _weights: next(left), watch)  # type: ignore[arg-type, dict-item]


def weights(value: float) -> dict[str, np.ndarray]:
    return {name: np.full(2, value, np.float32)
            for name in ('encoders.imu.w', 'motion.w', 'stride.w')}


def test_the_best_of_translation_and_of_motion_and_the_newest_gait_head_are_kept() -> None:
    select = selection([{'translation': 2.0, 'motion': 0.5}, {'translation': 1.0, 'motion': 0.9}])
    for value in (1.0, 2.0):
        select(DONE, weights(value))
    kept = {name: float(values[0]) for name, values in select.best.items()}
    assert kept == {'encoders.imu.w': 2.0, 'motion.w': 1.0, 'stride.w': 2.0}
    assert select.score == pytest.approx(1.5)
    assert select.best_round == 2
    assert select.history == pytest.approx([2.5, 1.9])


def test_training_stops_after_rounds_without_improvement() -> None:
    little = [{'translation': 1.0 - MIN_IMPROVEMENT * step / 4} for step in range(4)]
    select = selection([{'translation': 3.0}, *little], patience=3)
    assert [select(DONE, weights(step)) for step in range(5)] == [
        False, False, False, False, True]


def test_the_learning_rate_falls_to_a_share_of_the_initial_one() -> None:
    trainer, rates = Trainer(), []
    select = selection([{'translation': 1.0}] * 4, trainer, rounds=4)
    for _ in range(4):
        select(DONE, weights(0.0))
        rates.append(trainer.rate / Recipe().learning_rate)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(MIN_RATE)


def test_progress_is_reported_after_each_round() -> None:
    reports: list[TrainingProgress] = []
    scores = [{'translation': 1.0}, {'translation': 0.5}]
    select = selection(scores, None, reports.append, rounds=9)
    for _ in range(2):
        select(DONE, weights(0.0))
    assert [report.score for report in reports] == [1.0, 0.5]
    assert {report.rounds for report in reports} == {9}


def test_an_untrained_motion_head_goes_on_with_the_course_and_stays_without_it(
    shape: WindowSettings, walk: Callable[..., Windows],
) -> None:
    area = AreaSettings()
    columns = make_examples(walk(area, 50), area, shape)
    twin = UnifiedTwin(MODEL, shape)
    assert motion_error(twin, columns, use_course=True) < 0.2
    assert motion_error(twin, columns, use_course=False) == pytest.approx(1.0)
