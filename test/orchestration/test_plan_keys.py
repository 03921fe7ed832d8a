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

"""Keys of a launch plan exist before its nodes start."""

from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.federation.keys import AGGREGATOR, KeyFolder, public_line
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.plan_keys import prepare_keys
from utt_ros.settings import AreaSettings

AREAS = (AreaPlan(AreaSettings(area='hall')), AreaPlan(AreaSettings(area='stairs')))


def test_keys_of_all_areas_and_of_the_aggregator_are_made_in_the_state(tmp_path: Path) -> None:
    assert prepare_keys(LaunchPlan(AREAS, tmp_path, aggregator=True)) == []
    assert KeyFolder(tmp_path / 'keys').own_names() == [AGGREGATOR, 'hall', 'stairs']


def test_every_node_that_sends_or_receives_models_gets_the_folder_and_no_key(
    tmp_path: Path,
) -> None:
    plan = LaunchPlan(AREAS[:1], tmp_path, aggregator=True)
    given = {node.name: node.parameters for node in graph_nodes(plan)}
    assert {name: (each['signed'], each['keys']) for name, each in given.items()} == dict.fromkeys(
        ('aggregator', 'sync', 'twin', 'trainer'), (True, str(tmp_path / 'keys')))


def test_missing_key_of_an_aggregator_elsewhere_is_remarked_until_it_is_trusted(
    tmp_path: Path,
) -> None:
    plan = LaunchPlan(AREAS, tmp_path / 'state', keys=tmp_path / 'keys')
    assert 'has no key of the aggregator' in prepare_keys(plan)[0]
    keys = KeyFolder(tmp_path / 'keys')
    assert keys.own_names() == ['hall', 'stairs']
    other = KeyFolder(tmp_path / 'other').private(AGGREGATOR).public_key()
    keys.trust(public_line(AGGREGATOR, other))
    assert prepare_keys(plan) == []


def test_plan_without_signatures_is_warned_of_and_makes_no_keys(tmp_path: Path) -> None:
    assert 'nothing is signed' in prepare_keys(LaunchPlan(AREAS, tmp_path, signed=False))[0]
    assert prepare_keys(LaunchPlan(AREAS, tmp_path, nodes=False)) == []
    assert not list(tmp_path.iterdir())


def test_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    plan = LaunchPlan(AREAS, tmp_path, aggregator=True)
    prepare_keys(plan)
    (tmp_path / 'keys/hall.key').chmod(0o644)
    with pytest.raises(SettingsError, match='others can read it'):
        prepare_keys(plan)
