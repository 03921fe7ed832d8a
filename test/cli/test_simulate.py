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

from pathlib import Path

import numpy as np
import pytest

from utt_ros.building.floor_plan import read_floor_plan
from utt_ros.cli.main import main
from utt_ros.parameter_files import read_parameter_blocks
from utt_ros.sessions.session_bags import read_session
from utt_ros.sessions.simulator.known_errors import SIMULATED_BELIEF
from utt_ros.settings import AreaSettings, from_mapping


def utt_simulate(out: Path, *options: str) -> int:
    return main(['simulate', '--out', str(out), '--minutes', '0.6', '--seed', '3', *options])


def test_same_seed_gives_the_same_bytes_and_another_seed_different_ones(tmp_path: Path) -> None:
    assert utt_simulate(tmp_path / 'one', '--areas', '1') == 0
    assert utt_simulate(tmp_path / 'two', '--areas', '1') == 0
    assert utt_simulate(tmp_path / 'other', '--areas', '1', '--seed', '4') == 0
    one, two, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).rglob('*.*'))
         if path.is_file()] for name in ('one', 'two', 'other'))
    assert len(one) == 1 + 3 * 2
    assert one == two
    assert one != other


def test_areas_with_people_of_their_own_hand_nobody_over(tmp_path: Path) -> None:
    assert utt_simulate(tmp_path, '--areas', '1') == 0
    blocks = read_parameter_blocks(tmp_path / 'area0' / 'area.yaml')
    assert blocks['/**/twin'] == {'hand_over': 0.0, 'belief': SIMULATED_BELIEF}


def test_area_file_tells_above_its_belief_that_real_rooms_have_another(tmp_path: Path) -> None:
    assert utt_simulate(tmp_path, '--areas', '1') == 0
    _, found, after = (tmp_path / 'area0' / 'area.yaml').read_text().partition(
        '# belief: for simulated people and sensors; leave it out in a real room\n')
    assert found
    assert after.startswith('/**/twin:')


def test_each_area_may_have_its_own_number_of_access_points(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert utt_simulate(tmp_path / 'one', '--areas', '2', '--access-points', '3', '1') == 0
    numbers = [len(from_mapping(AreaSettings, read_parameter_blocks(
        tmp_path / 'one' / area / 'area.yaml')['/**']).ap_positions)
        for area in ('area0', 'area1')]
    assert numbers == [3, 1]
    assert utt_simulate(tmp_path / 'two', '--areas', '3', '--access-points', '3', '1') == 2
    assert 'access points' in capsys.readouterr().err
    assert not (tmp_path / 'two').exists()


def test_sessions_of_two_runs_are_not_mixed(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'something').mkdir()
    assert utt_simulate(tmp_path) == 2
    assert 'is not empty' in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['simulate', '--help'])
    assert 'utt simulate --out sessions --areas 3' in capsys.readouterr().out


def test_people_of_a_building_are_in_several_areas_at_the_same_time(tmp_path: Path) -> None:
    assert utt_simulate(tmp_path, '--areas', '2', '--crossing', '--access-points', '2') == 0
    first, second = (read_session(tmp_path / area / 'session00') for area in ('area0', 'area1'))
    common = first.phones.keys() & second.phones.keys()
    assert any(np.isin(first.phones[name].inertial_stamps_ns,
                       second.phones[name].inertial_stamps_ns).any() for name in common)
    blocks = read_parameter_blocks(tmp_path / 'area1' / 'area.yaml')
    assert blocks['/**/twin'] == {'belief': SIMULATED_BELIEF}, 'hand-over as by default'
    plan = read_floor_plan(tmp_path / 'plan.yaml')
    assert plan.cells.shape[0] * plan.resolution_m == pytest.approx(2 * 14.0 + 2.0)
