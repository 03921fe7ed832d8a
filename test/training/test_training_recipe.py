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

"""Recipes of offline training."""

import pytest

from utt_ros.errors import SettingsError
from utt_ros.models.operations import Operation, operations
from utt_ros.models.settings import ModelSettings
from utt_ros.training.training_recipe import Recipe, centralised, deployable


def test_a_recipe_refuses_an_unknown_plan() -> None:
    with pytest.raises(SettingsError, match='plan is'):
        Recipe(plan='somewhere')


def test_operations_are_those_of_the_terms_unless_others_are_wanted() -> None:
    base = Recipe(model=ModelSettings(), terms=('transfer', 'motion'))
    assert base.operations == tuple(operations(('camera', 'ftm', 'imu'), ('transfer',)))
    wanted = (Operation('transfer', ('ftm',), ('imu',)),)
    assert Recipe(wanted=wanted).operations == wanted


def test_a_centralised_recipe_has_larger_batches_and_a_deployable_one_twice_the_rounds() -> None:
    base = Recipe()
    assert centralised(base).plan == 'centralised'
    assert centralised(base).batch == 2 * base.batch
    assert deployable(base).rounds == 2 * base.rounds
    assert deployable(base).patience == 2 * base.patience
