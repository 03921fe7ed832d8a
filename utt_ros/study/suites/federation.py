"""Areas together against all data in one place: errors, time and bytes (Table I), servers."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from utt_ros.models.operations import Operation, operations
from utt_ros.models.twin import UnifiedTwin
from utt_ros.study.measure import make_bench
from utt_ros.study.recipes import direct, single, with_fusor
from utt_ros.study.records import Outcome, Row, Unit
from utt_ros.study.study import Study
from utt_ros.study.suites.operations import evaluate, its_sources, model_says, reads_own_past
from utt_ros.study.traffic import LINK_BPS, central_cost, mapping_cost, raw_bytes
from utt_ros.study.train import Recipe, centralised

SUITE = 'federation'
EVERYTHING = Operation('unified', (), ())
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
        found += [Unit(f'{SUITE}-time-{item.kind}-{"+".join(item.sources)}-seed{seed}',
                       partial(_timed, study, item, seed))
                  for item in _configurations(study)]
        found += [Unit(f'{SUITE}-time-direct-seed{seed}', partial(_timed_direct, study, seed))]
    first = study.seeds[0]  # servers are an aside: one seed will do
    return [*found, *(
        Unit(f'{SUITE}-server-{name}-seed{first}', partial(_server, study, name, first))
        for name in ('windows', *SERVERS))]


def _configurations(study: Study) -> list[Operation]:
    return operations(study.data.modalities, ('merge', 'split'))


def _unified(study: Study, method: str, seed: int) -> Outcome:
    recipe = study.recipe if method == 'utt' else centralised(study.recipe)
    twin, training = study.trained(seed, recipe)
    found = evaluate(study, method, twin.settings.fusor, seed, model_says(twin, its_sources),
                     suite=SUITE)
    sent = raw_bytes(study.data, study.data.modalities)
    cost = mapping_cost(training) if method == 'utt' else central_cost(training, sent)
    return replace(found, rows=(*found.rows, *_costs(method, EVERYTHING, seed, cost)))


def _server(study: Study, name: str, seed: int) -> Outcome:
    recipe = replace(with_fusor(study.recipe, study.recipe.model.fusor), **SERVERS.get(name, {}))  # type: ignore[arg-type]
    twin, _ = study.trained(seed, recipe)
    return evaluate(study, f'server_{name}', twin.settings.fusor, seed,
                    model_says(twin, its_sources), suite=SUITE)


def _timed(study: Study, item: Operation, seed: int) -> Outcome:
    """One operation mapped by the areas together, and with their data in one place."""
    base = replace(study.recipe, patience=PATIENCE)
    rows: list[Row] = []
    for method in ('utt', 'centralised'):
        recipe = single(base if method == 'utt' else centralised(base), item)
        twin, training = study.trained(seed, recipe)
        sent = raw_bytes(study.data, recipe.model.modalities)
        cost = mapping_cost(training) if method == 'utt' else central_cost(training, sent)
        errors = _errors(study, twin, item, reads_past=False)
        rows += _costs(f'{method}_single', item, seed, cost | errors)
    return Outcome(tuple(rows))


def _timed_direct(study: Study, seed: int) -> Outcome:
    """Every twin by its own pipeline, one after the other, mapped by the areas together."""
    base = replace(study.recipe, patience=PATIENCE)
    total: dict[str, float] = {}
    twins: dict[str, UnifiedTwin] = {}
    for target in study.data.modalities:
        recipe: Recipe = replace(
            direct(base, target), plan='federated', local_steps=base.local_steps,
            batch=base.batch)
        twins[target], training = study.trained(seed, recipe)
        for name, value in mapping_cost(training).items():
            total[name] = total.get(name, 0.0) + value
    rows: list[Row] = []
    for item in _configurations(study):
        found = [_errors(study, twins[target], replace(item, targets=(target,)), reads_past=True)
                 for target in item.targets]
        mean = {'nmse_var': float(np.mean([each['nmse_var'] for each in found]))}
        rows += _costs('direct_single', item, seed, total | mean)
    return Outcome(tuple(rows))


def _errors(
    study: Study, twin: UnifiedTwin, item: Operation, *, reads_past: bool,
) -> dict[str, float]:
    """Mean NMSE_var of an operation over its targets."""
    bench = make_bench(study.data, study.split)
    found = []
    for sources, target in item.pairs:
        rows = bench.rows_for(sources, target)
        if len(rows):
            reads = reads_own_past if reads_past else its_sources
            made = model_says(twin, reads)(bench, rows, (sources, target))
            found.append(bench.nmse_var(rows, target, made))
    return {'nmse_var': float(np.mean(found)) if found else float('nan')}


def _costs(method: str, item: Operation, seed: int, values: Mapping[str, float]) -> list[Row]:
    sources, targets = '+'.join(item.sources), '+'.join(item.targets)
    return [Row(SUITE, method, item.kind, sources, targets, 'gating', seed, name, value, 0)
            for name, value in {**values, 'link_bps': LINK_BPS}.items()]
