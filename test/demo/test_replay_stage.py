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

"""Nodes and rate of the replays of a demonstration."""

from pathlib import Path
from typing import Any

from utt_ros.demo.replay_stage import ReplayRun, list_replay_nodes, replay_rate
from utt_ros.demo.scenes import DemoArea
from utt_ros.orchestration.spec import NodeSpec
from utt_ros.sessions.bag_io import topic_matches
from utt_ros.settings import AreaSettings


def test_few_areas_are_replayed_at_recorded_speed():
    assert replay_rate(3, cores=2) == 1.0


def test_many_areas_on_few_cores_are_replayed_slower():
    assert replay_rate(10, cores=2) == 0.5
    assert replay_rate(20, cores=2) == 0.25


def replayed_nodes(tmp_path: Path, **change: Any) -> dict[str, NodeSpec]:
    areas = [
        DemoArea(AreaSettings(area=name), tmp_path / f'{name}.yaml', (Path('train'),),
                 (Path('test'),), (Path(f'{name}_crossing'),)) for name in ('hall', 'yard')]
    run = ReplayRun(tmp_path, tmp_path / 'bag', 2, 60.0, min_round=0, learn=False, **change)
    return {node.label: node for node in list_replay_nodes(areas, run)}


def test_people_who_cross_a_building_are_replayed_on_one_clock_and_handed_over(
    tmp_path: Path,
) -> None:
    nodes = replayed_nodes(tmp_path, floor_plan=tmp_path / 'plan.yaml')
    assert nodes['utt/player'].arguments[:2] == ('hall_crossing', 'yard_crossing')
    assert nodes['utt/building'].arguments == ('--floor-plan', str(tmp_path / 'plan.yaml'))
    assert 'hand_over' not in nodes['hall/twin'].parameters
    recorded = nodes['utt/recorder'].arguments
    for topic in ('/utt/people', '/map', '/hall/twins/ann/position', '/clock'):
        assert topic_matches(topic, [word for word in recorded[1:] if word != '--topic'])


def test_areas_with_people_of_their_own_have_clocks_of_their_own_and_no_hand_over(
    tmp_path: Path,
) -> None:
    nodes = replayed_nodes(tmp_path)
    assert {'hall/player', 'yard/player'} <= nodes.keys()
    assert 'utt/building' not in nodes
    assert nodes['yard/twin'].parameters['hand_over'] == 0.0
