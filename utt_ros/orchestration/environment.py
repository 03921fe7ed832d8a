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

from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

from utt_ros.errors import SettingsError
from utt_ros.files import write_atomically
from utt_ros.orchestration.area_frames import coinciding_areas
from utt_ros.orchestration.graph import layout_path
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.model_check import check_initial_model
from utt_ros.orchestration.phone_sources import phone_groups
from utt_ros.orchestration.plan_keys import prepare_keys
from utt_ros.orchestration.replayed_areas import renamed_recordings
from utt_ros.orchestration.ros_environment import check_environment, check_writable
from utt_ros.orchestration.rviz_layouts import rviz_layout
from utt_ros.orchestration.spec import find_ros_executable
from utt_ros.parameter_files import AREA_FILE
from utt_ros.sessions.session_bags import is_readable_bag


def prepare_plan(plan: LaunchPlan) -> tuple[LaunchPlan, list[str]]:
    """Remove programs that are not installed from a plan, and write the RViz layouts.

    Return the plan and remarks for the user. Raises SettingsError for an environment in which no
    node can start, a folder that cannot be written, a port that two drivers cannot share, and a
    model that cannot be started from.
    """
    check_environment()
    _check_paths(plan)
    phone_groups(plan)
    check_initial_model(plan)
    remarks = prepare_keys(plan)
    transforms = find_spec('tf2_msgs') is not None
    if not transforms:
        remarks.append('tf2_msgs is not installed: no frames in TF (no output needs them)')
    rviz = plan.rviz and _installed('rviz2', 'rviz2')
    if plan.rviz and not rviz:
        remarks.append('rviz2 is not installed: areas are not shown')
    remarks += [f'{area.name}: recordings replace its drivers'
                for area in plan.areas if plan.nodes and area.bags and area.drivers]
    if plan.nodes:
        remarks += [f'WARNING: {text}' for area in plan.areas if (text := area.assumptions())]
        remarks += [text for area in plan.areas for text in renamed_recordings(area)]
        remarks += [_silence(area) for area in plan.areas if not (area.bags or area.drivers)]
        remarks += coinciding_areas([area.settings for area in plan.areas])
    plan = replace(plan, rviz=rviz, transforms=transforms)
    if rviz:
        path = layout_path(plan)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, rviz_layout(plan).encode())
    return plan, remarks


def check_inputs(plan: LaunchPlan) -> None:
    """Raise SettingsError for an area that neither reads sensors nor replays recordings."""
    silent = [area for area in plan.areas if plan.nodes and not (area.bags or area.drivers)]
    if silent:
        raise SettingsError(f'{_silence(silent[0])}; to start it nevertheless, give --external')


def _check_paths(plan: LaunchPlan) -> None:
    """Raise SettingsError for a folder that cannot be written, and for a bad floor plan."""
    try:
        check_writable(plan.state_dir.expanduser(), 'the state of nodes')
    except RuntimeError as err:
        raise SettingsError(f'there is no home folder for {plan.state_dir}: set HOME, or give '
                            'another folder') from err
    if plan.floor_plan is not None:  # the module loads OpenCV
        import_module('utt_ros.building.floor_plan').read_floor_plan(plan.floor_plan.expanduser())
    if plan.record is not None:
        if plan.record.exists():
            raise SettingsError(f'{plan.record} exists: a recording needs a new folder')
        check_writable(plan.record, 'the recording')


def _silence(area: AreaPlan) -> str:
    """Return the sentence about an area that neither reads sensors nor replays recordings."""
    folders = {file.parent for file in area.parameter_files if file.name == AREA_FILE}
    stored = [folder for folder in folders
              if any(is_readable_bag(path) for path in folder.glob('[!.]*'))]
    remedy = (f'; to replay the recordings in {stored[0]}, give --sessions or --bag (replay:=true '
              'or bag:= to launch files)' if stored else '')
    return (f'{area.name}: no drivers and no recording, so it waits for measurements of other '
            f'nodes on {area.root}/camera/tracks and {area.root}/phones/...{remedy}')


def _installed(package: str, executable: str) -> bool:
    return find_ros_executable(package, executable) is not None
