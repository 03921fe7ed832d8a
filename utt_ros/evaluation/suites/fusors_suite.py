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

"""Every fusor in every direction, with the same training: Fig. 4 of the paper."""

from functools import partial

from utt_ros.evaluation.recipes import with_fusor
from utt_ros.evaluation.results import Unit, UnitResult
from utt_ros.evaluation.suites.direction_rows import (
    direction_sources,
    evaluate_directions,
    model_predictor,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.fusors import FUSORS

FUSORS_SUITE = 'fusors'


def fusors_units(study: Study) -> list[Unit]:
    """List units by fusor and seed."""
    return [Unit(f'{FUSORS_SUITE}-{fusor}-seed{seed}', partial(_fusor, study, fusor, seed))
            for fusor in FUSORS.names() for seed in study.seeds]


def _fusor(study: Study, fusor: str, seed: int) -> UnitResult:
    twin, _ = study.trained(seed, with_fusor(study.recipe, fusor))
    return evaluate_directions(
        study, 'utt', fusor, seed, model_predictor(twin, direction_sources), suite=FUSORS_SUITE)
