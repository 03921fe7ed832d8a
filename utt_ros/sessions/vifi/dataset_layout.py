"""Where the sequences of a Vi-Fi data set lie, and what its top-level files say of them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utt_ros.errors import SessionError
from utt_ros.settings import AreaSettings

SYNC = 'sync_ts16_dfv4p4'
SIGNS = {
    'camera': ('sync_*/BBX5*_sync_*.pkl',),
    'ftm': ('WiFi/*.csv*', 'sync_*/FTM_sync_*.pkl'),
    'imu': ('IMU/*.csv*', 'sync_*/IMU*_sync_*.pkl'),
}


@dataclass(frozen=True, slots=True)
class Recording:
    """Where one sequence lies and what it becomes."""

    folder: Path
    area: str
    name: str
    split: str


def find_recordings(source: Path) -> list[Recording]:
    """All sequences below a folder, in order of areas and names. Raises SessionError."""
    if not source.is_dir():
        raise SessionError(f'{source} is not a folder')
    folders = sorted({path.parent for name in (SYNC, 'IMU', 'WiFi')
                      for path in source.rglob(name) if path.is_dir()})
    if not folders:
        raise SessionError(f'{source}: no sequence with a folder {SYNC}, IMU or WiFi in it')
    splits = {str(sequence): split for split, sequences in _document(source, 'splits.json').items()
              if isinstance(sequences, list) for sequence in sequences}
    return [
        Recording(folder, _area_name(folder.parent.name), folder.name,
                  splits.get('/'.join(folder.parts[-3:]), ''))
        for folder in folders]


def area_settings(source: Path, area: str, recordings: Sequence[Recording]) -> AreaSettings:
    """Geometry of an area from scenes.json, else that of a ZED2 (HD720), and what it measures.

    Raises SessionError.
    """
    folders = [item.folder for item in recordings if item.area == area]
    has = tuple(modality for modality, patterns in SIGNS.items()
                if any(next(folder.glob(pattern), None)
                       for folder in folders for pattern in patterns))
    document = _document(source, 'scenes.json')
    try:
        return AreaSettings(area=area, modalities=has, **_geometry(document, area))
    except (KeyError, TypeError, ValueError) as err:
        raise SessionError(f'scenes.json, {area}: {type(err).__name__}: {err}') from err


def _document(source: Path, name: str) -> dict[str, Any]:
    """A JSON file at the top of the data set; empty when there is none."""
    for path in (source / name, source.parent / name):
        if path.is_file():
            try:
                document = json.loads(path.read_bytes())
            except (OSError, ValueError) as err:
                raise SessionError(f'{path}: {err}') from err
            if not isinstance(document, dict):
                raise SessionError(f'{path}: it must hold a JSON object')
            return document
    return {}


def _geometry(document: dict[str, Any], area: str) -> dict[str, Any]:
    """Settings of a scene out of scenes.json, by name."""
    if not document:
        return {}
    camera, scene = document['camera'], document['scenes'][area]
    return {
        'image_width': int(camera['width']),
        'image_height': int(camera['height']),
        **{name: float(camera[name]) for name in ('fx', 'fy', 'cx', 'cy')},
        'camera_height': float(camera['height_m']),
        'camera_pitch': float(camera['pitch_down_rad']),
        'ap_position': tuple(float(value) for value in scene['ap_xyz_area_m']),
        'phone_height': float(document['phone_height_m']),
        'person_height': float(document['person_height_m']),
        'magnetic_yaw': float(scene['pose_floor']['yaw_rad']),
    }


def _area_name(folder: str) -> str:
    name = re.sub(r'\W', '_', folder, flags=re.ASCII)
    return name if name[:1].isalpha() else f'scene_{name}'
