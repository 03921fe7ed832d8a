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

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from utt_ros.errors import SettingsError
from utt_ros.orchestration.area_frames import area_frames, frame_arguments
from utt_ros.orchestration.heartbeat import HANG_SEC
from utt_ros.orchestration.parameter_names import AREA_NODES, check_parameter_names
from utt_ros.orchestration.spec import NodeSpec, ParameterValue
from utt_ros.parameter_files import (
    AREA_FILE,
    EVERY_NODE,
    read_parameter_blocks,
    read_parameter_file,
)
from utt_ros.settings import AreaSettings, from_mapping
from utt_ros.types import MODALITIES

DEFAULT_STATE = Path('~/.ros/utt_ros')
CLOCK_TOPIC = '/clock'
DRIVERS_PARAMETER = 'drivers'
GRAPH_PARAMETERS = frozenset(  # parameters that the graph sets
    {'area', DRIVERS_PARAMETER, 'federated', 'initial_model', 'keys', 'signed', 'state_dir',
     'use_sim_time'})
STATIC_FRAMES_TOPIC = '/tf_static'
PLAYED = '(?:camera|phones|truth)/.*'  # topics of a recorded area that none of its nodes publishes
MEASURED = {  # topics of the measurements of each sensor
    'camera': 'camera/tracks', 'ftm': r'phones/\w+/ftm', 'imu': r'phones/\w+/imu/(?:data_raw|mag)'}
SURVEYED = {  # settings that have no default but in simulation, by the sensor that needs them
    'camera': ('camera_height', 'camera_pitch'), 'ftm': ('ap_position',), 'imu': ('magnetic_yaw',)}
COMMON_TOPICS = (  # below /utt
    'building_markers', 'model', 'people', 'rounds', 'twins', 'updates')
MAP_TOPIC = '/map'


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
    record: Path | None = None
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
    for block, values in read_parameter_blocks(path).items():
        decided = sorted(GRAPH_PARAMETERS & set(values)) if block != EVERY_NODE else ()
        if decided:
            raise SettingsError(f'{path}: {decided[0]} is not for a block of one node, {block!r}')
    check_parameter_names(path, nodes)
    return parameters


def graph_nodes(plan: LaunchPlan) -> list[NodeSpec]:
    """List the nodes of a plan in the order of starting: subscribers before publishers."""
    nodes: list[NodeSpec] = []
    if plan.nodes:
        if plan.aggregator:
            nodes.append(aggregator_node(plan))
        for area in plan.areas:
            nodes += area_nodes(plan, area)
    if plan.building and plan.nodes and (plan.aggregator or not plan.federated):
        nodes.append(building_node(plan))
    if plan.transforms and any(area.parameter_files for area in plan.areas):
        nodes.append(frames_node(plan))
    if plan.rviz:
        nodes += view_nodes(plan)
    if plan.record is not None:
        nodes.append(record_node(plan, plan.record))
    nodes += replay_nodes(plan)
    moved = (*((f'/utt/{name}', f'{plan.tools_namespace}/{name}') for name in COMMON_TOPICS),
             (MAP_TOPIC, f'{plan.prefix}{MAP_TOPIC}')) if plan.prefix else ()
    return [replace(node, remappings=(*node.remappings, *moved)) for node in nodes]


def in_namespace(plan: LaunchPlan, prefix: str) -> LaunchPlan:
    """Move a plan into a namespace, '' or '/' for none, as PushRosNamespace does."""
    prefix = prefix.strip('/')
    if not prefix:
        return plan
    areas = tuple(replace(area, namespace=f'{prefix}{area.root}') for area in plan.areas)
    return replace(plan, areas=areas, prefix=f'/{prefix}')


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
        'aggregator', 'aggregator', plan.tools_namespace,
        parameters={'state_dir': str(_state(plan, 'aggregator')), **_signing(plan),
                    **_initial_model(plan)},
        parameter_files=plan.aggregator_files,
        ros_arguments=_log_level(plan), respawn=True, essential=True,
    )


def building_node(plan: LaunchPlan) -> NodeSpec:
    """Create the node of the building; areas of other hosts are part of it as well.

    Beside an aggregator, or areas without one, so that a building has one such node.
    """
    path = plan.floor_plan
    is_replay = len(plan.areas) == 1 and bool(plan.areas[0].bags)  # on the global clock
    return NodeSpec(
        'building', 'building', plan.tools_namespace,
        parameters={'use_sim_time': plan.use_sim_time or is_replay},
        arguments=('--floor-plan', str(path.expanduser().absolute())) if path else (),
        ros_arguments=_log_level(plan), respawn=True)


def replay_nodes(plan: LaunchPlan) -> list[NodeSpec]:
    """List the players; they start when the twins have a model, so that no sample is lost."""
    replayed = [area for area in plan.areas if area.bags]
    if not replayed or not plan.nodes:
        return [_player(plan, area, '') for area in replayed]
    names = tuple(area.root.strip('/') for area in replayed)
    ready = NodeSpec('ready', 'wait_ready', plan.tools_namespace, arguments=names)
    return [ready, *(_player(plan, area, ready.label) for area in replayed)]


def record_node(plan: LaunchPlan, folder: Path) -> NodeSpec:
    """Create the recorder of all topics of the areas, and of the people of their building."""
    topics = tuple(f'{area.root}/' for area in plan.areas)
    if plan.building:
        topics += (f'{plan.tools_namespace}/people',)
    return NodeSpec(
        'recorder', 'recorder', plan.tools_namespace, arguments=(str(folder), *topics),
        ros_arguments=_log_level(plan),
    )


def frames_node(plan: LaunchPlan) -> NodeSpec:
    """Create the publisher of the static frames of all areas whose geometry is given."""
    frames = [frame for area in plan.areas if area.parameter_files
              for frame in area_frames(area.settings)]
    return NodeSpec(
        'static_frames', 'static_frames', plan.tools_namespace,
        arguments=frame_arguments(frames), ros_arguments=_log_level(plan), respawn=True)


def view_nodes(plan: LaunchPlan) -> list[NodeSpec]:
    """List RViz, one for all areas, and the nodes that draw the ground truth for it."""
    area = plan.areas[0]
    alone = len(plan.areas) == 1
    rviz = NodeSpec(
        'rviz', 'rviz2', area.root if alone else plan.tools_namespace, package='rviz2',
        arguments=('-d', str(layout_path(plan))),
        parameters=_time(plan, area) if alone else {'use_sim_time': plan.use_sim_time},
        remappings=_clock(plan, area) if alone else (), essential=True)
    return [*(_area_node(plan, each, 'truth_markers', {}) for each in plan.areas), rviz]


def layout_path(plan: LaunchPlan) -> Path:
    """Return the path to which the RViz layout is written: of the area, or of the building."""
    alone = len(plan.areas) == 1
    return (_state(plan, plan.areas[0].name) / 'area.rviz' if alone
            else _state(plan, 'building') / 'building.rviz')


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
    """Create the player of an area; beside nodes it plays nothing that they publish."""
    arguments = [*(str(bag) for bag in area.bags), '--rate', f'{plan.rate:g}']
    if plan.start_offset_sec:
        arguments += ['--start-offset', f'{plan.start_offset_sec:g}']
    if plan.loop:
        arguments.append('--loop')
    recorded = area.recorded or (f'/{area.name}',)
    if plan.nodes:
        topics = (*(f'{root}/{PLAYED}' for root in recorded), STATIC_FRAMES_TOPIC)
        for topic in topics:
            arguments += ['--topic', topic]
        arguments += ['--reader', f'{area.root}/sync', '--read', _read_topics(area)]
    for root in recorded:
        if root != area.root:
            arguments += ['--remap', f'{root}/:={area.root}/']
    return NodeSpec(
        'player', 'player', area.root, remappings=_clock(plan, area), arguments=tuple(arguments),
        ros_arguments=_log_level(plan), essential=True, after=after,
    )


def _read_topics(area: AreaPlan) -> str:
    """Return a regular expression of the topics that the synchronizer of an area reads."""
    names = [MEASURED[modality] for modality in MODALITIES if modality in area.settings.modalities]
    return f'{area.root}/(?:{"|".join(names)})'


def _area_node(
    plan: LaunchPlan, area: AreaPlan, name: str, parameters: dict[str, ParameterValue],
) -> NodeSpec:
    return NodeSpec(
        name, name, area.root,
        parameters={'area': area.name, **_time(plan, area), **parameters},
        parameter_files=area.parameter_files, remappings=_clock(plan, area),
        ros_arguments=_log_level(plan), respawn=True, essential=True, area=area.root.strip('/'),
    )


def _state(plan: LaunchPlan, name: str) -> Path:
    return plan.state_dir.expanduser().absolute() / name


def _initial_model(plan: LaunchPlan) -> dict[str, ParameterValue]:
    path = plan.model and plan.model.expanduser().absolute()
    return {'initial_model': str(path)} if path else {}


def _time(plan: LaunchPlan, area: AreaPlan) -> dict[str, ParameterValue]:
    return {'use_sim_time': plan.use_sim_time or bool(area.bags)}


def _clock(plan: LaunchPlan, area: AreaPlan) -> tuple[tuple[str, str], ...]:
    """Return the remapping to the area's own clock when several areas are replayed at once."""
    players = sum(bool(other.bags) for other in plan.areas)
    return ((CLOCK_TOPIC, f'{area.root}{CLOCK_TOPIC}'),) if players > 1 and area.bags else ()


def _log_level(plan: LaunchPlan) -> tuple[str, ...]:
    return ('--log-level', plan.log_level)
