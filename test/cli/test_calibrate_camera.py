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

"""Command line of `utt calibrate camera`."""

import re
from pathlib import Path

import numpy as np
import pytest

from utt_ros.cli.main import main
from utt_ros.parameter_files import read_parameter_file, write_parameter_file
from utt_ros.sessions.session_bags import write_session
from utt_ros.settings import AreaSettings
from utt_ros.types import Frames, Session

TABLE = """u,v,x,y
639,638,3,0
486,638,3,1
792,638,3,-1
391,458,6,3
887,458,6,-3
639,357,12,0
"""


def test_two_minutes_of_simulated_walks_give_the_pose_of_the_simulator(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['simulate', '--out', str(tmp_path), '--areas', '1', '--minutes', '2',
                 '--seed', '3']) == 0
    folder, out = tmp_path / 'area0', tmp_path / 'new' / 'camera.yaml'
    bags = sorted(map(str, folder.glob('session*')))
    # an area file that is wrong does not matter
    write_parameter_file(
        folder / 'area.yaml', AreaSettings(area='area0', camera_pitch=0.3, camera_height=4.0))
    assert main(['calibrate', 'camera', *bags, '--out', str(out)]) == 0
    found = read_parameter_file(out)
    assert found['camera_pitch'] == pytest.approx(AreaSettings().camera_pitch, abs=0.005)
    assert found['camera_height'] == pytest.approx(AreaSettings().camera_height, abs=0.1)
    printed = capsys.readouterr().out
    assert re.search(r'camera_pitch: 0.2\d+ ± 0.000\d rad, area file: 0.3000', printed)
    assert re.search(r'roll: [+-]0.000\d ± 0.000\d rad', printed)
    assert 'residuals: 1.' in printed
    assert out.with_suffix('.png').read_bytes().startswith(b'\x89PNG')


def test_floor_points_give_the_pose(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, area = tmp_path / 'floor.csv', tmp_path / 'hall.yaml'
    table.write_text(TABLE)
    write_parameter_file(area, AreaSettings(area='hall'))
    out = tmp_path / 'camera.yaml'
    words = ['calibrate', 'camera', str(table), '--area', str(area), '--out', str(out)]
    assert main(words) == 0
    assert read_parameter_file(out)['camera_pitch'] == pytest.approx(0.2094, abs=0.01)
    assert 'the camera looks' in capsys.readouterr().out
    assert out.with_suffix('.png').exists()


def test_one_short_recording_is_refused_with_the_remedy(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    area, bag = AreaSettings(area='hall'), tmp_path / 'session'
    write_parameter_file(tmp_path / 'area.yaml', area)
    frames = Frames(np.array([10**9]), np.array([0, 1]), np.full((1, 5), 90.0, np.float32),
                    ('anna',), ('1',))
    write_session(Session('hall', 'session', '', frames, {}, {}), area, bag)
    assert main(['calibrate', 'camera', str(bag), '--out', str(tmp_path / 'out.yaml')]) == 2
    assert 'let somebody walk all over the image' in capsys.readouterr().err
    assert not (tmp_path / 'out.yaml').exists()


def test_table_needs_an_area_and_no_bag_beside_it(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / 'floor.csv'
    table.write_text(TABLE)
    assert main(['calibrate', 'camera', str(table)]) == 2
    assert 'give its file with --area' in capsys.readouterr().err
    assert main(['calibrate', 'camera', str(table), str(tmp_path)]) == 2
    assert 'give either' in capsys.readouterr().err
