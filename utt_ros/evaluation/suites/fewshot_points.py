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

"""Points of few-shot curves: errors in new areas after some of their windows.

Areas are left out in groups. A model trained federatedly on the others meets each group; a given
model meets all areas. Errors are of the evaluated windows of all new areas together. Points are
cached, as several units read them.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from utt_ros.documents import load_json
from utt_ros.evaluation.federated.few_shot import (
    ALL_WINDOWS,
    SCRATCH,
    FewShotLearner,
    NewAreas,
)
from utt_ros.evaluation.federated.strategies import predict_by_area
from utt_ros.evaluation.metrics.intervals import WalkErrors, walk_errors
from utt_ros.evaluation.metrics.translation import TranslationLabel, make_prediction
from utt_ros.evaluation.recipes import directions, with_fusor
from utt_ros.evaluation.trained_models import Study, file_lock
from utt_ros.files import write_atomically
from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin, initial_weights, read_weights
from utt_ros.training.offline_dataset import PAST_MODALITIES
from utt_ros.types import Indices

FEWSHOT_SUITE = 'fewshot'
GROUPS = 3  # of areas that are left out together
UNINFORMATIVE = (  # directions in which no method beats the mean
    (('imu',), 'camera'), (('imu',), 'ftm'), (('ftm',), 'imu'))


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Errors of one method after some windows of each new area."""

    errors: dict[Pair, WalkErrors]
    counts: dict[Pair, int]  # of test windows
    windows: float  # that were trained on, mean over areas


def new_area_groups(study: Study) -> list[tuple[str, ...]]:
    """Return the areas to evaluate in, in groups that are new together."""
    needed = ('train', study.split) if study.trainable else (study.split,)
    areas = [area for area in sorted(study.data.areas)
             if all(study.data.of(split, area) for split in needed)]
    if study.given is not None:
        return [tuple(areas)] if areas else []
    groups = [tuple(areas[first::GROUPS]) for first in range(min(GROUPS, len(areas)))]
    trained = {area for area in study.data.areas if study.data.of('train', area)}
    return [group for group in groups if trained - set(group)]


def size_name(size: int) -> str:
    """Return the number of windows as in the operation of rows."""
    return 'all' if size == ALL_WINDOWS else str(size)


def curve_point(
    study: Study, learner: FewShotLearner, method: str, size: int, seed: int,
) -> CurvePoint:
    """Return a point of a curve, measured or cached; another process waits for this one."""
    path = study.folder / FEWSHOT_SUITE / (
        f'{study.key(seed, study.recipe, method, size_name(size))}.json')
    path.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(path.with_suffix('.lock')):
        point = _read_point(path)
        if point is None:
            point = _measure(study, learner, method, size, seed)
            _write_point(path, point)
    return point


def _measure(
    study: Study, learner: FewShotLearner, method: str, size: int, seed: int,
) -> CurvePoint:
    twins: dict[str, UnifiedTwin] = {}
    windows: list[int] = []
    for group in new_area_groups(study):
        new = _new_areas(study, group, method, seed)
        twins |= learner.learn(method, new, size, seed)
        windows += [len(learner.first_windows(new.recipe, area, size)['camera']) if size else 0
                    for area in group]
    bench = study.translation_windows()
    areas = np.array([name.partition('/')[0] for name in bench.sequences])
    errors: dict[Pair, WalkErrors] = {}
    counts: dict[Pair, int] = {}
    for kind, pair in directions(study.data.modalities):
        rows: Indices = bench.rows_for(*pair)
        rows = rows[np.isin(areas[rows], list(twins))]
        if kind != 'split' and pair not in UNINFORMATIVE and len(rows):
            label = TranslationLabel(FEWSHOT_SUITE, method, '', '', pair[1], '', seed)
            predicted = predict_by_area(twins, bench, rows, pair)
            errors[pair] = walk_errors(make_prediction(bench, rows, predicted, label))
            counts[pair] = len(rows)
    return CurvePoint(errors, counts, float(np.mean(windows)))


def _new_areas(study: Study, group: tuple[str, ...], method: str, seed: int) -> NewAreas:
    """Return the areas of a group with the model to begin with: of all others, or the given one.

    From scratch it is a random one, for which no other has to be trained.
    """
    data, recipe = study.data, with_fusor(study.recipe, study.recipe.model.fusor)
    if study.given is not None:
        given = study.model(seed)
        recipe = replace(recipe, model=given.settings)
        weights = read_weights(given)
    if method == SCRATCH:
        weights = initial_weights(recipe.model, data.window, seed, PAST_MODALITIES)
    if study.given is not None or method == SCRATCH:
        return NewAreas(group, (), weights, recipe)
    others = replace(
        data, fingerprint=f'{data.fingerprint} without {",".join(group)}',
        recordings=tuple(item for item in data.recordings if item.area.area not in group))
    twin, _ = replace(study, data=others).trained(seed, recipe)
    joined = tuple(area for area in others.areas if others.of('train', area))
    return NewAreas(group, joined, read_weights(twin), recipe)


def _write_point(path: Path, point: CurvePoint) -> None:
    content = {'windows': point.windows, 'directions': [
        {'sources': pair[0], 'target': pair[1], 'count': point.counts[pair],
         'error': errors.error.tolist(), 'spread': errors.spread.tolist()}
        for pair, errors in point.errors.items()]}
    write_atomically(path, json.dumps(content).encode())


def _read_point(path: Path) -> CurvePoint | None:
    """Return a cached point; None when the file is absent or damaged."""
    try:
        content = load_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    pairs = {(tuple(item['sources']), item['target']): item for item in content['directions']}
    return CurvePoint(
        {pair: WalkErrors(np.array(item['error']), np.array(item['spread']))
         for pair, item in pairs.items()},
        {pair: item['count'] for pair, item in pairs.items()}, content['windows'])
