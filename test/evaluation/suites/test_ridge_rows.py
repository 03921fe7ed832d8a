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

"""Rows of ridge regression, and of models relative to it."""

import math
from collections.abc import Callable

from utt_ros.evaluation.results import TO_BEST_SOURCE, TO_RIDGE, Row

RunUnit = Callable[[str, str], tuple[Row, ...]]


def test_ridge_reads_sources_or_the_past_or_both(run_unit: RunUnit) -> None:
    rows = [row for row in run_unit('operations', 'operations-ridge') if row.metric == 'nmse_var']
    assert {row.method for row in rows} == {'ridge', 'ridge_past', 'ridge_both'}
    assert {row.operation for row in rows} == {'transfer', 'merge'}
    errors = {row.method: row.value for row in rows
              if (row.sources, row.target) == ('ftm+imu', 'camera')}
    assert errors['ridge_past'] < 0.9  # people do not jump
    assert errors['ridge'] < 1.0


def test_ratios_compare_models_with_ridge_on_the_same_inputs(run_unit: RunUnit) -> None:
    rows = run_unit('operations', 'operations-ratios-seed0')
    to_ridge = [row for row in rows if row.metric == TO_RIDGE]
    assert {row.method for row in to_ridge} == {'utt', 'utt_past', 'direct'}
    assert len(to_ridge) == 3 * 9
    assert all(row.value > 0.0 for row in to_ridge)
    gains = [row for row in rows if row.metric == TO_BEST_SOURCE]
    assert {row.operation for row in gains} == {'merge'}
    assert {row.method for row in gains} == {'utt', 'ridge'}
    assert all(math.isnan(row.low) or row.low <= row.high for row in rows)
