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

"""Environment variables with which nodes do not start."""

from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.ros_environment import MIDDLEWARE_INDEX, check_environment
from utt_ros.settings import AreaSettings

HALL = AreaPlan(AreaSettings(area='hall'))


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


def test_a_user_without_a_home_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('ROS_LOG_DIR', 'ROS_HOME', 'HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr('pwd.getpwuid', lambda _: (_ for _ in ()).throw(KeyError('uid')))
    with pytest.raises(SettingsError, match=r'no home folder for ~/\.ros/log: set HOME'):
        check_environment()
