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

"""The suite that compares fusors."""

from collections.abc import Callable

from utt_ros.evaluation.results import Row
from utt_ros.evaluation.suites import suite_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.fusors import FUSORS


def test_every_fusor_is_compared(
    study: Study, run_unit: Callable[[str, str], tuple[Row, ...]],
) -> None:
    assert {unit.key for unit in suite_units('fusors', study)} == {
        f'fusors-{name}-seed0' for name in (
            *FUSORS.names(), 'corrupted-gating', 'corrupted-average', 'corrupted-concat', 'gates')}
    rows = run_unit('fusors', 'fusors-max-seed0')
    assert {row.fusor for row in rows} == {'max'}
    assert {row.operation for row in rows if row.metric == 'nmse_var'} == {
        'transfer', 'merge', 'split'}
