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

"""Ridge regression beside the operations: its rows, and errors of models relative to it."""

from collections.abc import Iterator, Sequence
from functools import cache, partial

from utt_ros.evaluation.baselines.ridge import RidgeTranslator, fit_ridge
from utt_ros.evaluation.metrics.translation import (
    TranslationLabel,
    TranslationWindows,
    make_prediction,
    measured_frame,
    ratio_row,
    worst_row,
)
from utt_ros.evaluation.recipes import direct, with_past
from utt_ros.evaluation.results import (
    TO_BEST_SOURCE,
    TO_RIDGE,
    Prediction,
    Row,
    Unit,
    UnitResult,
)
from utt_ros.evaluation.suites.direction_rows import (
    OPERATIONS_SUITE,
    UNIQUE_KINDS,
    Reads,
    Translate,
    concatenate_results,
    direction_sources,
    evaluate_directions,
    measured_directions,
    model_predictor,
    sources_and_past,
    target_past,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import Pair
from utt_ros.training.columns import Columns, take
from utt_ros.training.offline_dataset import (
    TRAIN_STRIDE,
    VAL_STRIDE,
    paired_examples,
    rotate_to_area_frame,
)
from utt_ros.types import MODALITIES, FloatArray, Indices

RIDGES: dict[str, Reads] = {
    'ridge': direction_sources, 'ridge_past': target_past, 'ridge_both': sources_and_past}


def ridge_units(study: Study) -> list[Unit]:
    """List the unit of ridge regression, and units of ratios to it, by seed."""
    return [Unit(f'{OPERATIONS_SUITE}-ridge', partial(_ridge_rows, study)),
            *(Unit(f'{OPERATIONS_SUITE}-ratios-seed{seed}', partial(_ratio_rows, study, seed))
              for seed in study.seeds)]


def ridge_predictors(study: Study, gap: int = 0) -> dict[str, Translate]:
    """Return predictors by name of method, fitted on train and val when they are first used.

    The past ends `gap` ticks before the windows.
    """
    window = study.data.window

    @cache
    def columns() -> tuple[Columns, Columns]:
        train, val = (
            rotate_to_area_frame(paired_examples(study.data, split, None, stride, gap), window)
            for split, stride in (('train', TRAIN_STRIDE), ('val', VAL_STRIDE)))
        return train, val

    @cache
    def fitted(sources: tuple[str, ...], target: str) -> RidgeTranslator:
        return fit_ridge(*columns(), sources, target, window)

    def predict(
        reads: Reads, windows: TranslationWindows, rows: Indices, pair: Pair,
    ) -> FloatArray:
        batch = rotate_to_area_frame(take(windows.columns, rows), window)
        predicted = fitted(reads(pair), pair[1]).predict(batch)
        return measured_frame(predicted, pair[1], batch, window)

    return {name: partial(predict, reads) for name, reads in RIDGES.items()}


def _ridge_rows(study: Study) -> UnitResult:
    return concatenate_results(
        evaluate_directions(study, name, 'none', study.seeds[0], predict, kinds=UNIQUE_KINDS)
        for name, predict in ridge_predictors(study).items())


def _ratio_rows(study: Study, seed: int) -> UnitResult:
    """Errors of models relative to ridge on the same inputs, and of merges to one source."""
    ridges, recipe = ridge_predictors(study), study.recipe
    unified = study.model(seed)
    past = study.trained(seed, with_past(recipe, study.data.modalities))[0]
    alone = {name: study.trained(seed, direct(recipe, name))[0] for name in study.data.modalities}

    def direct_mapping(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        return model_predictor(alone[pair[1]], target_past)(windows, rows, pair)

    compared: dict[str, tuple[Translate, str]] = {
        'utt': (model_predictor(unified, direction_sources), 'ridge'),
        'utt_past': (model_predictor(past, sources_and_past), 'ridge_both'),
        'direct': (direct_mapping, 'ridge_past')}
    rows = [row for method, (predict, floor) in compared.items()
            for row in ratios_to_floor(study, method, seed, predict, ridges[floor])]
    for method, predict in (('utt', compared['utt'][0]), ('ridge', ridges['ridge'])):
        rows += merging_gains(study, method, seed, predict)
    return UnitResult(tuple(rows))


def ratios_to_floor(
    study: Study, method: str, seed: int, predict: Translate, floor: Translate, *,
    targets: Sequence[str] = MODALITIES,
) -> Iterator[Row]:
    """Errors relative to those of a floor on the same windows, in every unique direction."""
    for label, rows, pair in measured_directions(
            study, method, 'none', seed, kinds=UNIQUE_KINDS, targets=targets):
        of_method, of_floor = _predictions(study, rows, label, (predict, pair), (floor, pair))
        yield ratio_row(TO_RIDGE, of_method, of_floor, label)


def merging_gains(
    study: Study, method: str, seed: int, predict: Translate, *,
    targets: Sequence[str] = MODALITIES,
) -> Iterator[Row]:
    """Errors of merges relative to that of their best single source, on the same windows."""
    for label, rows, (sources, target) in measured_directions(
            study, method, 'none', seed, kinds=('merge',), targets=targets):
        merged, *single = _predictions(
            study, rows, label, (predict, (sources, target)),
            *((predict, ((name,), target)) for name in sources))
        yield worst_row([ratio_row(TO_BEST_SOURCE, merged, item, label) for item in single])


def _predictions(
    study: Study, rows: Indices, label: TranslationLabel, *wanted: tuple[Translate, Pair],
) -> list[Prediction]:
    windows = study.translation_windows()
    return [make_prediction(windows, rows, predict(windows, rows, pair), label)
            for predict, pair in wanted]
