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

"""Recipes of the compared methods."""


from utt_ros.evaluation.recipes import direct, directions, reconstruct, specific, with_past
from utt_ros.models.operations import Operation
from utt_ros.training.offline_dataset import past
from utt_ros.training.training_recipe import Recipe

NAMES = ('camera', 'ftm', 'imu')


def test_every_direction_has_its_past_in_the_model_that_reads_it() -> None:
    pairs = {(tuple(sorted((*sources, past(target)))), target)
             for _, (sources, target) in directions(NAMES)}
    assert pairs == {pair for item in with_past(Recipe(), NAMES).operations for pair in item.pairs}


def test_an_autoencoder_reads_the_window_and_direct_mapping_the_past() -> None:
    assert reconstruct(Recipe(), 'imu').operations == (Operation('transfer', ('imu',), ('imu',)),)
    assert direct(Recipe(), 'imu').operations == (
        Operation('transfer', ('imu_past',), ('imu',)),)


def test_a_specific_model_trains_one_kind_of_operation() -> None:
    kinds = {item.kind for item in specific(Recipe(), 'merge').operations}
    assert kinds == {'merge'}


def test_every_split_is_scored_to_all_other_modalities() -> None:
    pairs = {kind: [pair for other, pair in directions(NAMES) if other == kind]
             for kind in ('transfer', 'merge', 'split')}
    assert len(pairs['transfer']) == len(pairs['split']) == 6
    assert (('camera', 'ftm'), 'imu') in pairs['merge']
