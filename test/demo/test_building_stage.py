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

"""A simulated building is scored by what was recorded of it."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.demo import building_stage
from utt_ros.demo.building_stage import crossing_truth, report_building, simulate_building
from utt_ros.demo.scenes import DemoArea, find_demo_areas
from utt_ros.evaluation.metrics.crossings import list_people
from utt_ros.sessions.session_bags import read_session
from utt_ros.sessions.simulator.drawn_plan import FLOOR_PLAN
from utt_ros.types import NS_PER_S


@pytest.fixture(scope='module')
def areas(tmp_path_factory: pytest.TempPathFactory) -> list[DemoArea]:
    folder = tmp_path_factory.mktemp('building')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building_stage, 'BUILDING_MINUTES', 1.5)
        simulate_building(folder / 'sessions', 1)
    assert (folder / 'sessions' / FLOOR_PLAN).is_file()
    return find_demo_areas(folder / 'sessions', folder / 'areas')


def test_each_area_has_sessions_of_its_own_and_one_that_people_cross(
    areas: list[DemoArea],
) -> None:
    assert [area.name for area in areas] == ['area0', 'area1', 'area2']
    assert 'camera' not in areas[2].settings.modalities
    assert [len(area.settings.ap_positions) for area in areas] == [3, 1, 3]
    for area in areas:
        assert (len(area.train), len(area.test), len(area.crossing)) == (2, 1, 1)
    shared = [set(read_session(area.crossing[0]).truth) for area in areas]
    assert shared[0] & shared[1]


def test_truth_of_all_areas_joins_to_walks_through_the_building(areas: list[DemoArea]) -> None:
    found = crossing_truth(areas)
    for true in found.values():
        assert (np.diff(true.stamps_ns) == NS_PER_S // 10).all()  # without a gap, each once
        steps = np.linalg.norm(np.diff(true.positions_m, axis=0), axis=1)
        assert steps.max() < 0.3
    assert max(np.ptp(true.positions_m[:, 1]) for true in found.values()) > 14.0


def test_recorded_people_are_scored_against_the_walks(
    areas: list[DemoArea], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    true = crossing_truth(areas)
    rows = [
        (number, name, 'area0' if place[1] < 7.0 else 'area1' if place[1] < 21.0 else 'area2',
         stamp_ns, place + np.array([0.3, 0.4]))
        for name, walk in true.items()
        for number, (stamp_ns, place) in enumerate(
            zip(walk.stamps_ns.tolist(), walk.positions_m, strict=True))]
    monkeypatch.setattr(building_stage, 'read_listed_people', lambda bag: list_people(rows))
    monkeypatch.setattr(building_stage, 'read_newest_values',
                        lambda bag, key: {'area0: twin': '2', 'area1: twin': '3'})
    plan = areas[0].crossing[0].parents[1] / FLOOR_PLAN
    found = report_building(areas, tmp_path, plan, tmp_path / 'building.png')
    assert (tmp_path / 'building.png').read_bytes().startswith(b'\x89PNG')
    assert found['people'] == len(true)
    assert found['area_changes'] >= found['handovers'] >= 1
    assert (found['ids_kept'], found['double_counted'], found['beliefs_taken']) == (1.0, 0, 5)
    assert found['access_points'].keys() == {'1', '3'}
    assert all(each['median'] == pytest.approx(0.5) for each in found['access_points'].values())
