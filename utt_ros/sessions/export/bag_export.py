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

"""Export of bags to tables, in bounded memory: a chunk of messages of one topic at a time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.errors import SessionError, SettingsError
from utt_ros.files import scratch_folder
from utt_ros.map_origin import MapOrigin
from utt_ros.map_pose import MapPose
from utt_ros.parameter_files import AREA_FILE, read_parameter_file
from utt_ros.sessions.bag_io import BagReader, open_bag
from utt_ros.sessions.export.export_table import Cells, ExportTable
from utt_ros.sessions.export.table_writers import WRITERS, TableWriter, write_column_list
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.session_bags import is_readable_bag
from utt_ros.settings import AreaSettings, from_mapping

CHUNK_MESSAGES = 2048  # of a topic, converted at once
MAX_HELD_BYTES = 64 * 2**20  # of messages that wait for their conversion
TWIN_STATUS = 'utt_ros/msg/TwinStatus'


@dataclass(frozen=True, slots=True)
class ExportPlaces:
    """Poses of areas in `map`, and its geographic origin."""

    poses: Mapping[str, MapPose] = field(default_factory=dict)
    origin: MapOrigin | None = None
    must_be_known: bool = False

    def place(self, table: ExportTable, rows: dict[str, Cells], area: str) -> None:
        """Add the columns of `map` and of WGS84; NaN where they are not known.

        Raises SessionError for an area without a pose where it must be known.
        """
        if not table.frame:
            return
        unknown = np.full((len(rows['stamp_ns']), 2), np.nan)
        if table.frame == 'area':
            pose = self.poses.get(area)
            if pose is None and self.must_be_known:
                raise SessionError(f'the pose of {area} in the map is not known: give its area '
                                   'file with --area')
            points = np.stack([rows['x_m'], rows['y_m']], axis=1)
            mapped = unknown if pose is None else np.round(pose.to_map(points), 6)
            rows['map_x_m'], rows['map_y_m'] = mapped.T
        points = np.stack([rows['map_x_m'], rows['map_y_m']], axis=1)
        placed = unknown if self.origin is None else np.round(self.origin.to_geodetic(points), 9)
        rows['latitude_deg'], rows['longitude_deg'] = placed.T


def export_bags(
    bags: Mapping[str, Path], folder: Path, form: str, tables: Sequence[ExportTable],
    *, areas: Iterable[AreaSettings] = (), origin: MapOrigin | None = None,
) -> dict[str, int]:
    """Write tables of bags, by name of the recording, to a new folder; return rows by table.

    `areas` and `origin` override what area files beside the bags tell. The folder appears
    completely or not at all. Raises SessionError, SettingsError.
    """
    if folder.exists():
        raise SettingsError(f'{folder} exists: an export needs a new folder')
    given = list(areas)
    known = [*given, *(area for area in _beside(bags.values())
                       if area.area not in {each.area for each in given})]
    places = ExportPlaces({area.area: area.pose_in_map for area in known},
                          origin or common_origin(known), must_be_known=form == 'geojson')
    rows: Counter[str] = Counter()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder) as scratch:
            new = scratch / folder.name
            new.mkdir()
            with WRITERS[form](new, geographic=places.origin is not None) as writer:
                for name, bag in bags.items():
                    rows.update(_export(name, bag, writer, tables, places))
            if not rows:
                raise SessionError(f'{", ".join(map(str, bags.values()))}: no message of the '
                                   f'tables {", ".join(table.name for table in tables)}')
            write_column_list(new, [table for table in tables if rows[table.name]])
            new.rename(folder)
    except OSError as err:
        raise SessionError(f'{folder}: {err}') from err
    return dict(rows)


def find_bags(paths: Iterable[Path]) -> dict[str, Path]:
    """Find bags at, or up to two folders below, paths; by name relative to the path.

    Raises SessionError where there is none, or two have one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        bags = [path] if path.is_file() or is_readable_bag(path) else [
            each for pattern in ('[!.]*', '[!.]*/[!.]*') for each in sorted(path.glob(pattern))
            if is_readable_bag(each)]
        if not bags:
            raise SessionError(f'{path}: no bag, and no folder with <area>/<session>')
        for bag in bags:
            name = bag.absolute().name if bag == path else str(bag.relative_to(path))
            if found.setdefault(name, bag) != bag:
                raise SessionError(f'{found[name]} and {bag} are both named {name}: export them '
                                   'one after the other')
    return found


def common_origin(areas: Iterable[AreaSettings]) -> MapOrigin | None:
    """Return the geographic origin that areas share; None without. Raises SettingsError."""
    origins = {area.origin_of_map: area.area for area in areas if area.origin_of_map}
    if len(origins) > 1:
        (first, one), (second, other), *_ = origins.items()
        raise SettingsError(f'map_origin of {one} is {list(first)}, that of {other} '
                            f'{list(second)}: areas of one map have one origin')
    return next(iter(origins), None)


def read_geometry(file: Path) -> AreaSettings:
    """Read the settings of an area from its file, which may have others. Raises SettingsError."""
    known = {item.name for item in fields(AreaSettings)}
    values = read_parameter_file(file)
    return from_mapping(AreaSettings, {name: values[name] for name in values if name in known})


def _beside(bags: Iterable[Path]) -> list[AreaSettings]:
    """Read the area files beside bags, each once."""
    folders = dict.fromkeys(bag.parent for bag in bags)
    return [read_geometry(folder / AREA_FILE) for folder in folders
            if (folder / AREA_FILE).is_file()]


def _export(
    recording: str, bag: Path, writer: TableWriter, tables: Sequence[ExportTable],
    places: ExportPlaces,
) -> Counter[str]:
    rows: Counter[str] = Counter()
    with open_bag(bag) as reader:
        chosen = _choose(bag, reader, tables)
        here = replace(places, poses={**_reported_poses(reader), **places.poses})
        for topic, messages in _chunks(reader, set(chosen)):
            for table, names in chosen[topic]:
                cells = table.rows(messages, {'recording': recording, **names})
                if len(cells['stamp_ns']):
                    here.place(table, cells, names['area'])
                    writer.write(table, cells)
                    rows[table.name] += len(cells['stamp_ns'])
    return rows


def _choose(
    bag: Path, reader: BagReader, tables: Sequence[ExportTable],
) -> dict[str, list[tuple[ExportTable, dict[str, str]]]]:
    """Return tables, area and owner of each topic that is exported. Raises SessionError."""
    chosen: dict[str, list[tuple[ExportTable, dict[str, str]]]] = {}
    for topic in reader.topics:
        for table in tables:
            match = table.topic.fullmatch(topic.name)
            if match is None:
                continue
            if topic.type != table.type:
                raise SessionError(f'{bag}: {topic.name} is a {topic.type}: it must be a '
                                   f'{table.type}')
            owner = {table.owner: match['owner']} if table.owner else {}
            chosen.setdefault(topic.name, []).append(
                (table, {'area': match['area'], **owner}))
    return chosen


def _chunks(reader: BagReader, topics: set[str]) -> Iterator[tuple[str, list[bytes]]]:
    """Yield messages of one topic at a time, in order of log times, in bounded memory."""
    held: dict[str, list[bytes]] = {}
    size = 0
    for _, topic, data in reader.messages(topics, reader.start_ns, reader.end_ns):
        messages = held.setdefault(topic, [])
        messages.append(data)
        size += len(data)
        if len(messages) >= CHUNK_MESSAGES:
            size -= sum(map(len, messages))
            yield topic, held.pop(topic)
        elif size > MAX_HELD_BYTES:
            yield from held.items()
            held, size = {}, 0
    yield from held.items()


def _reported_poses(reader: BagReader) -> dict[str, MapPose]:
    """Return the poses of areas that their twins reported first."""
    topics = {topic.name for topic in reader.topics if topic.type == TWIN_STATUS}
    poses = {}
    for _, topic, data in reader.messages(topics, reader.start_ns, reader.end_ns):
        area = topic.split('/')[-2]
        if area not in poses:
            status: Any = typestore().deserialize_cdr(data, TWIN_STATUS)
            poses[area] = MapPose(*status.map_pose.tolist())
        if len(poses) == len(topics):
            break
    return poses
