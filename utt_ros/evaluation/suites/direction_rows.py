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

"""Rows of one method in every direction of the operations."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from utt_ros.evaluation.metrics.translation import (
    TranslationLabel,
    TranslationWindows,
    make_prediction,
    metric_rows,
    translate,
)
from utt_ros.evaluation.recipes import directions
from utt_ros.evaluation.results import Prediction, Row, UnitResult
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import KINDS, Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.columns import take
from utt_ros.training.offline_dataset import past
from utt_ros.types import MODALITIES, FloatArray, Indices

OPERATIONS_SUITE = 'operations'
UNIQUE_KINDS = ('transfer', 'merge')  # a split is its transfers
Translate = Callable[[TranslationWindows, Indices, Pair], FloatArray]
"""Predicts the target of a direction for selected windows."""
Reads = Callable[[Pair], tuple[str, ...]]
"""Inputs of a method in a direction."""


def evaluate_directions(
    study: Study, method: str, fusor: str, seed: int, predict: Translate, *,
    suite: str = OPERATIONS_SUITE, kinds: Sequence[str] = KINDS,
    targets: Sequence[str] = MODALITIES,
) -> UnitResult:
    """Evaluate one method in every direction for which the data have windows.

    `predict(windows, rows, pair)` predicts the target of the windows `rows`. `sources` of a row
    names the direction; docs/evaluation.md lists the inputs of each method.
    """
    windows = study.translation_windows()
    rows: list[Row] = []
    predictions: list[Prediction] = []
    for label, selected, pair in measured_directions(
            study, method, fusor, seed, suite=suite, kinds=kinds, targets=targets):
        predicted = predict(windows, selected, pair)
        predictions.append(make_prediction(windows, selected, predicted, label))
        rows += metric_rows(predictions[-1], label)
    return UnitResult(tuple(rows), tuple(predictions))


def measured_directions(
    study: Study, method: str, fusor: str, seed: int, *, suite: str = OPERATIONS_SUITE,
    kinds: Sequence[str] = KINDS, targets: Sequence[str] = MODALITIES,
) -> Iterator[tuple[TranslationLabel, Indices, Pair]]:
    """Label the directions of some kinds and targets for which there are windows, with these."""
    for label, pair in direction_labels(study, method, fusor, seed, suite=suite):
        rows = study.translation_windows().rows_for(*pair)
        if label.operation in kinds and label.target in targets and len(rows):
            yield label, rows, pair


def direction_labels(
    study: Study, method: str, fusor: str, seed: int, *, suite: str = OPERATIONS_SUITE,
) -> Iterator[tuple[TranslationLabel, Pair]]:
    """Label the rows of one method in every direction."""
    for kind, (sources, target) in directions(study.data.modalities):
        label = TranslationLabel(suite, method, kind, '+'.join(sources), target, fusor, seed)
        yield label, (sources, target)


def concatenate_results(results: Iterable[UnitResult]) -> UnitResult:
    """Concatenate rows and predictions."""
    listed = list(results)
    return UnitResult(tuple(row for result in listed for row in result.rows),
                      tuple(item for result in listed for item in result.predictions))


def model_predictor(twin: UnifiedTwin, reads: Reads) -> Translate:
    """Predict with a model that reads `reads(pair)` in place of the sources of a direction."""
    def predict(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        return translate(twin, take(windows.columns, rows), (reads(pair), pair[1]))
    return predict


def direction_sources(pair: Pair) -> tuple[str, ...]:
    """Return the inputs of the unified model: the sources of the direction."""
    return pair[0]


def target_past(pair: Pair) -> tuple[str, ...]:
    """Return the input of direct mapping: the past of the target."""
    return (past(pair[1]),)


def sources_and_past(pair: Pair) -> tuple[str, ...]:
    """Return the sources of the direction and the past of the target."""
    return tuple(sorted((*pair[0], past(pair[1]))))
