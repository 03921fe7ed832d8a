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

"""The unified model merged with the belief: what the twin publishes as a virtual sensor."""

from collections.abc import Callable, Mapping
from functools import cache, partial

import numpy as np

from utt_ros.evaluation.belief_replay import (
    ExpectedTrack,
    merge_windows_with_tracks,
    replay_expected,
)
from utt_ros.evaluation.metrics.translation import TranslationWindows, translate
from utt_ros.evaluation.outages import mask_modality
from utt_ros.evaluation.results import Row, Unit, UnitResult
from utt_ros.evaluation.suites.direction_rows import (
    OPERATIONS_SUITE,
    UNIQUE_KINDS,
    Translate,
    evaluate_directions,
)
from utt_ros.evaluation.suites.ridge_rows import merging_gains, ratios_to_floor, ridge_predictors
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.columns import take
from utt_ros.training.recordings import RecordedSequence
from utt_ros.twin.graph_layout import MIN_SEVERAL
from utt_ros.twin.held_fields import unoriented_std
from utt_ros.types import FloatArray, Indices, MaskArray

METHOD = 'utt_belief'
LOCATING = {'camera', 'ftm'}  # modalities without which a belief has no position
TARGETS = ('camera', 'ftm')  # how a phone is held is not known where none was measured
Hidden = Callable[[RecordedSequence], Mapping[str, MaskArray]]
"""Ticks (T,) at which modalities of a sequence are masked."""
ExpectedTracks = dict[tuple[str, str], ExpectedTrack]


def belief_units(study: Study) -> list[Unit]:
    """List units by seed: rows of the operations, and ratios."""
    return [Unit(f'{OPERATIONS_SUITE}-belief-seed{seed}', partial(_belief_rows, study, seed))
            for seed in study.seeds]


def belief_tracks(study: Study, twin: UnifiedTwin, target: str, hidden: Hidden) -> ExpectedTracks:
    """Replay the split with masked modalities; return expected measurements of `target`."""
    export = cache(partial(export_onnx, twin))
    tracks: ExpectedTracks = {}
    for item in study.data.of(study.split):
        batches = item.batches
        for name, off in hidden(item).items():
            batches = tuple(mask_modality(batches, name, off))
        graph = export(min(len(item.area.ap_positions), MIN_SEVERAL))
        found = replay_expected(
            item.area, study.data.window, graph, batches, target, belief=item.belief)
        tracks |= {(item.sequence, subject): track for subject, track in found.items()}
    return tracks


def merge_decoded(
    study: Study, seed: int, windows: TranslationWindows, rows: Indices, *, pair: Pair,
    tracks: ExpectedTracks,
) -> FloatArray:
    """Decode the windows `rows`, and merge them with tracks."""
    decoded = translate(study.model(seed), take(windows.columns, rows), pair)
    keys = windows.sequences[rows], windows.subjects[rows], windows.stamps_ns[rows]
    std = unoriented_std(pair[1], study.residual_deviations(seed, pair))
    return merge_windows_with_tracks(decoded, std, keys, tracks, study.data.window)


def _belief_predictor(study: Study, seed: int) -> Translate:
    """Predict with a belief that only the sources of the direction have updated."""
    twin = study.model(seed)

    @cache
    def tracks(sources: tuple[str, ...], target: str) -> ExpectedTracks:
        if not LOCATING & set(sources):
            return {}
        others = [name for name in study.data.modalities if name not in sources]
        return belief_tracks(study, twin, target, lambda item: {
            name: np.ones(len(item.batches), bool) for name in others})

    def predict(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        return merge_decoded(study, seed, windows, rows, pair=pair, tracks=tracks(*pair))
    return predict


def _belief_rows(study: Study, seed: int) -> UnitResult:
    predict, fusor = _belief_predictor(study, seed), study.model(seed).settings.fusor
    result = evaluate_directions(study, METHOD, fusor, seed, predict, kinds=UNIQUE_KINDS,
                                 targets=TARGETS)
    rows: list[Row] = [*result.rows, *merging_gains(
        study, METHOD, seed, predict, targets=TARGETS)]
    if study.trainable:
        ridge = ridge_predictors(study)['ridge']
        rows += ratios_to_floor(study, METHOD, seed, predict, ridge,
                                targets=TARGETS)
    return UnitResult(tuple(rows), result.predictions)
