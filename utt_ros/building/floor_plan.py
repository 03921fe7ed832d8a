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

"""Floor plan of a building in the format of map_server: a YAML file and an image.

The file is that of nav2_map_server (and of ROS 1's map_server), so maps that were made for robots
are floor plans as they are: `image`, `resolution`, `origin`, `negate`, `occupied_thresh`,
`free_thresh` and `mode`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from utt_ros.errors import DocumentError, SettingsError
from utt_ros.files import read_limited
from utt_ros.map_pose import MAX_MAP_COORDINATE_M, MAX_YAW_RAD, MapPose
from utt_ros.parameter_yaml import load_yaml
from utt_ros.settings import nearest_name
from utt_ros.types import Array

MAX_PLAN_FILE_BYTES = 2**16
MAX_PLAN_IMAGE_BYTES = 2**26
MAX_PLAN_CELLS = 2**24
RESOLUTION_LIMITS_M = (1e-3, 10.0)  # of a cell
OCCUPIED, FREE, UNKNOWN = 100, 0, -1  # cells of an OccupancyGrid
WHITE = {'uint8': 255, 'uint16': 65535}  # of an image, by the type of its pixels
MODES = ('trinary', 'scale', 'raw')
PLAN_DEFAULTS: dict[str, Any] = {
    'negate': 0, 'occupied_thresh': 0.65, 'free_thresh': 0.25, 'mode': 'trinary'}
PLAN_KEYS = ('image', 'resolution', 'origin', *PLAN_DEFAULTS)


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """Cells of a floor plan: 0 free to 100 occupied, -1 unknown; row 0 is at the origin."""

    resolution_m: float
    origin: MapPose  # of the lower left corner, in `map`
    cells: npt.NDArray[np.int8]  # (rows, columns)


def read_floor_plan(path: Path) -> FloorPlan:
    """Read a YAML file and its image, which lies beside it. Raises SettingsError."""
    try:
        given = load_yaml(read_limited(path, MAX_PLAN_FILE_BYTES))
    except (OSError, DocumentError) as err:
        raise SettingsError(f'floor plan {path}: {err}') from err
    try:
        values = _read_values(given)
        image = path.parent / values['image']
        shade, opacity = _read_shade(image)
        return FloorPlan(
            values['resolution'], values['origin'], occupancy_cells(shade, opacity, values))
    except SettingsError as err:
        raise SettingsError(f'floor plan {path}: {err}') from err


def occupancy_cells(
    shade: Array, opacity: Array | None, values: Mapping[str, Any],
) -> npt.NDArray[np.int8]:
    """Convert the shades (H, W) of an image, 0 black to 1 white, to cells as map_server does.

    `opacity` (H, W), 0 to 1, of an image that has one counts as a fourth colour in the mode
    trinary. The first row of an image is the last one of a grid.
    """
    occupied, free = values['occupied_thresh'], values['free_thresh']
    if values['mode'] == 'trinary' and opacity is not None:
        shade = (3 * shade + opacity) / 4
    if values['mode'] == 'raw':
        raw = np.round(shade * 255)
        cells = np.where(raw <= OCCUPIED, raw, UNKNOWN)
    else:
        occupancy = shade if values['negate'] else 1.0 - shade
        between: Array | int = UNKNOWN
        if values['mode'] == 'scale':
            share = (occupancy - free) / (occupied - free)
            between = np.rint(np.clip(share, 0.0, 1.0) * 100)
        cells = np.where(occupancy > occupied, OCCUPIED,
                         np.where(occupancy < free, FREE, between))
        if values['mode'] == 'scale' and opacity is not None:
            cells = np.where(opacity < 1.0, UNKNOWN, cells)
    return np.ascontiguousarray(np.flipud(cells).astype(np.int8))


def _read_values(given: Any) -> dict[str, Any]:
    """Check the values of a YAML file and complete them. Raises SettingsError."""
    if not isinstance(given, dict):
        raise SettingsError(f'expected {", ".join(PLAN_KEYS)}')
    for name in given:
        if name not in PLAN_KEYS:
            near = nearest_name(str(name), PLAN_KEYS)
            raise SettingsError(f'{name!r:.80} is unknown' + (
                f': did you mean {near!r}?' if near else f': it has {", ".join(PLAN_KEYS)}'))
    missing = [name for name in PLAN_KEYS if name not in {**PLAN_DEFAULTS, **given}]
    if missing:
        raise SettingsError(f'{missing[0]} is missing')
    values = {**PLAN_DEFAULTS, **given}
    if not isinstance(values['image'], str) or not values['image']:
        raise SettingsError(f'image is {values["image"]!r:.80}: it must be the name of a file')
    if values['mode'] not in MODES:
        raise SettingsError(
            f'mode is {values["mode"]!r:.80}: it must be one of {", ".join(MODES)}')
    low, high = RESOLUTION_LIMITS_M
    values['resolution'] = _number(values, 'resolution', low, high)
    if values['negate'] not in (0, 1):
        raise SettingsError(f'negate is {values["negate"]!r:.80}: it must be 0 or 1')
    for name in ('occupied_thresh', 'free_thresh'):
        values[name] = _number(values, name, 0.0, 1.0)
    if values['free_thresh'] >= values['occupied_thresh']:
        raise SettingsError(f'free_thresh is {values["free_thresh"]:g}: it must be below '
                            f'occupied_thresh, {values["occupied_thresh"]:g}')
    values['origin'] = _origin(values['origin'])
    return values


def _number(values: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = values[name]
    if type(value) not in (int, float) or not low <= value <= high:
        raise SettingsError(
            f'{name} is {value!r:.80}: it must be a number from {low:g} to {high:g}')
    return float(value)


def _origin(value: Any) -> MapPose:
    if isinstance(value, list) and len(value) == 3 and all(
            type(item) in (int, float) and isfinite(item) for item in value):
        x, y, yaw = map(float, value)
        if max(abs(x), abs(y)) <= MAX_MAP_COORDINATE_M and abs(yaw) <= MAX_YAW_RAD:
            return MapPose(x, y, 0.0, yaw)
    raise SettingsError(f'origin is {value!r:.80}: it must be x, y and yaw of the lower left '
                        f'corner [m, rad], within {MAX_MAP_COORDINATE_M:g} m and '
                        f'{MAX_YAW_RAD:.2f} rad')


def _read_shade(path: Path) -> tuple[Array, Array | None]:
    """Read shades and, where it has them, opacities (H, W) of an image. Raises SettingsError."""
    try:
        data = np.frombuffer(read_limited(path, MAX_PLAN_IMAGE_BYTES), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    except (OSError, DocumentError, cv2.error) as err:
        raise SettingsError(f'image {path}: {" ".join(str(err).split()):.200}') from err
    if image is None:
        raise SettingsError(f'image {path} is no image that OpenCV reads, such as PGM or PNG')
    if image.shape[0] * image.shape[1] > MAX_PLAN_CELLS:
        rows, columns = image.shape[:2]
        raise SettingsError(
            f'image {path} has {columns} x {rows} pixels: at most {MAX_PLAN_CELLS}')
    white = WHITE.get(image.dtype.name)
    if white is None:
        raise SettingsError(f'image {path} has pixels of the type {image.dtype}: they must be '
                            f'{" or ".join(WHITE)}')
    channels = image.reshape(*image.shape[:2], -1).astype(np.float32) / np.float32(white)
    if channels.shape[2] in (1, 3):
        return channels.mean(axis=2, dtype=np.float64), None
    return channels[..., :-1].mean(axis=2, dtype=np.float64), channels[..., -1].astype(np.float64)
