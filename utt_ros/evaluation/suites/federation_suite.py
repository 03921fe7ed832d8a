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

"""Federated against centralised mapping: errors, time and bytes (Table I); other strategies."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from utt_ros.evaluation.federated.communication_cost import (
    LINK_BPS,
    central_cost,
    mapping_cost,
    raw_bytes,
)
from utt_ros.evaluation.federated.strategies import STRATEGIES, run_strategy
from utt_ros.evaluation.recipes import direct, specific, with_fusor
from utt_ros.evaluation.results import Row, Unit, UnitResult
from utt_ros.evaluation.suites.direction_rows import (
    Translate,
    direction_sources,
    evaluate_directions,
    model_predictor,
    target_past,
)
from utt_ros.evaluation.suites.mixed_sensors import mixed_sensor_rows
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import operations
from utt_ros.training.training_recipe import centralised

FEDERATION_SUITE = 'federation'
TIMED = ('merge', 'split')
PATIENCE = 4  # rounds without a better model after which any mapping of Table I ends
SERVERS: dict[str, dict[str, str | float]] = {  # `utt` itself is fedavg weighted by windows
    'uniform': {'weighting': 'uniform'},
    'gated': {'weighting': 'gated'},
    'fedadagrad': {'server': 'fedadagrad', 'server_rate': 0.02},
    'fedadam': {'server': 'fedadam', 'server_rate': 0.005},
    'fedyogi': {'server': 'fedyogi', 'server_rate': 0.005},
}


def federation_units(study: Study) -> list[Unit]:
    """List units by comparison and seed."""
    listed = []
    for seed in study.seeds:
        listed += [Unit(f'{FEDERATION_SUITE}-{method}-seed{seed}',
                        partial(_unified, study, method, seed))
                   for method in ('utt', 'centralised')]
        listed += [Unit(f'{FEDERATION_SUITE}-time-{kind}-seed{seed}',
                        partial(_timed, study, kind, seed))
                   for kind in TIMED]
        listed += [Unit(f'{FEDERATION_SUITE}-time-direct-seed{seed}',
                        partial(_timed_direct, study, seed))]
    first = study.seeds[0]  # server optimisers are compared on one seed
    return [*listed, *(
        Unit(f'{FEDERATION_SUITE}-server-{name}-seed{first}', partial(_server, study, name, first))
        for name in ('windows', *SERVERS)), *(
        Unit(f'{FEDERATION_SUITE}-way-{name}-seed{first}', partial(_strategy, study, name, first))
        for name in STRATEGIES),
        Unit(f'{FEDERATION_SUITE}-mixed-seed{first}',
             partial(mixed_sensor_rows, study, FEDERATION_SUITE, first))]


def _unified(study: Study, method: str, seed: int) -> UnitResult:
    recipe = study.recipe if method == 'utt' else centralised(study.recipe)
    twin, training = study.trained(seed, recipe)
    result = evaluate_directions(
        study, method, twin.settings.fusor, seed, model_predictor(twin, direction_sources),
        suite=FEDERATION_SUITE)
    sent = raw_bytes(study.data, study.data.modalities)
    cost = mapping_cost(training) if method == 'utt' else central_cost(training, sent)
    return replace(result, rows=(*result.rows, *_rows(method, 'unified', seed, cost)))


def _server(study: Study, name: str, seed: int) -> UnitResult:
    recipe = replace(with_fusor(study.recipe, study.recipe.model.fusor), **SERVERS.get(name, {}))  # type: ignore[arg-type]
    twin, _ = study.trained(seed, recipe)
    return evaluate_directions(
        study, f'server_{name}', twin.settings.fusor, seed,
        model_predictor(twin, direction_sources), suite=FEDERATION_SUITE)


def _strategy(study: Study, name: str, seed: int) -> UnitResult:
    """A fixed number of updates, without motion and without selection on validation."""
    recipe = with_fusor(study.recipe, study.recipe.model.fusor)
    outcome = run_strategy(study.data, recipe, name, seed)
    method = f'way_{name}'
    result = evaluate_directions(
        study, method, recipe.model.fusor, seed, outcome.predict, suite=FEDERATION_SUITE)
    return replace(result, rows=(
        *result.rows, *_rows(method, 'unified', seed, {'simulated_s': outcome.seconds})))


def _timed(study: Study, kind: str, seed: int) -> UnitResult:
    """All twins by one kind of operation: federated and centralised."""
    base = specific(replace(study.recipe, patience=PATIENCE), kind)
    sent = raw_bytes(study.data, study.data.modalities)
    rows: list[Row] = []
    for method in ('utt', 'centralised'):
        twin, training = study.trained(seed, base if method == 'utt' else centralised(base))
        cost = mapping_cost(training) if method == 'utt' else central_cost(training, sent)
        predictors = dict.fromkeys(study.data.modalities, model_predictor(twin, direction_sources))
        errors, count = _errors(study, predictors, kind)
        rows += _rows(f'{method}_single', kind, seed, cost | errors, count)
    return UnitResult(tuple(rows))


def _timed_direct(study: Study, seed: int) -> UnitResult:
    """All twins by direct mapping: a federated pipeline per twin, one after the other."""
    base = replace(study.recipe, patience=PATIENCE)
    total: dict[str, float] = {}
    predictors: dict[str, Translate] = {}
    for target in study.data.modalities:
        recipe = replace(direct(base, target), plan='federated', batch=base.batch)
        twin, training = study.trained(seed, recipe)
        predictors[target] = model_predictor(twin, target_past)
        for name, value in mapping_cost(training).items():
            total[name] = total.get(name, 0.0) + value
    rows: list[Row] = []
    for kind in TIMED:
        errors, count = _errors(study, predictors, kind)
        rows += _rows('direct_single', kind, seed, total | errors, count)
    return UnitResult(tuple(rows))


def _errors(
    study: Study, predictors: Mapping[str, Translate], kind: str,
) -> tuple[dict[str, float], int]:
    """Mean NMSE_var over all directions of a kind of operation, and their number of windows."""
    windows = study.translation_windows()
    errors, count = [], 0
    for item in operations(study.data.modalities, (kind,)):
        for sources, target in item.pairs:
            rows = windows.rows_for(sources, target)
            if len(rows):
                predicted = predictors[target](windows, rows, (sources, target))
                errors.append(windows.nmse_var(rows, target, predicted))
                count += len(rows)
    return {'nmse_var': float(np.mean(errors)) if errors else float('nan')}, count


def _rows(
    method: str, kind: str, seed: int, values: Mapping[str, float], count: int = 0,
) -> list[Row]:
    return [Row(FEDERATION_SUITE, method, kind, 'all', 'all', 'gating', seed, name, value, count)
            for name, value in {**values, 'link_bps': LINK_BPS}.items()]
