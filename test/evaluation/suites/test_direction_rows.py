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

"""Directions of operations, evaluated with a given predictor."""

import numpy as np
import pytest

from utt_ros.evaluation.metrics.translation import TranslationWindows
from utt_ros.evaluation.suites.direction_rows import (
    direction_sources,
    evaluate_directions,
    sources_and_past,
    target_past,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import Pair
from utt_ros.types import FloatArray, Indices


def perfect(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
    return np.asarray(windows.columns[pair[1]][rows])


def test_perfect_predictor_has_no_error_in_any_direction(study: Study) -> None:
    result = evaluate_directions(study, 'perfect', 'none', 0, perfect)
    errors = [row.value for row in result.rows if row.metric == 'nmse_var']
    assert errors == pytest.approx([0.0] * 15)  # six transfers, three merges, three splits of two
    assert len(result.predictions) == len(errors)
    ious = [row.value for row in result.rows if row.metric == 'iou']
    assert ious == pytest.approx([1.0] * len(ious))


def test_kinds_and_targets_can_be_selected(study: Study) -> None:
    result = evaluate_directions(
        study, 'perfect', 'none', 0, perfect, kinds=('merge',), targets=('imu',))
    assert {(row.operation, row.sources, row.target) for row in result.rows} == {
        ('merge', 'camera+ftm', 'imu')}


def test_unified_model_reads_sources_and_direct_mapping_the_past_of_the_target() -> None:
    assert direction_sources((('ftm',), 'imu')) == ('ftm',)
    assert target_past((('ftm',), 'imu')) == ('imu_past',)
    assert sources_and_past((('ftm',), 'imu')) == ('ftm', 'imu_past')
