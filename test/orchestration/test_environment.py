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

"""Requirements of a launch plan on this machine, and RViz layouts."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan, read_area_plan
from utt_ros.orchestration.ros_environment import shared_file
from utt_ros.parameter_files import write_parameter_file
from utt_ros.settings import AreaSettings

HALL = AreaPlan(AreaSettings(area='hall'), parameter_files=(Path('/hall.yaml'),))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ROS installation with RViz and the messages of TF."""
    path = tmp_path / 'ros' / 'lib' / 'rviz2' / 'rviz2'
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'ros'))
    (tmp_path / 'python' / 'tf2_msgs').mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / 'python'))


@pytest.mark.usefixtures('installed')
def test_installed_programs_are_started(tmp_path: Path) -> None:
    plan, remarks = prepare_plan(
        LaunchPlan((HALL,), state_dir=tmp_path / 'state', rviz=True, federated=False))
    assert [remark for remark in remarks if 'installed' in remark] == []
    names = {node.name for node in graph_nodes(plan)}
    assert {'static_frames', 'rviz'} <= names
    text = (tmp_path / 'state' / 'hall' / 'area.rviz').read_text()
    assert 'Fixed Frame: hall\n' in text


@pytest.mark.usefixtures('installed')
def test_replay_alone_has_frames_as_well() -> None:
    plan, _ = prepare_plan(LaunchPlan((HALL,), nodes=False))
    assert 'static_frames' in {node.name for node in graph_nodes(plan)}


def test_missing_programs_are_left_out_with_a_remark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setitem(sys.modules, 'tf2_msgs', None)
    plan, remarks = prepare_plan(
        LaunchPlan((HALL,), state_dir=tmp_path / 'state', rviz=True, federated=False))
    assert not plan.rviz
    assert not plan.transforms
    missing = [remark for remark in remarks if 'installed' in remark]
    assert [remark.split()[0] for remark in missing] == ['tf2_msgs', 'rviz2']
    assert not (tmp_path / 'state/hall').exists()


@pytest.mark.usefixtures('installed')
def test_several_areas_have_the_layout_of_their_building(tmp_path: Path) -> None:
    stairs = replace(HALL, settings=AreaSettings(area='stairs', map_pose=(9.0, 0.0, 0.0)))
    plan, _ = prepare_plan(LaunchPlan((HALL, stairs), tmp_path, rviz=True, federated=False))
    assert plan.rviz
    text = (tmp_path / 'building' / 'building.rviz').read_text()
    assert 'Fixed Frame: map\n' in text
    assert '/stairs/markers' in text


def test_bad_floor_plan_is_refused_before_anything_starts(tmp_path: Path) -> None:
    given = LaunchPlan((HALL,), tmp_path, federated=False, floor_plan=tmp_path / 'none.yaml')
    with pytest.raises(SettingsError, match=r'floor plan .*none\.yaml: '):
        prepare_plan(given)


def test_shared_file_of_the_installation_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / 'share' / 'utt_ros' / 'config' / 'area.rviz'
    path.parent.mkdir(parents=True)
    path.touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    assert shared_file('config/area.rviz') == path


def test_shared_file_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingsError, match='config/no_such_file is not installed'):
        shared_file('config/no_such_file')


def test_drivers_replaced_by_a_recording_are_remarked(tmp_path: Path) -> None:
    hall = AreaPlan(AreaSettings(area='hall'), bags=(Path('bag'),), drivers=('ftm',))
    _, remarks = prepare_plan(LaunchPlan((hall,), tmp_path, federated=False))
    assert 'hall: recordings replace its drivers' in remarks
    _, remarks = prepare_plan(LaunchPlan((replace(hall, bags=()),), tmp_path, federated=False))
    assert not any('replace' in remark for remark in remarks)


@pytest.mark.parametrize('recordings', [0, 2])
def test_area_that_would_be_silent_is_remarked_with_the_remedy(
    recordings: int, tmp_path: Path, make_bag: Callable[..., Path],
) -> None:
    write_parameter_file(tmp_path / 'area.yaml', AreaSettings(area='hall'))
    for number in range(recordings):
        make_bag(tmp_path / f'session{number}', '/hall/camera/tracks')
    area = read_area_plan(tmp_path / 'area.yaml')
    _, remarks = prepare_plan(LaunchPlan((area,), tmp_path / 'state', federated=False))
    (remark,) = [each for each in remarks if each.startswith('hall: no drivers and no recording')]
    assert '/hall/camera/tracks' in remark
    assert ('--sessions' in remark) == bool(recordings)


def test_settings_that_must_be_surveyed_are_not_assumed_in_silence(tmp_path: Path) -> None:
    file = tmp_path / 'hall.yaml'
    file.write_text('/**:\n  ros__parameters: {area: hall, camera_height: 3.1, '
                    'modalities: [camera, imu]}\n')
    _, remarks = prepare_plan(LaunchPlan((read_area_plan(file),), tmp_path, federated=False))
    (remark,) = [each for each in remarks if 'assumed' in each]
    assert remark.startswith('WARNING: hall: not given')
    assert 'camera_pitch 0.20943951, magnetic_yaw 0.0;' in remark
    write_parameter_file(file, AreaSettings(area='hall'))
    _, remarks = prepare_plan(LaunchPlan((read_area_plan(file),), tmp_path, federated=False))
    assert not any('assumed' in each for each in remarks)
    file.write_text('/**:\n  ros__parameters: {area: hall, modalities: [ftm], '
                    'access_points: {a: [0.0, 0.0, 2.0]}}\n')
    assert not read_area_plan(file).assumed


def test_areas_of_a_building_without_poses_are_remarked(tmp_path: Path) -> None:
    stairs = replace(HALL, settings=AreaSettings(area='stairs'))
    plan = LaunchPlan((HALL, stairs), tmp_path, federated=False)
    assert any('hall, stairs lie at the same place' in each for each in prepare_plan(plan)[1])
    moved = replace(stairs, settings=AreaSettings(area='stairs', map_pose=(5.0, 0.0, 0.0)))
    _, remarks = prepare_plan(replace(plan, areas=(HALL, moved)))
    assert not any('same place' in each for each in remarks)


@pytest.mark.parametrize('change', [
    {'bags': (Path('bag'),)}, {'drivers': ('ftm',), 'parameter_files': ()}])
def test_area_with_an_input_is_not_remarked_as_silent(
    change: dict[str, tuple[object, ...]], tmp_path: Path,
) -> None:
    plan = LaunchPlan((replace(HALL, **change),), tmp_path / 'state', federated=False)
    assert not any('no recording' in remark for remark in prepare_plan(plan)[1])


def test_recording_under_another_name_is_remarked(tmp_path: Path) -> None:
    lobby = AreaPlan(AreaSettings(area='lobby'), bags=(Path('bag'),), recorded=('/hall',))
    _, remarks = prepare_plan(LaunchPlan((lobby,), tmp_path, federated=False))
    assert 'lobby: the recording of /hall is replayed as /lobby' in remarks
