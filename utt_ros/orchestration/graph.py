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

"""The graph of nodes with their parameters.

Launch files and `utt run` both translate it, so they start the same nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import pi
from pathlib import Path
from typing import Any

from utt_ros.errors import SettingsError
from utt_ros.orchestration.heartbeat import HANG_SEC
from utt_ros.orchestration.spec import NodeSpec, ParameterValue
from utt_ros.settings import (
    AREA_FILE,
    EVERY_NODE,
    AreaSettings,
    from_mapping,
    read_parameter_blocks,
    read_parameter_file,
)
from utt_ros.types import MODALITIES

DEFAULT_STATE = Path('~/.ros/utt_ros')
CLOCK_TOPIC = '/clock'
DRIVERS_PARAMETER = 'drivers'
GRAPH_PARAMETERS = frozenset(  # parameters that the graph sets
    {'area', DRIVERS_PARAMETER, 'federated', 'initial_model', 'keys', 'signed', 'state_dir',
     'use_sim_time'})
_Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class AreaPlan:
    """Nodes of one area: settings, namespace, parameter files, recordings, drivers."""

    settings: AreaSettings
    namespace: str = ''  # default: its name
    parameter_files: tuple[Path, ...] = ()
    bags: tuple[Path, ...] = ()
    drivers: tuple[str, ...] = ()  # nodes that read its sensors, unless bags replace them

    @property
    def name(self) -> str:
        """Name of the area, the prefix of its frames."""
        return self.settings.area

    @property
    def root(self) -> str:
        """Absolute namespace of its nodes."""
        return f'/{(self.namespace or self.name).strip("/")}'


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
    use_sim_time: bool | None = None  # None: for areas that replay bags
    nodes: bool = True  # False: replay only
    rate: float = 1.0
    start_offset_sec: float = 0.0
    loop: bool = False
    record: Path | None = None
    rviz: bool = False
    transforms: bool = False  # publish the static frames
    log_level: str = 'info'
    hang_sec: float = HANG_SEC  # silence of a node's executor after which it is killed; 0: never


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
    settings = from_mapping(AreaSettings, {key: values[key] for key in values if key in known})
    if name:
        settings = replace(settings, area=name)
    files = (() if path is None else (path,)) + tuple(extra_files)
    drivers = _drivers(path, values, settings)
    return AreaPlan(
        settings, namespace, tuple(file.absolute() for file in files), drivers=drivers)


def parameters_of(path: Path) -> dict[str, Any]:
    """Read the parameters of every node from a parameter file.

    Blocks of single nodes, such as '/**/twin', are read by ROS. There rcl prefers the file to the
    command line while `launch` prefers its own parameters, so parameters of the graph are refused
    in them: SettingsError.
    """
    parameters = read_parameter_file(path)
    for block, values in read_parameter_blocks(path).items():
        decided = sorted(GRAPH_PARAMETERS & set(values)) if block != EVERY_NODE else ()
        if decided:
            raise SettingsError(f'{path}: {decided[0]} is not for a block of one node, {block!r}')
    return parameters


def graph_nodes(plan: LaunchPlan) -> list[NodeSpec]:
    """List the nodes of a plan in the order of starting: subscribers before publishers."""
    nodes: list[NodeSpec] = []
    if plan.nodes:
        if plan.aggregator:
            nodes.append(aggregator_node(plan))
        for area in plan.areas:
            nodes += area_nodes(plan, area)
    if plan.transforms:
        for area in plan.areas:
            nodes += transform_nodes(area)
    if plan.rviz:
        for area in plan.areas:
            nodes += view_nodes(plan, area)
    if plan.record is not None:
        nodes.append(record_node(plan, plan.record))
    return nodes + replay_nodes(plan)


def area_nodes(plan: LaunchPlan, area: AreaPlan) -> list[NodeSpec]:
    """List the nodes of one area: synchronizer, twin, trainer, drivers.

    An area that replays bags has no drivers. Drivers stamp measurements with the host's clock,
    also when the other nodes use simulated time.
    """
    drivers = () if area.bags else area.drivers
    trainer: dict[str, ParameterValue] = {
        **_signing(plan),
        'state_dir': str(_state(plan, area.name)),
        'federated': plan.federated,
        **({} if plan.federated else _initial_model(plan)),
    }
    return [
        _area_node(plan, area, 'sync', _signing(plan)),
        _area_node(plan, area, 'twin', _signing(plan)),
        _area_node(plan, area, 'trainer', trainer),
        *(_area_node(plan, area, name, {'use_sim_time': False}) for name in drivers),
    ]


def aggregator_node(plan: LaunchPlan) -> NodeSpec:
    """Create the node of the federation, on the wall clock: its deadlines bound real time."""
    return NodeSpec(
        'aggregator', 'aggregator', '/utt',
        parameters={'state_dir': str(_state(plan, 'aggregator')), **_signing(plan),
                    **_initial_model(plan)},
        parameter_files=plan.aggregator_files,
        ros_arguments=_log_level(plan), respawn=True, essential=True,
    )


def replay_nodes(plan: LaunchPlan) -> list[NodeSpec]:
    """List the players; they start when the twins have a model, so that no sample is lost."""
    replayed = [area for area in plan.areas if area.bags]
    if not replayed or not plan.nodes:
        return [_player(plan, area, '') for area in replayed]
    names = tuple(area.root.strip('/') for area in replayed)
    ready = NodeSpec('ready', 'wait_ready', '/utt', arguments=names)
    return [ready, *(_player(plan, area, ready.label) for area in replayed)]


def record_node(plan: LaunchPlan, folder: Path) -> NodeSpec:
    """Create the recorder of all topics of the areas."""
    topics = tuple(f'{area.root}/' for area in plan.areas)
    return NodeSpec(
        'recorder', 'recorder', '/utt', arguments=(str(folder), *topics),
        ros_arguments=_log_level(plan),
    )


def transform_nodes(area: AreaPlan) -> list[NodeSpec]:
    """List the publishers of an area's static frames (REP-103, REP-105)."""
    settings = area.settings
    camera = (0.0, 0.0, settings.camera_height)
    x, y, z = settings.ap_position
    optical = (-pi / 2 - settings.camera_pitch, 0.0, -pi / 2)
    return [
        _transform(area, 'camera', camera, (0.0, settings.camera_pitch, 0.0)),
        _transform(area, 'camera_optical', camera, optical),
        _transform(area, 'ap', (x, y, z), (0.0, 0.0, 0.0)),
    ]


def view_nodes(plan: LaunchPlan, area: AreaPlan) -> list[NodeSpec]:
    """List RViz and the node that draws the ground truth for it."""
    rviz = NodeSpec(
        'rviz', 'rviz2', area.root, package='rviz2',
        arguments=('-d', str(layout_path(plan, area))),
        parameters=_time(plan, area), remappings=_clock(plan, area), essential=True,
    )
    return [_area_node(plan, area, 'truth_markers', {}), rviz]


def layout_path(plan: LaunchPlan, area: AreaPlan) -> Path:
    """Return the path to which the RViz layout of an area is written."""
    return _state(plan, area.name) / 'area.rviz'


def keys_path(plan: LaunchPlan) -> Path:
    """Return the folder of the keys of a plan's nodes."""
    return plan.keys.expanduser().absolute() if plan.keys else _state(plan, 'keys')


def _signing(plan: LaunchPlan) -> dict[str, ParameterValue]:
    return {'signed': plan.signed, 'keys': str(keys_path(plan))}


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


def _player(plan: LaunchPlan, area: AreaPlan, after: str) -> NodeSpec:
    arguments = [*(str(bag) for bag in area.bags), '--rate', f'{plan.rate:g}']
    if plan.start_offset_sec:
        arguments += ['--start-offset', f'{plan.start_offset_sec:g}']
    if plan.loop:
        arguments.append('--loop')
    if area.root != f'/{area.name}':
        arguments += ['--remap', f'/{area.name}/:={area.root}/']
    return NodeSpec(
        'player', 'player', area.root, remappings=_clock(plan, area), arguments=tuple(arguments),
        ros_arguments=_log_level(plan), essential=True, after=after,
    )


def _area_node(
    plan: LaunchPlan, area: AreaPlan, name: str, parameters: dict[str, ParameterValue],
) -> NodeSpec:
    return NodeSpec(
        name, name, area.root,
        parameters={'area': area.name, **_time(plan, area), **parameters},
        parameter_files=area.parameter_files, remappings=_clock(plan, area),
        ros_arguments=_log_level(plan), respawn=True, essential=True, area=area.root.strip('/'),
    )


def _transform(
    area: AreaPlan, child: str, position_m: _Vector, rpy_rad: _Vector,
) -> NodeSpec:
    names = ('x', 'y', 'z', 'roll', 'pitch', 'yaw')
    values = [f'{value:.9g}' for value in (*position_m, *rpy_rad)]
    arguments: list[str] = []
    for name, value in zip(names, values, strict=True):
        arguments += [f'--{name}', value]
    arguments += ['--frame-id', area.name, '--child-frame-id', f'{area.name}/{child}']
    return NodeSpec(
        f'{child}_frame', 'static_transform_publisher', area.root, package='tf2_ros',
        arguments=tuple(arguments), respawn=True,
    )


def _state(plan: LaunchPlan, name: str) -> Path:
    return plan.state_dir.expanduser().absolute() / name


def _initial_model(plan: LaunchPlan) -> dict[str, ParameterValue]:
    path = plan.model and plan.model.expanduser().absolute()
    return {'initial_model': str(path)} if path else {}


def _time(plan: LaunchPlan, area: AreaPlan) -> dict[str, ParameterValue]:
    replayed = bool(area.bags) if plan.use_sim_time is None else plan.use_sim_time
    return {'use_sim_time': replayed}


def _clock(plan: LaunchPlan, area: AreaPlan) -> tuple[tuple[str, str], ...]:
    """Return the remapping to the area's own clock when several areas are replayed at once."""
    players = sum(bool(other.bags) for other in plan.areas)
    return ((CLOCK_TOPIC, f'{area.root}{CLOCK_TOPIC}'),) if players > 1 and area.bags else ()


def _log_level(plan: LaunchPlan) -> tuple[str, ...]:
    return ('--log-level', plan.log_level)
