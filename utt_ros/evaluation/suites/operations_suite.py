"""Transfer, merge and split in every direction, beside direct mapping and the floors."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from utt_ros.evaluation.metrics.translation import (
    Bench,
    Label,
    last_value,
    made_of,
    rows_of,
    translate,
)
from utt_ros.evaluation.recipes import direct, directions, reconstruct, specific, with_past
from utt_ros.evaluation.results import Made, Outcome, Row, Unit
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import KINDS, Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.dataset import take
from utt_ros.training.windows import past
from utt_ros.types import FloatArray, Indices

SUITE = 'operations'
Translate = Callable[[Bench, Indices, Pair], FloatArray]


def units(study: Study) -> list[Unit]:
    """By method and seed; models that others take as well come first."""
    names = study.data.modalities
    found = [Unit(f'{SUITE}-utt-seed{seed}', partial(_unified, study, seed))
             for seed in study.seeds]
    found += [Unit(f'{SUITE}-{method}-{name}-seed{seed}',
                   partial(_alone, study, method, name, seed))
              for method in ('direct', 'direct_reconstruct') for name in names
              for seed in study.seeds]
    found += [Unit(f'{SUITE}-utt_past-seed{seed}', partial(_with_past, study, seed))
              for seed in study.seeds]
    found += [Unit(f'{SUITE}-specific-{kind}-seed{seed}', partial(_specific, study, kind, seed))
              for kind in KINDS for seed in study.seeds]
    return [*found, Unit(f'{SUITE}-floors', partial(_floors, study))]


def evaluate(
    study: Study, method: str, fusor: str, seed: int, say: Translate, *,
    suite: str = SUITE, kinds: Sequence[str] = KINDS, targets: Sequence[str] = (),
) -> Outcome:
    """Rows and predictions of one method in every direction that the data have windows for.

    `say(bench, rows, pair)` makes what the method says of some windows. `sources` of a row names
    the direction; docs/evaluation.md tells what each method reads.
    """
    bench = study.bench()
    rows: list[Row] = []
    made: list[Made] = []
    for kind, pair in directions(study.data.modalities):
        sources, target = pair
        chosen = bench.rows_for(sources, target)
        if kind in kinds and (not targets or target in targets) and len(chosen):
            label = Label(suite, method, kind, '+'.join(sources), target, fusor, seed)
            made.append(made_of(bench, chosen, say(bench, chosen, pair), label))
            rows += rows_of(made[-1], label)
    return Outcome(tuple(rows), tuple(made))


def model_says(twin: UnifiedTwin, reads: Callable[[Pair], tuple[str, ...]]) -> Translate:
    """A model that reads these modalities in place of the sources of a direction."""
    def say(bench: Bench, rows: Indices, pair: Pair) -> FloatArray:
        return translate(twin, take(bench.columns, rows), (reads(pair), pair[1]))
    return say


def its_sources(pair: Pair) -> tuple[str, ...]:
    """What the unified model reads."""
    return pair[0]


def reads_own_past(pair: Pair) -> tuple[str, ...]:
    """What direct mapping reads."""
    return (past(pair[1]),)


def _unified(study: Study, seed: int) -> Outcome:
    twin = study.model(seed)
    return evaluate(study, 'utt', twin.settings.fusor, seed, model_says(twin, its_sources))


def _alone(study: Study, method: str, target: str, seed: int) -> Outcome:
    recipe, source = ((direct, past(target)) if method == 'direct' else (reconstruct, target))
    twin, _ = study.trained(seed, recipe(study.recipe, target))
    return evaluate(study, method, 'none', seed, model_says(twin, lambda _: (source,)),
                    targets=(target,))


def _with_past(study: Study, seed: int) -> Outcome:
    twin, _ = study.trained(seed, with_past(study.recipe, study.data.modalities))
    return evaluate(
        study, 'utt_past', twin.settings.fusor, seed,
        model_says(twin, lambda pair: tuple(sorted((*pair[0], past(pair[1]))))))


def _specific(study: Study, kind: str, seed: int) -> Outcome:
    twin, _ = study.trained(seed, specific(study.recipe, kind))
    return evaluate(study, 'specific', twin.settings.fusor, seed, model_says(twin, its_sources),
                    kinds=(kind,))


def _floors(study: Study) -> Outcome:
    def mean(bench: Bench, rows: Indices, pair: Pair) -> FloatArray:
        shape = bench.columns[pair[1]][rows].shape
        return np.broadcast_to(bench.means[pair[1]], shape).astype(np.float32)

    def last(bench: Bench, rows: Indices, pair: Pair) -> FloatArray:
        return last_value(take(bench.columns, rows), pair[1])

    found = [evaluate(study, name, 'none', study.seeds[0], say)
             for name, say in (('mean', mean), ('last_value', last))]
    return Outcome(tuple(row for each in found for row in each.rows),
                   tuple(made for each in found for made in each.made))
