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

"""Poisoned federations: error of the model under each attack and aggregation rule.

A quarter of the areas is hostile. Errors are NMSE_var on the test split, over all translations,
relative to a mean of the honest areas alone.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from multiprocessing import get_context

import numpy as np
import torch

from utt_ros.errors import SettingsError
from utt_ros.evaluation.federated.poisoning import ATTACKS, HostileLearner, shuffle_modalities
from utt_ros.federation.aggregation_rules import FLTRUST
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import PLAIN
from utt_ros.federation.wire import Tensors
from utt_ros.models.operations import operations, unique_pairs
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import build_twin, initial_weights
from utt_ros.sessions.simulator.world import SessionPlan, plan_sessions, simulate_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.text_table import align_columns
from utt_ros.training.metrics import relative_errors, training_means
from utt_ros.training.model_selection import model_examples
from utt_ros.training.offline_dataset import (
    TRAIN_STRIDE,
    VAL_STRIDE,
    plain_examples,
    rotate_to_area_frame,
)
from utt_ros.training.offline_trainer import offline_trainer
from utt_ros.training.recordings import RecordedSequence, Recordings
from utt_ros.training.root_update import LearnedRoot
from utt_ros.training.simulated_rounds import FederationPlan, Learner, run_federation
from utt_ros.training.training_recipe import Recipe

CLEAN, HONEST = 'clean', 'honest only'  # no attack: with all areas, without the hostile ones
MEAN, SCREENED, ROOT_RULE = 'mean', 'screened', FLTRUST
RULES: dict[str, AggregatorSettings] = {
    MEAN: AggregatorSettings(screening=False),
    SCREENED: AggregatorSettings(),  # the default
    **{name: AggregatorSettings(weighting=name, screening=False) for name in (
        'trimmed_mean', 'coordinate_median', 'geometric_median', 'multi_krum')},
}
RECIPE = Recipe(
    model=ModelSettings(width=16, heads=2, feedforward=32), terms=('transfer', 'merge', 'split'))
MIN_AREAS = 3


@dataclass(frozen=True, slots=True)
class PoisoningPlan:
    """Length and data of poisoned federations."""

    areas: int = 8  # simulated, the last without a camera
    minutes: float = 4.0  # of each
    rounds: int = 8
    seed: int = 7
    recipe: Recipe = RECIPE


@dataclass(frozen=True, slots=True)
class PoisoningOutcome:
    """Result of one federation."""

    rule: str
    attack: str  # or CLEAN, HONEST
    nmse: float
    named: float  # share of hostile updates that were refused or suspected
    false_names: float  # share of honest ones
    bytes_up: float = 0.0  # of an area in a round, without the first one
    bytes_down: float = 0.0


class PoisonedFederations:
    """Federations on the same recordings: every attack, every rule."""

    def __init__(
        self, data: Recordings, plan: PoisoningPlan, root: Recordings | None = None,
    ) -> None:
        """`root`: trusted recordings of the aggregator, for `fltrust`. Raises SettingsError."""
        torch.set_num_threads(1)
        names = sorted(data.areas)
        if len(names) < MIN_AREAS:
            raise SettingsError(f'there are {len(names)} areas: at least {MIN_AREAS} are needed')
        self._data, self._plan, self._root = data, plan, root
        self.areas, self.hostile = names, tuple(names[1::4])
        self._columns = {name: model_examples(
            data, plan.recipe.model, 'train', name, TRAIN_STRIDE) for name in names}
        self._test = model_examples(data, plan.recipe.model, 'test', None, VAL_STRIDE)
        self._pairs = unique_pairs(plan.recipe.operations or operations(data.modalities))
        self._means = training_means(
            rotate_to_area_frame(plain_examples(data, 'train'), data.window),
            sorted({target for _, target in self._pairs}))

    def run(self, rule: str, attack: str, compression: str = PLAIN) -> PoisoningOutcome:
        """Train one federation and evaluate its model."""
        plan = self._plan
        settings = replace(RULES.get(rule, RULES[MEAN]), compression=compression)
        root = self._learned_root() if rule == ROOT_RULE else None
        initial = initial_weights(plan.recipe.model, self._data.window, plan.seed)
        result = run_federation(
            self._learners(attack), initial,
            FederationPlan(
                rounds=plan.rounds, local_steps=plan.recipe.local_steps, aggregator=settings),
            root=root)
        flagged = [(area, area in item.refused or area in item.suspected)
                   for item in result.rounds for area in item.train_s]
        hostile = self.hostile if attack in ATTACKS else ()
        return PoisoningOutcome(
            rule, attack, self._error(result.weights),
            _mean(flag for area, flag in flagged if area in hostile),
            _mean(flag for area, flag in flagged if area not in hostile),
            _mean(size for item in result.rounds[1:] for size in item.bytes_up.values()),
            _mean(size for item in result.rounds[1:] for size in item.bytes_down.values()))

    def _learners(self, attack: str) -> dict[str, Learner]:
        plan, learners = self._plan, {}
        target = initial_weights(plan.recipe.model, self._data.window, plan.seed + 1)
        for number, area in enumerate(self.areas):
            hostile = area in self.hostile and attack in ATTACKS
            if area in self.hostile and attack == HONEST:
                continue
            columns = self._columns[area]
            if hostile and ATTACKS[attack].shuffles:
                columns = shuffle_modalities(columns, np.random.default_rng(number))
            learner: Learner = offline_trainer(
                plan.recipe, self._data, columns, 1000 * plan.seed + number)
            learners[area] = HostileLearner(
                learner, ATTACKS[attack], target, number) if hostile else learner
        return learners

    def _learned_root(self) -> LearnedRoot:
        """Return a root of trust with a new learner. Raises SettingsError without recordings."""
        if self._root is None:
            raise SettingsError('there are no trusted recordings')
        recipe = self._plan.recipe
        columns = model_examples(self._root, recipe.model, 'train', None, TRAIN_STRIDE)
        return LearnedRoot(offline_trainer(recipe, self._root, columns, 0), recipe.local_steps)

    def _error(self, weights: Tensors) -> float:
        """Return the mean NMSE_var of all translations on the test split."""
        twin = build_twin(self._plan.recipe.model, self._data.window, weights)
        errors = relative_errors(twin, self._test, self._pairs, self._means)
        return float(np.mean([error.nmse_var for error in errors.values()
                              if isfinite(error.nmse_var)]))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0


def simulate_recordings(plan: PoisoningPlan) -> tuple[Recordings, Recordings]:
    """Simulate the areas, and one more, whose recordings the aggregator trusts."""
    window = WindowSettings()
    sessions = plan_sessions(
        plan.areas + 1, plan.minutes, plan.seed, [f'area{plan.areas - 1}'])
    sequences = [_record(item, window) for item in sessions]
    trusted = f'area{plan.areas}'
    parts = [tuple(item for item in sequences if (item.area.area == trusted) == is_root)
             for is_root in (False, True)]
    others, root = (Recordings(part, window, f'simulated {plan.seed}') for part in parts)
    return others, root


def _record(plan: SessionPlan, window: WindowSettings) -> RecordedSequence:
    session, area = simulate_session(plan), plan.area.settings
    batches = tuple(synchronize(
        session, modalities=area.modalities, windows=window, access_points=area.ap_addresses))
    return RecordedSequence(area, plan.name, plan.split, batches, session)


def poisoning_units(rules: Sequence[str], attacks: Sequence[str]) -> list[tuple[str, str]]:
    """List rule and attack of each federation, those without an attack first."""
    return [(MEAN, HONEST), (MEAN, CLEAN),
            *((rule, attack) for rule in rules for attack in (CLEAN, *attacks)
              if (rule, attack) != (MEAN, CLEAN))]


MakeFederations = Callable[[], PoisonedFederations]
_federations: list[PoisonedFederations] = []  # of a pool process


def simulated_federations(plan: PoisoningPlan) -> PoisonedFederations:
    """Return federations of simulated areas."""
    data, root = simulate_recordings(plan)
    return PoisonedFederations(data, plan, root)


def poison_federations(
    make: MakeFederations, units: Sequence[tuple[str, str]], processes: int,
) -> Iterator[PoisoningOutcome]:
    """Run federations in a pool of processes; yield their outcomes as they come, in order."""
    with ProcessPoolExecutor(
            processes, mp_context=get_context('spawn'), initializer=partial(_begin, make)) as pool:
        yield from pool.map(_run_unit, units)


def _begin(make: MakeFederations) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the parent ends the pool
    _federations.append(make())


def _run_unit(unit: tuple[str, str]) -> PoisoningOutcome:
    return _federations[0].run(*unit)


def poisoning_table(outcomes: Sequence[PoisoningOutcome]) -> str:
    """Return the table attack x rule: error relative to the honest areas alone, names."""
    found = {(item.rule, item.attack): item for item in outcomes}
    honest, clean = found[MEAN, HONEST].nmse, found[MEAN, CLEAN].nmse
    rules = list(dict.fromkeys(item.rule for item in outcomes))
    attacks = [name for name in dict.fromkeys(item.attack for item in outcomes) if name != HONEST]
    head = ['attack', *rules, f'named by {SCREENED}']
    rows = []
    for attack in attacks:
        cells = [f'{found[rule, attack].nmse / (clean if attack == CLEAN else honest):.3f}'
                 if (rule, attack) in found else '' for rule in rules]
        rows.append([attack, *cells, _names(found.get((SCREENED, attack)))])
    notes = (f'NMSE_var: {honest:.4f} of a mean of the honest areas alone, {clean:.4f} of a mean '
             f'of all, without attack. Rows: relative to the former; {CLEAN}: to the latter.')
    return '\n'.join([*align_columns(head, rows), notes])


def _names(outcome: PoisoningOutcome | None) -> str:
    if outcome is None:
        return ''
    wrongly = f'{100 * outcome.false_names:.0f} % of honest updates'
    if outcome.attack == CLEAN:
        return f'({wrongly})'
    return f'{100 * outcome.named:.0f} % of hostile updates ({wrongly})'
