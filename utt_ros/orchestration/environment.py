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

"""Requirements of nodes and launch plans: environment, optional programs, files of the package."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.files import write_atomically
from utt_ros.orchestration.graph import AreaPlan, LaunchPlan, layout_path
from utt_ros.orchestration.model_check import check_initial_model
from utt_ros.orchestration.plan_keys import prepare_keys
from utt_ros.orchestration.spec import PACKAGE_NAME, find_ros_executable

CHECKOUT = Path(__file__).parents[2]
MIDDLEWARE_INDEX = 'share/ament_index/resource_index/rmw_typesupport'
MAX_DOMAIN_ID = 232  # beyond it the ports of DDS exceed 65535 [S]


def check_environment() -> None:
    """Raise SettingsError for a variable of the environment with which no node can start."""
    _check_middleware(os.environ.get('RMW_IMPLEMENTATION', ''))
    domain = os.environ.get('ROS_DOMAIN_ID', '')
    number = int(domain) if domain.isascii() and domain.isdigit() else -1
    if domain and not 0 <= number <= MAX_DOMAIN_ID:
        raise SettingsError(
            f'ROS_DOMAIN_ID is {domain!r}: it must be an integer in 0..{MAX_DOMAIN_ID}')
    _check_log_folder()


def prepare_plan(plan: LaunchPlan) -> tuple[LaunchPlan, list[str]]:
    """Remove programs that are not installed from a plan, and write the RViz layouts.

    Return the plan and remarks about removed programs and replaced drivers. Raises SettingsError
    for an environment in which no node can start, and a model that cannot be started from.
    """
    check_environment()
    check_initial_model(plan)
    remarks = prepare_keys(plan)
    transforms = plan.nodes and _installed('tf2_ros', 'static_transform_publisher')
    if plan.nodes and not transforms:
        remarks.append('tf2_ros is not installed: no static frames (no output needs them)')
    rviz = plan.rviz and _installed('rviz2', 'rviz2')
    if plan.rviz and not rviz:
        remarks.append('rviz2 is not installed: areas are not shown')
    remarks += [f'{area.name}: recordings replace its drivers'
                for area in plan.areas if plan.nodes and area.bags and area.drivers]
    plan = replace(plan, rviz=rviz, transforms=transforms)
    if rviz:
        template = shared_file('config/area.rviz').read_text(encoding='utf-8')
        for area in plan.areas:
            path = layout_path(plan, area)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, rviz_layout(template, area).encode())
    return plan, remarks


def rviz_layout(template: str, area: AreaPlan) -> str:
    """Adapt frame and topics of an RViz layout, made for an area named 'area', to an area."""
    text = template.replace('Fixed Frame: area\n', f'Fixed Frame: {area.name}\n')
    return text.replace('Value: /area/', f'Value: {area.root}/')


def shared_file(name: str) -> Path:
    """Return the path of a file of share/utt_ros, or of the checkout.

    Raises SettingsError when neither exists.
    """
    candidates = [prefix / 'share' / PACKAGE_NAME / name for prefix in _prefixes()]
    for path in (*candidates, CHECKOUT / name):
        if path.is_file():
            return path
    raise SettingsError(f'{name} is not installed')


def _installed(package: str, executable: str) -> bool:
    return find_ros_executable(package, executable) is not None


def _prefixes() -> list[Path]:
    names = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    return [Path(name) for name in names if name]


def _check_middleware(name: str) -> None:
    """Raise SettingsError for a middleware that is not among the installed ones."""
    installed = sorted({
        path.name for prefix in _prefixes() for path in (prefix / MIDDLEWARE_INDEX).glob('rmw_*')
        if path.name != 'rmw_implementation'})
    if name and installed and name not in installed:
        raise SettingsError(
            f'RMW_IMPLEMENTATION is {name!r}, which is not installed (there is '
            f'{", ".join(installed)}): run `unset RMW_IMPLEMENTATION`, or install it')


def _check_log_folder() -> None:
    """Raise SettingsError when nodes cannot write their logs, since they do not start then."""
    home = os.environ.get('ROS_HOME', '') or Path('~/.ros')
    folder = Path(os.environ.get('ROS_LOG_DIR', '') or Path(home, 'log')).expanduser()
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents)
                    if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise SettingsError(f'logs of nodes cannot be written to {folder}: '
                            'set ROS_LOG_DIR to a folder that can be written')
