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

"""Units of the operations suite."""

from pathlib import Path

import pytest

from utt_ros.evaluation.suites.operations_suite import operations_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.training.recordings import Recordings


def test_units_are_named_by_method_and_seed(data: Recordings, tmp_path: Path) -> None:
    keys = [unit.key for unit in operations_units(Study(data, tmp_path, (0, 1)))]
    assert len(set(keys)) == len(keys)
    assert keys[:2] == ['operations-utt-seed0', 'operations-utt-seed1']  # others need their models
    assert {'operations-ridge', 'operations-ratios-seed1', 'operations-floors'} <= set(keys)


@pytest.mark.parametrize('method', ['mean', 'last_value'])
def test_floors_need_no_training(study: Study, method: str) -> None:
    floors = next(unit for unit in operations_units(study) if unit.key == 'operations-floors')
    values = [row.value for row in floors.run().rows
              if row.method == method and row.metric == 'nmse_var']
    assert len(values) == 15  # six transfers, three merges, three splits of two
    assert method == 'last_value' or values == pytest.approx([1.0] * 15)
