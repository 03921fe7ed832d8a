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

"""Lens calibration of a camera, from the file of ROS's camera_calibration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings

MAX_LENS_FILE_BYTES = 100_000
MAX_NUMBER = 1e9
DISTORTION_MODELS = {'plumb_bob': (4, 5), 'rational_polynomial': (8, 8), 'equidistant': (4, 4)}


@dataclass(frozen=True, slots=True)
class LensCalibration:
    """Calibration as in sensor_msgs/CameraInfo; matrices by rows."""

    width: int  # [px]
    height: int  # [px]
    camera: tuple[float, ...]  # K (9)
    model: str = 'plumb_bob'
    distortion: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    rectification: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # R (9)
    projection: tuple[float, ...] = ()  # P (12)


def pinhole_calibration(area: AreaSettings) -> LensCalibration:
    """Return the calibration of an undistorted lens with the area's intrinsics."""
    return LensCalibration(
        area.image_width, area.image_height,
        (area.fx, 0.0, area.cx, 0.0, area.fy, area.cy, 0.0, 0.0, 1.0),
        projection=(area.fx, 0.0, area.cx, 0.0, 0.0, area.fy, area.cy, 0.0, 0.0, 0.0, 1.0, 0.0))


def read_lens_calibration(path: Path) -> LensCalibration:
    """Read a YAML file of camera_calibration. Raises SettingsError."""
    try:
        with path.open(encoding='utf-8') as file:
            document = yaml.safe_load(file.read(MAX_LENS_FILE_BYTES))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as err:
        raise SettingsError(f'{path}: {err}') from err
    if not isinstance(document, dict):
        raise SettingsError(f'{path}: expected the file that camera_calibration writes')
    model = document.get('distortion_model')
    if not isinstance(model, str) or model not in DISTORTION_MODELS:
        raise SettingsError(
            f'{path}: distortion_model is {model!r}: one of {sorted(DISTORTION_MODELS)}')
    camera = _matrix(path, document, 'camera_matrix', 9, 9)
    if camera[0] <= 0 or camera[4] <= 0:
        raise SettingsError(f'{path}: focal lengths are {camera[0]:g} and {camera[4]:g} px')
    return LensCalibration(
        _size(path, document, 'image_width'), _size(path, document, 'image_height'), camera,
        model, _matrix(path, document, 'distortion_coefficients', *DISTORTION_MODELS[model]),
        _matrix(path, document, 'rectification_matrix', 9, 9),
        _matrix(path, document, 'projection_matrix', 12, 12))


def _size(path: Path, document: dict[Any, Any], name: str) -> int:
    value = document.get(name)
    if type(value) is not int or not 1 <= value <= 16384:
        raise SettingsError(f'{path}: {name} is {value!r}: a whole number in 1..16384')
    return value


def _matrix(
    path: Path, document: dict[Any, Any], name: str, min_count: int, max_count: int,
) -> tuple[float, ...]:
    block = document.get(name)
    data = block.get('data') if isinstance(block, dict) else None
    if not isinstance(data, list) or not min_count <= len(data) <= max_count:
        raise SettingsError(f'{path}: {name} needs {min_count}..{max_count} numbers under "data"')
    if not all(type(value) in (int, float) and abs(value) <= MAX_NUMBER for value in data):
        raise SettingsError(f'{path}: {name} holds a value that is not a finite number')
    return tuple(float(value) for value in data)
