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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from utt_ros.orchestration.area_frames import area_frames, frame_arguments
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.phone_sources import Group, phone_groups
from utt_ros.orchestration.spec import NodeSpec, ParameterValue
from utt_ros.sessions.player import STATIC_FRAMES_TOPIC
from utt_ros.types import MODALITIES

CLOCK_TOPIC = '/clock'
PLAYED = '(?:camera|phones|truth)/.*'  # topics of a recorded area that none of its nodes publishes
MEASURED = {  # topics of the measurements of each sensor
    'camera': 'camera/tracks', 'ftm': r'phones/\w+/ftm', 'imu': r'phones/\w+/imu/(?:data_raw|mag)'}
COMMON_TOPICS = (  # below /utt
    'beliefs', 'building_markers', 'model', 'model_change', 'people', 'round_state', 'rounds',
    'twins', 'updates')
MAP_TOPIC = '/map'


def graph_nodes(plan: LaunchPlan) -> list[NodeSpec]:
    """List the nodes of a plan in the order of starting: subscribers before publishers."""
    nodes: list[NodeSpec] = []
    if plan.nodes:
        if plan.aggregator:
            nodes.append(aggregator_node(plan))
        groups = phone_groups(plan)
        for area in plan.areas:
            nodes += area_nodes(plan, area, groups)
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


def area_nodes(
    plan: LaunchPlan, area: AreaPlan, groups: Sequence[Group] = (),
) -> list[NodeSpec]:
    """List the nodes of one area: synchronizer, twin, trainer, drivers.

    An area that replays bags has no drivers. Drivers stamp measurements with the host's clock,
    also when the other nodes use simulated time. Of a group of sources that areas share, the
    driver of the first area is listed, with the others beside it; its end stops none of them.
    """
    trainer: dict[str, ParameterValue] = {
        **_signing(plan),
        'state_dir': str(_state(plan, area.name)),
        'federated': plan.federated,
        **({} if plan.federated else _initial_model(plan)),
    }
    twin_state: dict[str, ParameterValue] = (  # a replay gives the same bits each time
        {} if area.bags else {'state_dir': str(_state(plan, area.name))})
    return [
        _area_node(plan, area, 'sync', _signing(plan)),
        _area_node(plan, area, 'twin', {**_signing(plan), **twin_state}),
        _area_node(plan, area, 'trainer', trainer),
        *_driver_nodes(plan, area, groups),
    ]


def _driver_nodes(
    plan: LaunchPlan, area: AreaPlan, groups: Sequence[Group],
) -> Iterator[NodeSpec]:
    for name in () if area.bags else area.drivers:
        node = _area_node(plan, area, name, _driver(plan, name))
        group = next((group for group in groups if any(
            (source.area, source.kind) == (area, name) for source in group)), ())
        if len(group) < 2:
            yield node
        elif group[0].area is area:
            yield replace(node, area=node.label, beside=tuple(
                _area_node(plan, source.area, name, _driver(plan, name)) for source in group[1:]))


def _driver(plan: LaunchPlan, name: str) -> dict[str, ParameterValue]:
    """Return the parameters of a driver; those of phones may need the key of pseudonyms."""
    keys: dict[str, ParameterValue] = (
        {} if name == 'camera' else {'keys': str(keys_path(plan))})
    return {'use_sim_time': False, **keys}


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
    replays = [area for area in plan.areas if area.bags]
    is_replay = bool(replays) and (plan.together or len(plan.areas) == 1)  # on the global clock
    return NodeSpec(
        'building', 'building', plan.tools_namespace,
        parameters={'use_sim_time': plan.use_sim_time or is_replay},
        arguments=('--floor-plan', str(path.expanduser().absolute())) if path else (),
        ros_arguments=_log_level(plan), respawn=True)


def replay_nodes(plan: LaunchPlan) -> list[NodeSpec]:
    """List the players; they start when the twins have a model, so that no sample is lost."""
    replayed = [area for area in plan.areas if area.bags]
    groups = [replayed] if plan.together and replayed else [[area] for area in replayed]
    if not replayed or not plan.nodes:
        return [_player(plan, group, '') for group in groups]
    names = tuple(area.root.strip('/') for area in replayed)
    ready = NodeSpec('ready', 'wait_ready', plan.tools_namespace, arguments=names)
    return [ready, *(_player(plan, group, ready.label) for group in groups)]


def record_node(plan: LaunchPlan, folder: Path) -> NodeSpec:
    """Create the recorder of all topics of the areas, and of the people of their building."""
    topics = tuple(f'{area.root}/' for area in plan.areas)
    if plan.building:
        topics += (f'{plan.tools_namespace}/people',)
    words = (*(['--pictures'] if plan.pictures else []),
             *(['--keep-days', f'{plan.keep_days:g}'] if plan.keep_days else []))
    return NodeSpec(
        'recorder', 'recorder', plan.tools_namespace, arguments=(*words, str(folder), *topics),
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


def _player(plan: LaunchPlan, areas: Sequence[AreaPlan], after: str) -> NodeSpec:
    """Create the player of areas; beside nodes it plays nothing that they publish."""
    arguments = [*(str(bag) for area in areas for bag in area.bags), '--rate', f'{plan.rate:g}']
    if plan.start_offset_sec:
        arguments += ['--start-offset', f'{plan.start_offset_sec:g}']
    arguments += ['--loop'] * plan.loop + ['--together'] * plan.together
    for area in areas:
        arguments += _played(plan, area)
    namespace = plan.tools_namespace if plan.together else areas[0].root
    return NodeSpec(
        'player', 'player', namespace, remappings=_clock(plan, areas[0]),
        arguments=tuple(arguments), ros_arguments=_log_level(plan), essential=True, after=after,
    )


def _played(plan: LaunchPlan, area: AreaPlan) -> list[str]:
    """Return the arguments of a player that select and name the topics of an area."""
    arguments = []
    recorded = area.recorded or (f'/{area.name}',)
    if plan.nodes:
        for topic in (*(f'{root}/{PLAYED}' for root in recorded), STATIC_FRAMES_TOPIC):
            arguments += ['--topic', topic]
        arguments += ['--reader', f'{area.root}/sync', '--read', _read_topics(area)]
    for root in recorded:
        if root != area.root:
            arguments += ['--remap', f'{root}/:={area.root}/']
    return arguments


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
    players = 1 if plan.together else sum(bool(other.bags) for other in plan.areas)
    return ((CLOCK_TOPIC, f'{area.root}{CLOCK_TOPIC}'),) if players > 1 and area.bags else ()


def _log_level(plan: LaunchPlan) -> tuple[str, ...]:
    return ('--log-level', plan.log_level)
