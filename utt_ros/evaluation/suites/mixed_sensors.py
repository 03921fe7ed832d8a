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

"""Federation whose areas have different sensors: gated aggregation against FedAvg.

A direction is evaluated in the areas that have its sources and its target.
"""

from dataclasses import replace
from itertools import cycle

import numpy as np

from utt_ros.evaluation.metrics.translation import ratio_row
from utt_ros.evaluation.outages import mask_modality
from utt_ros.evaluation.recipes import with_fusor
from utt_ros.evaluation.results import TO_FEDAVG, UnitResult
from utt_ros.evaluation.suites.direction_rows import (
    UNIQUE_KINDS,
    direction_sources,
    evaluate_directions,
    measured_directions,
    model_predictor,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.training.recordings import Recordings

WEIGHTINGS = ('windows', 'gated')  # of areas


def without_sensors(data: Recordings) -> Recordings:
    """Return recordings whose areas, in order of names, lack no sensor or one, in turn."""
    lacking = dict(zip(sorted(data.areas), cycle((None, *data.modalities))))
    recordings = tuple(
        replace(item, batches=tuple(
            mask_modality(item.batches, name, np.ones(len(item.batches), bool))))
        if (name := lacking[item.area.area]) else item for item in data.recordings)
    return replace(data, recordings=recordings, fingerprint=f'{data.fingerprint}-mixed')


def mixed_sensor_rows(study: Study, suite: str, seed: int) -> UnitResult:
    """Train by each weighting; errors, and those of gated aggregation over those of FedAvg."""
    mixed = replace(study, data=without_sensors(study.data))
    base = with_fusor(study.recipe, study.recipe.model.fusor)
    results = {}
    for weighting in WEIGHTINGS:
        twin, _ = mixed.trained(seed, replace(base, weighting=weighting))
        results[weighting] = evaluate_directions(
            mixed, f'mixed_{weighting}', base.model.fusor, seed,
            model_predictor(twin, direction_sources), suite=suite, kinds=UNIQUE_KINDS)
    averaged, gated = (results[weighting] for weighting in WEIGHTINGS)
    labels = [label for label, _, _ in measured_directions(
        mixed, 'mixed_gated', base.model.fusor, seed, suite=suite, kinds=UNIQUE_KINDS)]
    ratios = [ratio_row(TO_FEDAVG, of_gates, of_mean, label) for of_gates, of_mean, label in zip(
        gated.predictions, averaged.predictions, labels, strict=True)]
    return UnitResult((*averaged.rows, *gated.rows, *ratios),
                      (*averaged.predictions, *gated.predictions))
