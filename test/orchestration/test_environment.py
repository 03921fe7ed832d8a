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

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from utt_ros.errors import SettingsError
from utt_ros.orchestration.environment import (
    CHECKOUT,
    MIDDLEWARE_INDEX,
    check_environment,
    prepare_plan,
    rviz_layout,
    shared_file,
)
from utt_ros.orchestration.graph import AreaPlan, LaunchPlan, graph_nodes
from utt_ros.settings import AreaSettings

HALL = AreaPlan(AreaSettings(area='hall'))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ROS installation with RViz and tf2."""
    for name in ('rviz2/rviz2', 'tf2_ros/static_transform_publisher'):
        path = tmp_path / 'ros' / 'lib' / name
        path.parent.mkdir(parents=True)
        path.touch(mode=0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'ros'))


@pytest.mark.usefixtures('installed')
def test_installed_programs_are_started(tmp_path: Path) -> None:
    plan, remarks = prepare_plan(
        LaunchPlan((HALL,), state_dir=tmp_path / 'state', rviz=True, federated=False))
    assert remarks == []
    names = {node.name for node in graph_nodes(plan)}
    assert {'camera_frame', 'camera_optical_frame', 'ap_frame', 'rviz'} <= names
    text = (tmp_path / 'state' / 'hall' / 'area.rviz').read_text()
    assert 'Fixed Frame: hall\n' in text


@pytest.mark.usefixtures('installed')
def test_replay_alone_leaves_frames_to_the_areas_own_nodes() -> None:
    plan, _ = prepare_plan(LaunchPlan((HALL,), nodes=False))
    assert not plan.transforms


def test_missing_programs_are_left_out_with_a_remark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    monkeypatch.setenv('PATH', str(tmp_path))
    plan, remarks = prepare_plan(
        LaunchPlan((HALL,), state_dir=tmp_path / 'state', rviz=True, federated=False))
    assert not plan.rviz
    assert not plan.transforms
    assert [remark.split()[0] for remark in remarks] == ['tf2_ros', 'rviz2']
    assert not (tmp_path / 'state/hall').exists()


def test_layout_shows_the_topics_and_the_frame_of_its_area() -> None:
    template = (CHECKOUT / 'config' / 'area.rviz').read_text()
    area = replace(HALL, namespace='/building/hall')
    shown = yaml.safe_load(rviz_layout(template, area))['Visualization Manager']
    assert shown['Global Options']['Fixed Frame'] == 'hall'
    topics = [item['Topic']['Value'] for item in shown['Displays'] if 'Topic' in item]
    assert topics == ['/building/hall/markers', '/building/hall/truth_markers']


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


@pytest.fixture
def middleware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with two middlewares, and a folder for logs."""
    for name in ('rmw_fastrtps_cpp', 'rmw_zenoh_cpp', 'rmw_implementation'):
        path = tmp_path / MIDDLEWARE_INDEX / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'new' / 'log'))


@pytest.mark.usefixtures('middleware')
@pytest.mark.parametrize(('name', 'value', 'complaint'), [
    ('RMW_IMPLEMENTATION', 'rmw_cyclonedds_cpp',
     r"RMW_IMPLEMENTATION is 'rmw_cyclonedds_cpp', which is not installed \(.*rmw_fastrtps_cpp"),
    ('RMW_IMPLEMENTATION', 'rmw_connextdds', 'unset RMW_IMPLEMENTATION'),
    ('RMW_IMPLEMENTATION', 'rmw_implementation', 'unset RMW_IMPLEMENTATION'),
    ('RMW_IMPLEMENTATION', 'fastrtps', 'unset RMW_IMPLEMENTATION'),
    ('ROS_DOMAIN_ID', '233', r"ROS_DOMAIN_ID is '233': it must be an integer in 0\.\.232"),
    ('ROS_DOMAIN_ID', '-1', r'0\.\.232'), ('ROS_DOMAIN_ID', 'robot', r'0\.\.232'),
    ('ROS_DOMAIN_ID', '1.5', r'0\.\.232'), ('ROS_DOMAIN_ID', '7 ', r'0\.\.232'),
    ('ROS_LOG_DIR', '/dev/null/log', 'logs of nodes cannot be written to /dev/null/log'),
    ('ROS_LOG_DIR', '/dev/null', 'set ROS_LOG_DIR to a folder'),
])
def test_an_environment_without_running_nodes_is_refused_by_the_name_of_the_variable(
    name: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=complaint):
        check_environment()
    with pytest.raises(SettingsError, match=complaint):
        prepare_plan(LaunchPlan((HALL,)))


@pytest.mark.usefixtures('middleware')
@pytest.mark.parametrize(('name', 'value'), [
    ('RMW_IMPLEMENTATION', ''), ('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp'),
    ('RMW_IMPLEMENTATION', 'rmw_zenoh_cpp'), ('ROS_DOMAIN_ID', ''), ('ROS_DOMAIN_ID', '0'),
    ('ROS_DOMAIN_ID', '232'), ('ROS_LOG_DIR', ''),
])
def test_an_environment_in_which_nodes_run_is_accepted(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    monkeypatch.setenv(name, value)
    check_environment()


def test_an_unwritable_home_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('ROS_LOG_DIR', raising=False)
    monkeypatch.delenv('ROS_HOME', raising=False)
    monkeypatch.setenv('HOME', '/dev/null')
    with pytest.raises(SettingsError, match=r'/dev/null/\.ros/log: set ROS_LOG_DIR'):
        check_environment()
