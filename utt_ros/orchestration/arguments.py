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

"""Launch plans from arguments, which launch files and `utt run` share."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.orchestration.heartbeat import HANG_SEC
from utt_ros.orchestration.launch_plan import (
    DEFAULT_STATE,
    AreaPlan,
    LaunchPlan,
    find_area_plans,
    parameters_of,
    read_area_plan,
    surveyed_names,
)
from utt_ros.orchestration.replayed_areas import (
    area_name,
    recorded_areas,
    with_recordings,
)
from utt_ros.orchestration.ros_environment import shared_file
from utt_ros.parameter_files import AREA_FILE
from utt_ros.sessions.retention import check_keep_days
from utt_ros.sessions.session_bags import is_readable_bag

LaunchArguments = dict[str, tuple[str, str]]  # name -> default, description
PRETRAINED = 'pretrained'
PRETRAINED_FILE = Path(__file__).parents[1] / 'models/pretrained.safetensors'  # docs/model.md
MIN_HANG_SEC = 3.0  # heartbeats come once a second
DEFAULT_FILE = f'config/{AREA_FILE}'
LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')

HOSTS_ARGUMENT: LaunchArguments = {
    'hosts': ('', 'other machines that take part, separated by commas; empty: DDS is closed'),
}
SIGNING_ARGUMENTS: LaunchArguments = {
    'signed': ('true', 'sign updates, models and graphs and refuse unsigned ones'),
    'keys': ('', 'folder of keys, see utt keys; empty: keys in state_dir'),
}
COMMON_ARGUMENTS: LaunchArguments = {
    **HOSTS_ARGUMENT,
    **SIGNING_ARGUMENTS,
    'use_sim_time': ('false', 'time comes from /clock, as it does in an area that replays a bag'),
    'state_dir': (str(DEFAULT_STATE), 'folder of models and rounds'),
    'floor_plan': ('', 'floor plan of the building, a YAML file of map_server; empty: none'),
    'rviz': ('false', 'show the area, or the building of several, in RViz, if installed'),
    'record': ('', 'new bag of all topics of the areas; empty: none'),
    'pictures': ('false', 'record pictures as well, which show people'),
    'keep_days': ('0', 'days after which the recording is deleted (docs/privacy.md); 0: never'),
    'rate': ('1.0', 'speed of the replay; 2.0 is twice as fast'),
    'start_offset': ('0.0', 'start of the replay within the recording [s]'),
    'loop': ('false', 'repeat the replay'),
    'log_level': ('info', 'least severity of log messages that are shown'),
    'hang_timeout': (
        str(HANG_SEC), 'kill and restart a node whose callbacks stand still [s]; 0: never'),
}
MODEL_ARGUMENT: LaunchArguments = {
    'model': ('', f'model of utt train, or {PRETRAINED}, to start from; empty: untrained'),
}
AREA_ARGUMENTS: LaunchArguments = {
    'area': ('', 'name of the area; empty: that of params_file, or of the bag'),
    'namespace': ('', 'namespace of its topics; empty: its name'),
    'params_file': ('', f'area file; empty: the {AREA_FILE} beside the bag, else {DEFAULT_FILE}'),
    'bag': ('', 'recordings to replay in place of sensors, separated by commas'),
    'federated': ('false', 'take part in a federation; false: train locally'),
    **MODEL_ARGUMENT,
    **COMMON_ARGUMENTS,
}
FEDERATION_ARGUMENTS: LaunchArguments = {
    'areas': ('', f'folder with <area>/{AREA_FILE}, or area files separated by commas'),
    'replay': ('false', 'true: replay the recordings beside the area files'),
    'together': ('false', 'true: those of all areas at once, on one clock, as in one building'),
    'aggregator': ('true', 'start the aggregator here; false: it runs elsewhere'),
    'aggregator_file': ('', 'parameter file of the aggregator; empty: defaults'),
    **MODEL_ARGUMENT,
    **COMMON_ARGUMENTS,
}
REPLAY_ARGUMENTS: LaunchArguments = {
    'bag': ('', 'recordings to replay, separated by commas'),
    'nodes': ('false', 'true: start the nodes of their areas as well'),
    **COMMON_ARGUMENTS,
}
BOOLEANS = ('true', 'false', 'True', 'False')
ARGUMENT_CHOICES = {  # values of launch arguments that have few
    'log_level': LOG_LEVELS,
    **dict.fromkeys(('aggregator', 'federated', 'loop', 'nodes', 'pictures', 'replay', 'rviz',
                     'signed', 'together', 'use_sim_time'), BOOLEANS),
}


def model_file(name: str) -> Path:
    """Return the path of a model; `pretrained` names that of the package."""
    return PRETRAINED_FILE if name == PRETRAINED else Path(name)


def plan_area(values: Mapping[str, str]) -> LaunchPlan:
    """Plan one area. Raises SettingsError, also when a bag is a recording of another area."""
    bags = _paths(values['bag'])
    given = next(iter(_paths(values['params_file'])), None) or _area_file(bags)
    named = values['area'] or ('' if given else _recorded_name(bags))
    area = read_area_plan(
        given or shared_file(DEFAULT_FILE), name=named, namespace=values['namespace'])
    if given is None:  # the example has values, but of no room
        area = replace(area, assumed=surveyed_names(area.settings))
    if bags:
        area = with_recordings(area, bags, rename=bool(values['area']))
    plan = LaunchPlan((area,), federated=_boolean(values, 'federated'))
    return _with_common(plan, values)


def plan_federation(values: Mapping[str, str]) -> LaunchPlan:
    """Plan several areas and their aggregator. Raises SettingsError without an area."""
    areas = tuple(area for path in _paths(values['areas']) for area in find_area_plans(path))
    if not areas:
        raise SettingsError(f'no areas: give a folder with <area>/{AREA_FILE}, or area files')
    names = [area.name for area in areas]
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise SettingsError(f'two areas are named {duplicates[0]!r}')
    if _boolean(values, 'replay'):
        areas = tuple(with_recordings(area, find_area_bags(area)) for area in areas)
    files = _paths(values['aggregator_file'])
    for file in files:
        parameters_of(file, ('aggregator',))
    plan = LaunchPlan(areas, aggregator=_boolean(values, 'aggregator'), aggregator_files=files,
                      together=_boolean(values, 'together'))
    return _with_common(plan, values)


def plan_replay(values: Mapping[str, str]) -> LaunchPlan:
    """Plan the replay of recordings, with or without nodes. Raises SettingsError without a bag."""
    bags = _paths(values['bag'])
    if not bags:
        raise SettingsError('no bag: give one or more recordings')
    nodes = _boolean(values, 'nodes')
    groups: dict[tuple[Path | None, str], list[Path]] = {}
    for bag in bags:
        file = _area_file((bag,))
        groups.setdefault((file, '' if file else _recorded_name((bag,), nodes)), []).append(bag)
    areas = []
    for (file, name), own in groups.items():
        if nodes:
            area = read_area_plan(file or shared_file(DEFAULT_FILE), name=name)
            areas.append(with_recordings(area, own))
        else:
            areas.append(replace(read_area_plan(file, name=name), bags=tuple(own)))
    return _with_common(LaunchPlan(tuple(areas), federated=False, nodes=nodes), values)


def find_area_bags(area: AreaPlan) -> tuple[Path, ...]:
    """Return the bags beside an area file, sorted. Raises SettingsError when there is none."""
    folder = area.parameter_files[0].parent
    bags = tuple(path for path in sorted(folder.glob('[!.]*')) if is_readable_bag(path))
    if not bags:
        raise SettingsError(f'{folder}: no recording of area {area.name!r} to replay')
    return bags


def _with_common(plan: LaunchPlan, values: Mapping[str, str]) -> LaunchPlan:
    if values['log_level'] not in LOG_LEVELS:
        raise SettingsError(
            f'log_level is {values["log_level"]!r}: one of {", ".join(LOG_LEVELS)}')
    model = values.get('model', '')
    return replace(
        plan, use_sim_time=_boolean(values, 'use_sim_time'), state_dir=Path(values['state_dir']),
        model=model_file(model) if model else None,
        rviz=_boolean(values, 'rviz'), record=Path(values['record']) if values['record'] else None,
        pictures=_boolean(values, 'pictures'), keep_days=_keep_days(values),
        rate=_number(values, 'rate'), start_offset_sec=_number(values, 'start_offset'),
        loop=_boolean(values, 'loop'), log_level=values['log_level'],
        signed=_boolean(values, 'signed'), keys=Path(values['keys']) if values['keys'] else None,
        hosts=split_list(values['hosts']), building=True,
        floor_plan=next(iter(_paths(values['floor_plan'])), None),
        hang_sec=_hang_sec(values),
    )


def _keep_days(values: Mapping[str, str]) -> float:
    """Return the days of a recording; 0: no limit."""
    days = _number(values, 'keep_days')
    try:
        return check_keep_days(days) if days else days
    except ValueError as err:
        raise SettingsError(f'keep_days is {err}') from err


def _hang_sec(values: Mapping[str, str]) -> float:
    """Return the limit of a heartbeat's silence, 0 or at least three beats."""
    seconds = _number(values, 'hang_timeout')
    if seconds and not MIN_HANG_SEC <= seconds < inf:
        raise SettingsError(
            f'hang_timeout is {seconds:g} s: it must be 0 or at least {MIN_HANG_SEC:g}')
    return seconds


def split_list(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(word.strip() for word in text.split(',') if word.strip())


def _area_file(bags: tuple[Path, ...]) -> Path | None:
    """Return the area file beside the first bag, where importers and the simulator write it."""
    beside = [bag.absolute().parent / AREA_FILE for bag in bags[:1]]
    return next((path for path in beside if path.is_file()), None)


def _recorded_name(bags: tuple[Path, ...], only: bool = True) -> str:
    """Return the name of the area in the first bag; empty without one.

    Raises SettingsError when it shall be the `only` one and is not.
    """
    roots = recorded_areas(bags[0]) if bags else ()
    if only and len(roots) > 1:
        names = ', '.join(map(area_name, roots))
        raise SettingsError(f'{bags[0]} is a recording of the areas {names}: choose one by name '
                            'or by its area file')
    return area_name(roots[0]) if roots else ''


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(word).expanduser() for word in split_list(text))


def _boolean(values: Mapping[str, str], name: str) -> bool:
    known = {'true': True, '1': True, 'false': False, '0': False}
    try:
        return known[values[name].lower()]
    except KeyError as err:
        raise SettingsError(f'{name} is {values[name]!r}: it must be true or false') from err


def _number(values: Mapping[str, str], name: str) -> float:
    try:
        return float(values[name])
    except ValueError as err:
        raise SettingsError(f'{name} is {values[name]!r}: it must be a number') from err
