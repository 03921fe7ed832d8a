"""Areas together against one place: errors, time and bytes (Table I); servers, other ways."""

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
from utt_ros.evaluation.federated.strategies import WAYS, go
from utt_ros.evaluation.recipes import direct, specific, with_fusor
from utt_ros.evaluation.results import Outcome, Row, Unit
from utt_ros.evaluation.suites.operations_suite import (
    Translate,
    evaluate,
    its_sources,
    model_says,
    reads_own_past,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import operations
from utt_ros.training.offline_trainer import centralised

SUITE = 'federation'
TIMED = ('merge', 'split')
PATIENCE = 4  # rounds without a better model end each mapping of Table I, whatever its method
SERVERS: dict[str, dict[str, str | float]] = {  # beside fedavg by windows, which is `utt`
    'uniform': {'weighting': 'uniform'},
    'gated': {'weighting': 'gated'},
    'fedadagrad': {'server': 'fedadagrad', 'server_rate': 0.02},
    'fedadam': {'server': 'fedadam', 'server_rate': 0.005},
    'fedyogi': {'server': 'fedyogi', 'server_rate': 0.005},
}


def units(study: Study) -> list[Unit]:
    """By comparison and seed."""
    found = []
    for seed in study.seeds:
        found += [Unit(f'{SUITE}-{method}-seed{seed}', partial(_unified, study, method, seed))
                  for method in ('utt', 'centralised')]
        found += [Unit(f'{SUITE}-time-{kind}-seed{seed}', partial(_timed, study, kind, seed))
                  for kind in TIMED]
        found += [Unit(f'{SUITE}-time-direct-seed{seed}', partial(_timed_direct, study, seed))]
    first = study.seeds[0]  # servers are an aside: one seed will do
    return [*found, *(
        Unit(f'{SUITE}-server-{name}-seed{first}', partial(_server, study, name, first))
        for name in ('windows', *SERVERS)), *(
        Unit(f'{SUITE}-way-{way}-seed{first}', partial(_way, study, way, first)) for way in WAYS)]


def _unified(study: Study, method: str, seed: int) -> Outcome:
    recipe = study.recipe if method == 'utt' else centralised(study.recipe)
    twin, training = study.trained(seed, recipe)
    found = evaluate(study, method, twin.settings.fusor, seed, model_says(twin, its_sources),
                     suite=SUITE)
    sent = raw_bytes(study.data, study.data.modalities)
    cost = mapping_cost(training) if method == 'utt' else central_cost(training, sent)
    return replace(found, rows=(*found.rows, *_rows(method, 'unified', seed, cost)))


def _server(study: Study, name: str, seed: int) -> Outcome:
    recipe = replace(with_fusor(study.recipe, study.recipe.model.fusor), **SERVERS.get(name, {}))  # type: ignore[arg-type]
    twin, _ = study.trained(seed, recipe)
    return evaluate(study, f'server_{name}', twin.settings.fusor, seed,
                    model_says(twin, its_sources), suite=SUITE)


def _way(study: Study, way: str, seed: int) -> Outcome:
    """A fixed number of updates, without motion; nothing is chosen on validation."""
    recipe = with_fusor(study.recipe, study.recipe.model.fusor)
    gone = go(study.data, recipe, way, seed)
    method = f'way_{way}'
    found = evaluate(study, method, recipe.model.fusor, seed, gone.says, suite=SUITE)
    return replace(found, rows=(
        *found.rows, *_rows(method, 'unified', seed, {'simulated_s': gone.seconds})))


def _timed(study: Study, kind: str, seed: int) -> Outcome:
    """All twins by one kind of operation: mapped by the areas together, and in one place."""
    base = specific(replace(study.recipe, patience=PATIENCE), kind)
    sent = raw_bytes(study.data, study.data.modalities)
    rows: list[Row] = []
    for method in ('utt', 'centralised'):
        twin, training = study.trained(seed, base if method == 'utt' else centralised(base))
        cost = mapping_cost(training) if method == 'utt' else central_cost(training, sent)
        says = dict.fromkeys(study.data.modalities, model_says(twin, its_sources))
        errors, count = _errors(study, says, kind)
        rows += _rows(f'{method}_single', kind, seed, cost | errors, count)
    return Outcome(tuple(rows))


def _timed_direct(study: Study, seed: int) -> Outcome:
    """All twins, each by a pipeline of its own, one after the other, by the areas together."""
    base = replace(study.recipe, patience=PATIENCE)
    total: dict[str, float] = {}
    says: dict[str, Translate] = {}
    for target in study.data.modalities:
        recipe = replace(direct(base, target), plan='federated', batch=base.batch)
        twin, training = study.trained(seed, recipe)
        says[target] = model_says(twin, reads_own_past)
        for name, value in mapping_cost(training).items():
            total[name] = total.get(name, 0.0) + value
    rows: list[Row] = []
    for kind in TIMED:
        errors, count = _errors(study, says, kind)
        rows += _rows('direct_single', kind, seed, total | errors, count)
    return Outcome(tuple(rows))


def _errors(
    study: Study, says: Mapping[str, Translate], kind: str,
) -> tuple[dict[str, float], int]:
    """Mean NMSE_var over all directions of a kind of operation, and how many windows they had."""
    bench = study.bench()
    errors, count = [], 0
    for item in operations(study.data.modalities, (kind,)):
        for sources, target in item.pairs:
            rows = bench.rows_for(sources, target)
            if len(rows):
                made = says[target](bench, rows, (sources, target))
                errors.append(bench.nmse_var(rows, target, made))
                count += len(rows)
    return {'nmse_var': float(np.mean(errors)) if errors else float('nan')}, count


def _rows(
    method: str, kind: str, seed: int, values: Mapping[str, float], count: int = 0,
) -> list[Row]:
    return [Row(SUITE, method, kind, 'all', 'all', 'gating', seed, name, value, count)
            for name, value in {**values, 'link_bps': LINK_BPS}.items()]
