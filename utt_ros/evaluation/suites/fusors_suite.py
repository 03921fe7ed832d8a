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

"""Every fusor in every direction, with the same training: Fig. 4 of the paper.

Merges are evaluated with corrupted sources as well, and the fusors that goals compare are trained
with such sources too.
"""

from dataclasses import replace
from functools import partial

from utt_ros.evaluation.recipes import with_fusor
from utt_ros.evaluation.results import GATE_RIVALS, Unit, UnitResult
from utt_ros.evaluation.suites.corruption_rows import (
    CORRUPTED,
    FUSORS_SUITE,
    corruption_rows,
    gate_rows,
)
from utt_ros.evaluation.suites.direction_rows import (
    direction_sources,
    evaluate_directions,
    model_predictor,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.fusors import FUSORS
from utt_ros.models.twin import UnifiedTwin

GATE = 'gating'


TRAINED_WITH = {'utt': 0.0, 'utt_corrupted': CORRUPTED}  # share of windows corrupted in training


def fusors_units(study: Study) -> list[Unit]:
    """List units by fusor and seed; the last of a seed compare the gate with other fusors."""
    listed = [Unit(f'{FUSORS_SUITE}-{fusor}-seed{seed}', partial(_fusor, study, fusor, seed))
              for fusor in FUSORS.names() for seed in study.seeds]
    for seed in study.seeds:
        listed += [Unit(f'{FUSORS_SUITE}-corrupted-{fusor}-seed{seed}',
                        partial(_trained_corrupted, study, fusor, seed))
                   for fusor in (GATE, *GATE_RIVALS)]
        listed += [Unit(f'{FUSORS_SUITE}-gates-seed{seed}', partial(_gates, study, seed))]
    return listed


def _fusor(study: Study, fusor: str, seed: int) -> UnitResult:
    twin = _trained(study, 'utt', fusor, seed)
    result = evaluate_directions(
        study, 'utt', fusor, seed, model_predictor(twin, direction_sources), suite=FUSORS_SUITE)
    return replace(result, rows=(
        *result.rows, *corruption_rows(study, 'utt', fusor, seed, twin)))


def _trained_corrupted(study: Study, fusor: str, seed: int) -> UnitResult:
    twin = _trained(study, 'utt_corrupted', fusor, seed)
    return UnitResult(tuple(corruption_rows(study, 'utt_corrupted', fusor, seed, twin)))


def _gates(study: Study, seed: int) -> UnitResult:
    return UnitResult(tuple(
        row for method in TRAINED_WITH for row in gate_rows(study, method, GATE, seed, {
            fusor: _trained(study, method, fusor, seed) for fusor in (GATE, *GATE_RIVALS)})))


def _trained(study: Study, method: str, fusor: str, seed: int) -> UnifiedTwin:
    recipe = with_fusor(study.recipe, fusor)
    return study.trained(seed, replace(recipe, corruption=TRAINED_WITH[method]))[0]
