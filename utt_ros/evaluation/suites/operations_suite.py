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

"""Transfer, merge and split in every direction, with direct mapping and baselines."""

from functools import partial

import numpy as np

from utt_ros.evaluation.metrics.translation import TranslationWindows, last_value
from utt_ros.evaluation.recipes import direct, reconstruct, specific, with_past
from utt_ros.evaluation.results import Unit, UnitResult
from utt_ros.evaluation.suites.belief_rows import belief_units
from utt_ros.evaluation.suites.direction_rows import (
    OPERATIONS_SUITE,
    concatenate_results,
    direction_sources,
    evaluate_directions,
    model_predictor,
    sources_and_past,
)
from utt_ros.evaluation.suites.ridge_rows import ridge_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import KINDS, Pair
from utt_ros.training.columns import take
from utt_ros.training.offline_dataset import past
from utt_ros.types import FloatArray, Indices


def operations_units(study: Study) -> list[Unit]:
    """List units by method and seed; those whose models others use as well come first.

    Methods that are trained are left out where the data have no train split.
    """
    names = study.data.modalities
    listed = [Unit(f'{OPERATIONS_SUITE}-utt-seed{seed}', partial(_unified, study, seed))
             for seed in study.seeds]
    floors = Unit(f'{OPERATIONS_SUITE}-floors', partial(_baselines, study))
    if not study.trainable:
        return [*listed, floors, *belief_units(study)]
    listed += [Unit(f'{OPERATIONS_SUITE}-{method}-{name}-seed{seed}',
                   partial(_alone, study, method, name, seed))
              for method in ('direct', 'direct_reconstruct') for name in names
              for seed in study.seeds]
    listed += [Unit(f'{OPERATIONS_SUITE}-utt_past-seed{seed}', partial(_with_past, study, seed))
              for seed in study.seeds]
    listed += [Unit(f'{OPERATIONS_SUITE}-specific-{kind}-seed{seed}',
                    partial(_specific, study, kind, seed))
              for kind in KINDS for seed in study.seeds]
    return [*listed, floors, *ridge_units(study), *belief_units(study)]


def _unified(study: Study, seed: int) -> UnitResult:
    twin = study.model(seed)
    return evaluate_directions(
        study, 'utt', twin.settings.fusor, seed, model_predictor(twin, direction_sources))


def _alone(study: Study, method: str, target: str, seed: int) -> UnitResult:
    recipe, source = ((direct, past(target)) if method == 'direct' else (reconstruct, target))
    twin, _ = study.trained(seed, recipe(study.recipe, target))
    return evaluate_directions(
        study, method, 'none', seed, model_predictor(twin, lambda _: (source,)),
        targets=(target,))


def _with_past(study: Study, seed: int) -> UnitResult:
    twin, _ = study.trained(seed, with_past(study.recipe, study.data.modalities))
    return evaluate_directions(
        study, 'utt_past', twin.settings.fusor, seed,
        model_predictor(twin, sources_and_past))


def _specific(study: Study, kind: str, seed: int) -> UnitResult:
    twin, _ = study.trained(seed, specific(study.recipe, kind))
    return evaluate_directions(
        study, 'specific', twin.settings.fusor, seed, model_predictor(twin, direction_sources),
        kinds=(kind,))


def _baselines(study: Study) -> UnitResult:
    def mean(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        shape = windows.columns[pair[1]][rows].shape
        return np.broadcast_to(windows.means[pair[1]], shape).astype(np.float32)

    def last(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
        return last_value(take(windows.columns, rows), pair[1])

    return concatenate_results(
        evaluate_directions(study, name, 'none', study.seeds[0], predict)
        for name, predict in (('mean', mean), ('last_value', last)))
