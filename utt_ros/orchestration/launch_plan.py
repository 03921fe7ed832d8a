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

"""Plan of a launch: areas as their files describe them, and what runs beside them.

Arguments of launch files and of `utt run` make a plan; `graph.py` lists the nodes of one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from utt_ros.errors import SettingsError
from utt_ros.orchestration.heartbeat import HANG_SEC
from utt_ros.orchestration.parameter_names import (
    AREA_NODES,
    check_block_names,
    check_parameter_names,
)
from utt_ros.parameter_files import (
    AREA_FILE,
    EVERY_NODE,
    read_parameter_blocks,
    read_parameter_file,
)
from utt_ros.settings import AreaSettings, from_mapping
from utt_ros.types import MODALITIES

DEFAULT_STATE = Path('~/.ros/utt_ros')
DRIVERS_PARAMETER = 'drivers'
GRAPH_PARAMETERS = frozenset(  # parameters that the graph sets
    {'area', DRIVERS_PARAMETER, 'federated', 'initial_model', 'keys', 'signed', 'state_dir',
     'use_sim_time'})
SURVEYED = {  # settings that have no default but in simulation, by the sensor that needs them
    'camera': ('camera_height', 'camera_pitch'), 'ftm': ('ap_position',), 'imu': ('magnetic_yaw',)}


@dataclass(frozen=True, slots=True)
class AreaPlan:
    """Nodes of one area: settings, namespace, parameter files, recordings, drivers."""

    settings: AreaSettings
    namespace: str = ''  # default: its name
    parameter_files: tuple[Path, ...] = ()
    bags: tuple[Path, ...] = ()
    recorded: tuple[str, ...] = ()  # namespaces of the area in its bags; empty: its name
    drivers: tuple[str, ...] = ()  # nodes that read its sensors, unless bags replace them
    assumed: tuple[str, ...] = ()  # surveyed settings that its file does not give

    @property
    def name(self) -> str:
        """Name of the area, the prefix of its frames."""
        return self.settings.area

    @property
    def root(self) -> str:
        """Absolute namespace of its nodes."""
        return f'/{(self.namespace or self.name).strip("/")}'

    def assumptions(self) -> str:
        """Return a sentence about surveyed settings that have their defaults; empty without."""
        values = [f'{name} {getattr(self.settings, name)}' for name in self.assumed]
        return (f'{self.name}: not given, and so assumed: {", ".join(values)}; positions are as '
                'wrong as these are (docs/survey.md)') if values else ''


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """Areas, aggregator, replay and tools to start, however they are started."""

    areas: tuple[AreaPlan, ...]
    state_dir: Path = DEFAULT_STATE
    model: Path | None = None  # of the first start; None: untrained weights
    signed: bool = True  # updates, models and graphs carry signatures
    keys: Path | None = None  # folder of keys; None: `keys` in state_dir
    hosts: tuple[str, ...] = ()  # other machines that DDS shall reach
    aggregator_files: tuple[Path, ...] = ()
    aggregator: bool = False
    federated: bool = True  # areas take part in a federation; its aggregator may run elsewhere
    use_sim_time: bool = False  # areas that replay bags follow the clock in any case
    nodes: bool = True  # False: replay only
    rate: float = 1.0
    start_offset_sec: float = 0.0
    loop: bool = False
    together: bool = False  # areas replay bags of the same time, on one clock
    record: Path | None = None
    pictures: bool = False  # record them as well
    keep_days: float = 0.0  # of the recording; 0: no limit
    rviz: bool = False
    transforms: bool = False  # publish the static frames
    building: bool = False  # publish the people of all areas, in one frame
    floor_plan: Path | None = None  # of the building, in the format of map_server
    log_level: str = 'info'
    hang_sec: float = HANG_SEC  # silence of a node's executor after which it is killed; 0: never
    prefix: str = ''  # namespace of the launch, with a leading slash, above all others

    @property
    def tools_namespace(self) -> str:
        """Namespace of the nodes that belong to no area."""
        return f'{self.prefix}/utt'


def find_area_plans(path: Path, *, extra_files: Sequence[Path] = ()) -> tuple[AreaPlan, ...]:
    """Read an area file, or every `<area>/area.yaml` of a folder.

    Raises SettingsError when there is none, or one cannot be read.
    """
    if path.is_file():
        return (read_area_plan(path, extra_files=extra_files),)
    if (path / AREA_FILE).is_file():
        return (read_area_plan(path / AREA_FILE, extra_files=extra_files),)
    files = sorted(path.glob(f'[!.]*/{AREA_FILE}'))
    if not files:
        raise SettingsError(f'{path}: no file and no folder with <area>/{AREA_FILE}')
    return tuple(read_area_plan(file, extra_files=extra_files) for file in files)


def read_area_plan(
    path: Path | None, *, name: str = '', namespace: str = '', extra_files: Sequence[Path] = (),
) -> AreaPlan:
    """Read an area file, which may hold settings of its nodes; `name` overrides the file's."""
    known = {item.name for item in fields(AreaSettings)}
    values = {} if path is None else parameters_of(path)
    for file in extra_files:
        check_parameter_names(file)
    settings = from_mapping(AreaSettings, {key: values[key] for key in values if key in known})
    if name:
        settings = replace(settings, area=name)
    files = (() if path is None else (path,)) + tuple(extra_files)
    drivers = _drivers(path, values, settings)
    given = {*values, *(['ap_position'] if settings.access_points else [])}
    assumed = tuple(name for name in surveyed_names(settings) if values and name not in given)
    return AreaPlan(settings, namespace, tuple(file.absolute() for file in files),
                    drivers=drivers, assumed=assumed)


def surveyed_names(settings: AreaSettings) -> tuple[str, ...]:
    """Return the settings of an area's sensors that differ from room to room."""
    return tuple(name for modality in settings.modalities for name in SURVEYED[modality])


def parameters_of(path: Path, nodes: Collection[str] = AREA_NODES) -> dict[str, Any]:
    """Read the parameters of every one of `nodes` from a parameter file.

    A name that none of them has is refused. Blocks of single nodes, such as '/**/twin', are read
    by ROS. There rcl prefers the file to the command line while `launch` prefers its own
    parameters, so parameters of the graph are refused in them: SettingsError.
    """
    parameters = read_parameter_file(path)
    blocks = read_parameter_blocks(path)
    for block, values in blocks.items():
        decided = sorted(GRAPH_PARAMETERS & set(values)) if block != EVERY_NODE else ()
        if decided:
            raise SettingsError(f'{path}: {decided[0]} is not for a block of one node, {block!r}')
    check_block_names(path, blocks, nodes)
    return parameters


def in_namespace(plan: LaunchPlan, prefix: str) -> LaunchPlan:
    """Move a plan into a namespace, '' or '/' for none, as PushRosNamespace does."""
    prefix = prefix.strip('/')
    if not prefix:
        return plan
    areas = tuple(replace(area, namespace=f'{prefix}{area.root}') for area in plan.areas)
    return replace(plan, areas=areas, prefix=f'/{prefix}')


def _drivers(
    path: Path | None, values: dict[str, Any], settings: AreaSettings,
) -> tuple[str, ...]:
    """Return the drivers that an area file lists. Raises SettingsError."""
    names = values.get(DRIVERS_PARAMETER, [])
    if not isinstance(names, list) or any(name not in MODALITIES for name in names):
        raise SettingsError(
            f'{path}: {DRIVERS_PARAMETER} is {names!r}: it must be a list of some of '
            f'{list(MODALITIES)}')
    if len(set(names)) < len(names):
        raise SettingsError(f'{path}: {DRIVERS_PARAMETER} is {names}: each one may be listed once')
    unused = [name for name in names if name not in settings.modalities]
    if unused:
        raise SettingsError(f'{path}: {DRIVERS_PARAMETER} has {unused[0]!r}, but modalities are '
                            f'{list(settings.modalities)}')
    return tuple(names)
