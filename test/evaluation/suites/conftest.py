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

from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.evaluation.results import Row
from utt_ros.evaluation.suites import suite_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe

RunUnit = Callable[[str, str], tuple[Row, ...]]


@pytest.fixture
def study(data: Recordings, recipe: Recipe, tmp_path: Path) -> Study:
    """Compare small models on simulated walks."""
    return Study(data, tmp_path, (0,), recipe=recipe)


@pytest.fixture
def run_unit(study: Study) -> RunUnit:
    """Run a unit of a suite and return its rows."""
    def run(suite: str, key: str) -> tuple[Row, ...]:
        return next(unit for unit in suite_units(suite, study) if unit.key == key).run().rows
    return run
