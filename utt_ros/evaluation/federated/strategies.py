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

"""Federation strategies, each with the same number of updates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from utt_ros.evaluation.federated.asynchronous import (
    AsynchronousPlan,
    run_asynchronous,
    simulated_durations,
)
from utt_ros.evaluation.federated.communication_cost import LINK_BPS
from utt_ros.evaluation.federated.personalisation import PersonalisedLearner, scale_locally
from utt_ros.evaluation.metrics.translation import TranslationWindows, translate
from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin, initial_weights
from utt_ros.training.columns import take
from utt_ros.training.offline_trainer import make_trainers
from utt_ros.training.recordings import Recordings
from utt_ros.training.simulated_rounds import FederationPlan, run_federation
from utt_ros.training.training_recipe import Recipe
from utt_ros.types import FloatArray

STRATEGIES = ('together', 'sampled', 'asynchronous', 'personal', 'personal_scaled')
STRATEGY_ROUNDS = 12  # of all areas; no model is selected, so that all strategies train as long
SYNCHRONOUS_ROUNDS = 3  # before areas no longer wait for each other
MAX_SLOWDOWN = 4.0  # time of the slowest area for an update, relative to the fastest


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """Model of each area that trained, and duration on a simulated clock."""

    twins: dict[str, UnifiedTwin]
    seconds: float  # where the fastest area trains for 1 s and the slowest for MAX_SLOWDOWN

    def predict(
        self, bench: TranslationWindows, rows: npt.NDArray[np.intp], pair: Pair,
    ) -> FloatArray:
        """Translate as `predict_by_area`."""
        return predict_by_area(self.twins, bench, rows, pair)


def predict_by_area(
    twins: Mapping[str, UnifiedTwin], bench: TranslationWindows, rows: npt.NDArray[np.intp],
    pair: Pair,
) -> FloatArray:
    """Translate each area's windows with its own model, or another if it has none."""
    other = next(iter(twins.values()))
    areas = np.array([bench.sequences[row].partition('/')[0] for row in rows])
    predictions = np.zeros_like(bench.columns[pair[1]][rows])
    for area in sorted(set(areas)):
        of_area = areas == area
        predictions[of_area] = translate(
            twins.get(area, other), take(bench.columns, rows[of_area]), pair)
    return predictions


def run_strategy(data: Recordings, recipe: Recipe, strategy: str, seed: int) -> StrategyResult:
    """Train all areas with one of STRATEGIES.

    `together`: all areas wait for each other; `sampled`: half of them take part in each round;
    `asynchronous`: no area waits after a few rounds; `personal`: each area keeps its own fusor,
    and with `personal_scaled` its own scaling as well.
    """
    trainers = make_trainers(data, recipe, seed)
    weights = initial_weights(recipe.model, data.window, seed)
    plan = FederationPlan(rounds=STRATEGY_ROUNDS, local_steps=recipe.local_steps, seed=seed)
    paces = _paces(trainers)
    if strategy == 'asynchronous':
        updates = (STRATEGY_ROUNDS - SYNCHRONOUS_ROUNDS) * len(trainers)
        synchronous = replace(plan, rounds=SYNCHRONOUS_ROUNDS)
        outcome = run_asynchronous(
            trainers, weights, AsynchronousPlan(synchronous, updates), paces, LINK_BPS)
        for trainer in trainers.values():
            trainer.load(outcome.weights)
        return StrategyResult(
            {area: trainer.twin for area, trainer in trainers.items()}, outcome.seconds)
    if strategy == 'personal_scaled':
        for trainer in trainers.values():
            scale_locally(trainer.twin, trainer.memory.training.all())
    if strategy == 'sampled':
        half = (len(trainers) + 1) // 2
        plan = replace(plan, sampled=half, rounds=round(STRATEGY_ROUNDS * len(trainers) / half))
    personal = ({area: PersonalisedLearner(trainer) for area, trainer in trainers.items()}
                if 'personal' in strategy else {})
    result = run_federation(personal or trainers, weights, plan)
    for area, trainer in trainers.items():
        trainer.load(personal[area].merge(result.weights) if personal else result.weights)
    seconds = sum(simulated_durations(result.rounds, paces, LINK_BPS))
    return StrategyResult({area: trainer.twin for area, trainer in trainers.items()}, seconds)


def _paces(areas: Mapping[str, object]) -> dict[str, float]:
    """Return seconds for an update of each area, evenly spaced in order of names."""
    paces = np.linspace(1.0, MAX_SLOWDOWN, len(areas)).tolist()
    return dict(zip(sorted(areas), paces, strict=True))
