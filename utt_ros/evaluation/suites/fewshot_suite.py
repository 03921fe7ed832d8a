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

"""Few windows of a new area against the error there: from scratch, transferred, fine-tuned."""

from collections.abc import Sequence
from functools import partial
from math import inf

import numpy as np

from utt_ros.evaluation.federated.few_shot import (
    ALL_WINDOWS,
    FEW_SHOT_METHODS,
    FINE_TUNED,
    SCRATCH,
    TRANSFERRED,
    FewShotLearner,
)
from utt_ros.evaluation.metrics.intervals import (
    MIN_WALKS,
    UNKNOWN,
    Interval,
    WalkErrors,
    percentiles,
    ratio,
)
from utt_ros.evaluation.metrics.translation import (
    INFORMATIVE_CHANNELS,
    TranslationLabel,
    make_row,
)
from utt_ros.evaluation.results import (
    INFORMATIVE,
    OF_WINDOWS_FROM_SCRATCH,
    TO_ALL_WINDOWS,
    Row,
    Unit,
    UnitResult,
)
from utt_ros.evaluation.suites.fewshot_points import (
    FEWSHOT_SUITE,
    curve_point,
    new_area_groups,
    size_name,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import Pair
from utt_ros.types import Array

SIZES = (0, 16, 64, 256, ALL_WINDOWS)


def fewshot_units(study: Study) -> list[Unit]:
    """List units by method, number of windows and seed; the last of a seed compares them.

    Zero-shot alone where there is nothing to train on; none where no area is left to learn from.
    """
    learner = FewShotLearner(study.data)
    if not new_area_groups(study):
        return []
    points = [(TRANSFERRED, 0)]
    if study.trainable:
        points += [(method, size) for method in (SCRATCH, TRANSFERRED, FINE_TUNED)
                   for size in reversed(SIZES) if size]
    listed = []
    for seed in study.seeds:
        listed += [Unit(f'{FEWSHOT_SUITE}-{method}-{size_name(size)}-seed{seed}',
                        partial(_point_rows, study, learner, method, size, seed))
                   for method, size in points]
        if study.trainable:
            listed.append(Unit(f'{FEWSHOT_SUITE}-compared-seed{seed}',
                               partial(_compared_rows, study, learner, seed)))
    return listed


def _point_rows(
    study: Study, learner: FewShotLearner, method: str, size: int, seed: int,
) -> UnitResult:
    point = curve_point(study, learner, method, size, seed)
    rows: list[Row] = []
    for pair, errors in point.errors.items():
        channels = INFORMATIVE_CHANNELS[pair[1]]
        label = _label(study, method, f'{size_name(size)}_windows', pair, seed)
        rows.append(make_row(label, INFORMATIVE, errors.nmse(channels), point.counts[pair],
                             errors.interval(channels)))
    return UnitResult(tuple(rows))


def _compared_rows(study: Study, learner: FewShotLearner, seed: int) -> UnitResult:
    """Zero-shot over the final error, and windows that reach what all do from scratch."""
    curves = {method: [curve_point(study, learner, method if size else TRANSFERRED, size, seed)
                       for size in SIZES] for method in FEW_SHOT_METHODS}
    rows: list[Row] = []
    for pair, count in curves[SCRATCH][0].counts.items():
        channels = INFORMATIVE_CHANNELS[pair[1]]
        zero, *_, final = curves[TRANSFERRED]
        value, interval = ratio(zero.errors[pair], final.errors[pair], channels)
        label = _label(study, TRANSFERRED, '0_windows', pair, seed)
        rows.append(make_row(label, TO_ALL_WINDOWS, value, count, interval))
        scratch = curves[SCRATCH][1:]
        for method in FEW_SHOT_METHODS[1:]:
            value, interval = windows_share(
                [(point.windows, point.errors[pair]) for point in curves[method]],
                [(point.windows, point.errors[pair]) for point in scratch], channels)
            label = _label(study, method, 'windows_needed', pair, seed)
            rows.append(make_row(label, OF_WINDOWS_FROM_SCRATCH, value, count, interval))
    return UnitResult(tuple(rows))


def windows_share(
    transferred: Sequence[tuple[float, WalkErrors]], scratch: Sequence[tuple[float, WalkErrors]],
    channels: slice,
) -> tuple[float, Interval]:
    """Return the share of windows that is needed for the error from scratch with all windows.

    Both are numbers of windows with their errors, increasing; the last of `scratch` sets the
    error. 1 where the transferred model does not reach it.
    """
    values = _share(*((_counts(curve), np.array([[errors.nmse(channels)] for _, errors in curve]))
                      for curve in (transferred, scratch)))
    if len(scratch[0][1].error) < MIN_WALKS:
        return float(values[0]), UNKNOWN
    draws = _share(*((_counts(curve), np.stack([errors.draws(channels) for _, errors in curve]))
                     for curve in (transferred, scratch)))
    return float(values[0]), percentiles(draws)


def _counts(curve: Sequence[tuple[float, WalkErrors]]) -> Array:
    return np.array([windows for windows, _ in curve])


def _share(transferred: tuple[Array, Array], scratch: tuple[Array, Array]) -> Array:
    """Divide the windows that two curves (S,), (S, D) need for the last error of the second."""
    limit = scratch[1][-1]
    needed = [np.where(errors <= limit, windows[:, None], inf).min(0)
              for windows, errors in (transferred, scratch)]
    return np.asarray(np.minimum(needed[0] / needed[1], 1.0))


def _label(
    study: Study, method: str, operation: str, pair: Pair, seed: int,
) -> TranslationLabel:
    fusor = study.recipe.model.fusor if study.given is None else study.model(seed).settings.fusor
    return TranslationLabel(
        FEWSHOT_SUITE, method, operation, '+'.join(pair[0]), pair[1], fusor, seed)
