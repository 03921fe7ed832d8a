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

"""A sensor that has been withheld: the other sensors and the belief against its own past.

A window is predicted whose sensor was last seen `gap` seconds before it began. Rivals read the
window before that gap; models read the other sensors in the window; the belief was updated with
all sensors, but for the withheld one since the gap began.
"""

from functools import partial

import numpy as np

from utt_ros.evaluation.metrics.translation import (
    TranslationLabel,
    TranslationWindows,
    cut_translation_windows,
    last_value,
    make_prediction,
    metric_rows,
    nmse_row,
    ratio_row,
    translate,
    worst_row,
)
from utt_ros.evaluation.results import (
    INFORMATIVE,
    TO_BEST_RIVAL,
    Prediction,
    Row,
    Unit,
    UnitResult,
)
from utt_ros.evaluation.suites.belief_rows import METHOD, belief_tracks, merge_decoded
from utt_ros.evaluation.suites.direction_rows import Translate
from utt_ros.evaluation.suites.ridge_rows import ridge_predictors
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import Pair
from utt_ros.training.columns import take
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import FloatArray, Indices, MaskArray

WITHHELD_SUITE = 'withheld'
GAPS_S = (0, 3, 6, 12)
RIVALS = ('ridge_past', 'last_value')  # which read the past of the target alone


def withheld_units(study: Study) -> list[Unit]:
    """List units by seed, target and gap; the first of a seed trains its model."""
    return [Unit(f'{WITHHELD_SUITE}-{target}-{gap_s}s-seed{seed}',
                 partial(_withheld_rows, study, target, gap_s, seed))
            for seed in study.seeds for target in study.data.modalities for gap_s in GAPS_S]


def hidden_ticks(item: RecordedSequence, windows: TranslationWindows, ticks: int) -> MaskArray:
    """Mask the last `ticks` ticks (T,) up to the end of each window of a sequence."""
    stamps = np.array([batch.stamp_ns for batch in item.batches], np.int64)
    ends = np.searchsorted(stamps, windows.stamps_ns[windows.sequences == item.sequence])
    before = ends[:, None] - np.arange(len(stamps))
    return np.asarray(((before >= 0) & (before < ticks)).any(0))


def _withheld_rows(study: Study, target: str, gap_s: int, seed: int) -> UnitResult:
    gap = round(gap_s / study.data.window.period)
    windows = cut_translation_windows(study.data, study.split, study.statistics, gap)
    pair = tuple(name for name in study.data.modalities if name != target), target
    rows = windows.rows_for(*pair)
    if not len(rows):
        return UnitResult(())
    fusor = study.model(seed).settings.fusor

    def predicted(method: str, predict: Translate) -> tuple[TranslationLabel, Prediction]:
        label = TranslationLabel(
            WITHHELD_SUITE, method, f'withheld_{gap_s}s', '+'.join(pair[0]), target, fusor, seed)
        return label, make_prediction(windows, rows, predict(windows, rows, pair), label)

    made = {method: predicted(method, predict)
            for method, predict in _predictors(study, seed, gap).items()}
    listed: list[Row] = []
    for label, prediction in made.values():
        listed += [*metric_rows(prediction, label), nmse_row(INFORMATIVE, prediction, label)]
    rivals = [prediction for method, (_, prediction) in made.items() if method in RIVALS]
    for method, (label, prediction) in made.items():
        if method not in RIVALS:
            ratios = [ratio_row(TO_BEST_RIVAL, prediction, rival, label) for rival in rivals]
            listed.append(worst_row(ratios))
    return UnitResult(tuple(listed), tuple(prediction for _, prediction in made.values()))


def _predictors(study: Study, seed: int, gap: int) -> dict[str, Translate]:
    twin = study.model(seed)

    def last(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        return last_value(take(windows.columns, rows), pair[1])

    def unified(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        return translate(twin, take(windows.columns, rows), pair)

    def belief(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        target, ticks = pair[1], gap + study.data.window.ticks
        tracks = belief_tracks(study, twin, target, lambda item: {
            target: hidden_ticks(item, windows, ticks)})
        return merge_decoded(study, seed, windows, rows, pair=pair, tracks=tracks)

    ridges = ridge_predictors(study, gap) if study.trainable else {}
    return {'last_value': last, **ridges, 'utt': unified, METHOD: belief}
