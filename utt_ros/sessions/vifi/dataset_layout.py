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

"""Sequences of a Vi-Fi data set, their splits (splits.json) and geometry (scenes.json)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utt_ros.access_point_list import read_access_points
from utt_ros.documents import MAX_DOCUMENT_BYTES, load_json
from utt_ros.errors import DocumentError, SessionError
from utt_ros.files import read_limited
from utt_ros.settings import AreaSettings

SYNC_FOLDER = 'sync_ts16_dfv4p4'
MODALITY_PATTERNS = {
    'camera': ('sync_*/BBX5*_sync_*.pkl',),
    'ftm': ('WiFi/[!.]*.csv*', 'sync_*/FTM_sync_*.pkl'),
    'imu': ('IMU/[!.]*.csv*', 'sync_*/IMU*_sync_*.pkl'),
}


@dataclass(frozen=True, slots=True)
class VifiRecording:
    """One sequence: its folder, and the area, name and split of its session."""

    folder: Path
    area: str
    name: str
    split: str


def find_recordings(source: Path) -> list[VifiRecording]:
    """List all sequences below a folder, by areas and names. Raises SessionError."""
    if not source.is_dir():
        raise SessionError(f'{source} is not a folder')
    folders = sorted({path.parent for name in (SYNC_FOLDER, 'IMU', 'WiFi')
                      for path in source.rglob(name)
                      if path.is_dir() and not _is_debris(path.relative_to(source))})
    if not folders:
        raise SessionError(f'{source}: no sequence with a folder {SYNC_FOLDER}, IMU or WiFi in it')
    splits = {str(sequence): split for split, sequences in _document(source, 'splits.json').items()
              if isinstance(sequences, list) for sequence in sequences}
    return [
        VifiRecording(folder, _area_name(folder.parent.name), folder.name,
                  splits.get('/'.join(folder.parts[-3:]), ''))
        for folder in folders]


def area_settings(source: Path, area: str, recordings: Sequence[VifiRecording]) -> AreaSettings:
    """Read the geometry of an area from scenes.json, else that of a ZED2 (HD720).

    Its modalities are those of any of its sequences. Raises SessionError.
    """
    folders = [item.folder for item in recordings if item.area == area]
    modalities = tuple(
        modality for modality, patterns in MODALITY_PATTERNS.items()
        if any(next(folder.glob(pattern), None) for folder in folders for pattern in patterns))
    document = _document(source, 'scenes.json')
    try:
        return AreaSettings(area=area, modalities=modalities, **_geometry(document, area))
    except (KeyError, TypeError, ValueError, OverflowError) as err:
        raise SessionError(f'scenes.json, {area}: {type(err).__name__}: {err}') from err


def _is_debris(path: Path) -> bool:
    """Whether an archive program made the folder: hidden, or __MACOSX."""
    return any(part.startswith('.') or part == '__MACOSX' for part in path.parts)


def _document(source: Path, name: str) -> dict[str, Any]:
    """Read a JSON file at the top of the data set; empty when it does not exist."""
    for path in (source / name, source.parent / name):
        if path.is_file():
            try:
                document = load_json(read_limited(path, MAX_DOCUMENT_BYTES))
            except (OSError, DocumentError) as err:
                raise SessionError(f'{path}: {err}') from err
            if not isinstance(document, dict):
                raise SessionError(f'{path}: it must hold a JSON object')
            return document
    return {}


def _geometry(document: dict[str, Any], area: str) -> dict[str, Any]:
    """Settings of a scene in scenes.json, by name."""
    if not document:
        return {}
    camera, scene = document['camera'], document['scenes'][area]
    return {
        'image_width': int(camera['width']),
        'image_height': int(camera['height']),
        **{name: float(camera[name]) for name in ('fx', 'fy', 'cx', 'cy')},
        'camera_height': float(camera['height_m']),
        'camera_pitch': float(camera['pitch_down_rad']),
        **_access_points(scene),
        'phone_height': float(document['phone_height_m']),
        'person_height': float(document['person_height_m']),
        'magnetic_yaw': float(scene['pose_floor']['yaw_rad']),
    }


def _access_points(scene: dict[str, Any]) -> dict[str, Any]:
    """Settings of the access points: by address where the scene lists them, else of one."""
    listed = scene.get('aps', ())
    if not listed:
        return {'ap_position': tuple(float(value) for value in scene['ap_xyz_area_m'])}
    positions = {item['mac']: [float(value) for value in item['xyz_area_m']] for item in listed}
    return {'access_points': read_access_points('aps', positions)}


def _area_name(folder: str) -> str:
    name = re.sub(r'\W', '_', folder, flags=re.ASCII)
    return name if name[:1].isalpha() else f'scene_{name}'
