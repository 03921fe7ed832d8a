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

"""Merges whose sources are corrupted in a share of the windows: fusors and their gates."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from utt_ros.evaluation.metrics.translation import (
    TranslationLabel,
    TranslationWindows,
    make_prediction,
    nmse_row,
    ratio_row,
    worst_row,
)
from utt_ros.evaluation.results import (
    INFORMATIVE,
    MERGE_TO_BEST_SOURCE,
    TO_FUSORS,
    Row,
)
from utt_ros.evaluation.suites.direction_rows import (
    direction_sources,
    measured_directions,
    model_predictor,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.corruption import corrupt_source
from utt_ros.types import Indices

FUSORS_SUITE = 'fusors'
CORRUPTED = 0.2  # share of windows
SEED = 0  # of the corrupted windows: the same for all methods


def corrupt_windows(windows: TranslationWindows, source: str) -> TranslationWindows:
    """Return windows of which CORRUPTED have a wrong source.

    Somebody else walked in the same area at another time, or, without such a walk, elsewhere.
    """
    rng = np.random.default_rng(SEED)
    measured = np.asarray(windows.columns[f'{source}_mask'].any(1))
    rows = np.flatnonzero(measured & (rng.random(len(measured)) < CORRUPTED))
    areas = np.char.partition(windows.sequences, '/')[:, 0]
    donors = rows.copy()
    for place, row in enumerate(rows):
        other = measured & ((windows.sequences != windows.sequences[row])
                            | (windows.subjects != windows.subjects[row]))
        near = other & (areas == areas[row])
        if other.any():
            donors[place] = rng.choice(np.flatnonzero(near if near.any() else other))
    return replace(windows, columns=corrupt_source(windows.columns, source, rows, donors))


def corruption_rows(
    study: Study, method: str, fusor: str, seed: int, twin: UnifiedTwin,
) -> Iterator[Row]:
    """Evaluate merges with clean sources, and with each source corrupted.

    The best single source is the better one under the same corruption.
    """
    predict = model_predictor(twin, direction_sources)
    for windows, label, rows, (sources, target) in _conditions(study, method, fusor, seed):
        merged, *single = [
            make_prediction(study.translation_windows(), rows, predict(windows, rows, pair), label)
            for pair in ((sources, target), *(((name,), target) for name in sources))]
        yield nmse_row(INFORMATIVE, merged, label)
        yield worst_row([ratio_row(MERGE_TO_BEST_SOURCE, merged, item, label) for item in single])


def gate_rows(
    study: Study, method: str, fusor: str, seed: int, twins: Mapping[str, UnifiedTwin],
) -> Iterator[Row]:
    """Errors of merges of a fusor over those of others, clean and corrupted; `twins`: by fusor."""
    for windows, label, rows, pair in _conditions(study, method, fusor, seed):
        of_fusors = {name: make_prediction(
            study.translation_windows(), rows,
            model_predictor(twin, direction_sources)(windows, rows, pair), label)
            for name, twin in twins.items()}
        for other, metric in TO_FUSORS.items():
            yield ratio_row(metric, of_fusors[fusor], of_fusors[other], label)


def _conditions(
    study: Study, method: str, fusor: str, seed: int,
) -> Iterator[tuple[TranslationWindows, TranslationLabel, Indices, Pair]]:
    """Yield the windows that models read, label, rows and direction of each merge."""
    clean = study.translation_windows()
    corrupted = {name: corrupt_windows(clean, name) for name in study.data.modalities}
    for label, rows, pair in measured_directions(
            study, method, fusor, seed, suite=FUSORS_SUITE, kinds=('merge',)):
        yield clean, label, rows, pair
        for name in pair[0]:
            of_source = replace(label, operation=f'{label.operation}_corrupted_{name}')
            yield corrupted[name], of_source, rows, pair
