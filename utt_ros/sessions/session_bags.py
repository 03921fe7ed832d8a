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

"""Sessions on disk: rosbag2 directories with an MCAP file, one per session, a folder per area.

    OUT/<area>/area.yaml                          AreaSettings, a ROS 2 parameter file
    OUT/<area>/<session>/metadata.yaml, *.mcap    measurements at native rates

Any rosbag2 directory with these topics is read, also in sqlite3 and also a recorded one.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from utt_ros import cdr
from utt_ros.errors import SessionError
from utt_ros.files import replace_folder, scratch_folder, sync_folder
from utt_ros.parameter_files import (
    AREA_FILE,
    read_node_parameters,
    read_parameter_file,
    write_parameter_file,
)
from utt_ros.sessions.bag_files import METADATA, custom_data, read_metadata, storage_files
from utt_ros.sessions.bag_io import read_bag, write_bag
from utt_ros.sessions.bag_streams import (
    TRACKS,
    frames_from_messages,
    phone_from_messages,
    session_streams,
    truth_from_messages,
)
from utt_ros.settings import AreaSettings, from_mapping
from utt_ros.types import Session

TOPIC = re.compile(
    r'/(?P<area>\w+)/(?:(?P<camera>camera/tracks)'
    r'|phones/(?P<phone>\w+)/(?P<sensor>ftm|imu/data_raw|imu/mag)'
    r'|truth/(?P<subject>\w+)/odom)')
BELIEF_PREFIX = 'belief.'  # of parameters of a twin
BELIEF_COMMENT = 'belief: for simulated people and sensors; leave it out in a real room'
PHONE_MESSAGE_TYPES = {
    'ftm': cdr.FTM_RANGE.type,
    'imu/data_raw': cdr.IMU.type,
    'imu/mag': cdr.MAGNETIC_FIELD.type,
}


def write_session(session: Session, area: AreaSettings, folder: Path) -> None:
    """Write a session as the rosbag2 directory `folder`, all of it or nothing.

    Log times are measurement stamps; metadata.yaml holds area, name and split as custom data. An
    existing bag is replaced. Raises SessionError.
    """
    if folder.exists() and not is_bag(folder):
        raise SessionError(f'{folder} exists and is not a bag: it is not overwritten')
    streams = session_streams(session, area)
    if not any(len(stream.stamps_ns) for stream in streams):
        raise SessionError(f'{folder}: nothing was measured in session {session.name!r}')
    for stream in streams:
        if (stream.stamps_ns < 0).any():
            raise SessionError(
                f'{stream.topic}: stamp {stream.stamps_ns.min()} ns: it must be at least 0')
    custom = {'area': session.area, 'name': session.name, 'split': session.split}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder) as scratch:
            new = scratch / folder.name
            write_bag(new, streams, custom)
            replace_folder(folder, new)
        sync_folder(folder.parent)
    except OSError as err:
        raise SessionError(f'{folder}: {err}') from err


def read_session(bag: Path, area: str = '') -> Session:
    """Read a bag into memory, every stream in order of stamps and each stamp once.

    `area` is needed only for a bag of several areas. Where topics are missing, the session is
    empty. Raises SessionError with the path for a bag that cannot be read.
    """
    try:
        return _read(bag, area)
    except SessionError as err:
        if str(err).startswith(str(bag)):
            raise
        raise SessionError(f'{bag}: {err}') from err
    except Exception as err:  # parsers raise errors of many types on a broken file
        raise SessionError(f'{bag}: {type(err).__name__}: {err}') from err


def is_bag(folder: Path) -> bool:
    """Whether a folder is a rosbag2 directory with metadata."""
    return (folder / METADATA).is_file()


def is_readable_bag(folder: Path) -> bool:
    """Whether a folder is a bag: with metadata or, as after a power cut, storage files alone."""
    return is_bag(folder) or (folder.is_dir() and bool(storage_files(folder)))


def find_sessions(folder: Path) -> dict[str, list[Path]]:
    """List the bags of every area in a folder of sessions, sorted, also incomplete ones.

    Raises SessionError when there is none.
    """
    bags_by_area = {
        area.name: bags
        for area in sorted(folder.glob('[!.]*'))
        if (bags := [path for path in sorted(area.glob('[!.]*')) if is_readable_bag(path)])}
    if not bags_by_area:
        raise SessionError(f'{folder}: no bag at <area>/<session>/{METADATA}')
    return bags_by_area


def read_split(bag: Path) -> str:
    """Read the split of a bag (train, val, test or '') from its metadata. Raises SessionError."""
    if not is_bag(bag) and storage_files(bag):
        return ''  # of a recording that was killed
    return custom_data(read_metadata(bag)).get('split', '')


def read_area(folder: Path) -> AreaSettings:
    """Read the settings of the area whose sessions lie in `folder`. Raises SettingsError."""
    return from_mapping(AreaSettings, read_parameter_file(folder / AREA_FILE))


def read_belief(folder: Path, area: str) -> dict[str, Any]:
    """Read the settings of the particle filter that the area file in `folder` has for its twin.

    Those that are not there are the defaults. Raises SettingsError.
    """
    parameters = read_node_parameters([folder / AREA_FILE], f'/{area}/twin')
    return {name.removeprefix(BELIEF_PREFIX): value for name, value in parameters.items()
            if name.startswith(BELIEF_PREFIX)}


def write_area(
    area: AreaSettings, folder: Path, *, shares_people: bool = True,
    belief: Mapping[str, float] | None = None,
) -> None:
    """Write the settings of the area whose sessions lie in `folder`.

    `shares_people`: whether a name means the same person in other areas, for a hand-over.
    `belief`: settings of its twin's particle filter that differ from the defaults, for simulated
    people and sensors; a comment tells so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    twin: dict[str, Any] = {} if shares_people else {'hand_over': 0.0}
    if belief:
        twin['belief'] = dict(belief)
    write_parameter_file(folder / AREA_FILE, area, {'/**/twin': twin} if twin else {},
                         BELIEF_COMMENT if belief else '')


def _read(bag: Path, area: str) -> Session:
    messages, custom = read_bag(bag, _is_wanted)
    matches = {topic: match for topic in messages if (match := TOPIC.fullmatch(topic))}
    areas = {match['area'] for match in matches.values()}
    area = area or custom.get('area', '') or _only_area(areas)
    frames = None
    phones: dict[str, dict[str, list[bytes]]] = defaultdict(dict)
    truth = {}
    for topic, match in sorted(matches.items()):
        if match['area'] != area:
            continue
        if match['camera']:
            frames = frames_from_messages(messages[topic])
        elif match['phone']:
            phones[match['phone']][match['sensor']] = messages[topic]
        else:
            truth[match['subject']] = truth_from_messages(messages[topic])
    return Session(
        area=area,
        name=custom.get('name', bag.name),
        split=custom.get('split', ''),
        frames=frames,
        phones={
            phone: phone_from_messages(*(sensors.get(name, []) for name in PHONE_MESSAGE_TYPES))
            for phone, sensors in phones.items()},
        truth=truth)


def _is_wanted(topic: str, msgtype: str) -> bool:
    match = TOPIC.fullmatch(topic)
    if match is None:
        return False
    expected = TRACKS
    if not match['camera']:
        expected = PHONE_MESSAGE_TYPES.get(match['sensor'], cdr.ODOMETRY.type)
    if msgtype != expected:
        raise SessionError(f'{topic} is a {msgtype}: it must be a {expected}')
    return True


def _only_area(areas: set[str]) -> str:
    if not areas:
        raise SessionError('none of its topics is one of a session, such as /<area>/camera/tracks')
    if len(areas) > 1:
        raise SessionError(f'it holds several areas, {", ".join(sorted(areas))}: choose one')
    return areas.pop()
