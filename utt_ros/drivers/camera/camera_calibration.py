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

"""Lens calibration of a camera, from a file of ROS's camera_calibration or of OpenCV.

Numbers are read as by yaml-cpp, which ROS uses, and by OpenCV: `1e-05` and `5e2` are numbers,
which YAML 1.1 takes for texts.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import yaml

from utt_ros.documents import load_yaml_document
from utt_ros.errors import SettingsError
from utt_ros.files import read_limited
from utt_ros.settings import AreaSettings

MAX_LENS_FILE_BYTES = 100_000
MAX_NUMBER = 1e9
MAX_SIDE_PX = 16384
NUMBER = re.compile(r'[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?', re.ASCII)
FILESTORAGE_HEADER = re.compile(r'\ufeff?%YAML:\d\.\d')  # PyYAML expects a space for the colon
# OpenCV's vector k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 tx ty, of which plumb_bob is the beginning
OPENCV_MODELS = {'plumb_bob', 'rational_polynomial', 'thin_prism', 'tilted'}
MODEL_ALIASES = {  # of RealSense, Kalibr and others
    'radtan': 'plumb_bob', 'brown_conrady': 'plumb_bob', 'thin_prism_model': 'thin_prism',
    'kannala_brandt': 'equidistant', 'kannala_brandt4': 'equidistant'}
OPENCV_COUNTS = (4, 5, 8, 12, 14)
PLUMB_BOB_COUNT = 5
FISHEYE_COUNT = 4
FISHEYE_MODELS = {'equidistant', 'fisheye'}  # of four coefficients each
UNDISTORTED_MODELS = {'', 'none'}
SPELLINGS = {  # of OpenCV's examples
    'image_width': ('image_Width', 'width'), 'image_height': ('image_Height', 'height'),
    'camera_matrix': ('Camera_Matrix', 'cameraMatrix', 'K'),
    'distortion_coefficients': ('Distortion_Coefficients', 'distCoeffs', 'dist_coeffs', 'D')}
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class LensCalibration:
    """Calibration as in sensor_msgs/CameraInfo; matrices by rows."""

    width: int  # [px]
    height: int  # [px]
    camera: tuple[float, ...]  # K (9)
    model: str = 'plumb_bob'
    distortion: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    rectification: tuple[float, ...] = IDENTITY  # R (9)
    projection: tuple[float, ...] = ()  # P (12)


def pinhole_calibration(area: AreaSettings) -> LensCalibration:
    """Return the calibration of an undistorted lens with the area's intrinsics."""
    camera = (area.fx, 0.0, area.cx, 0.0, area.fy, area.cy, 0.0, 0.0, 1.0)
    return LensCalibration(
        area.image_width, area.image_height, camera, projection=_projection(camera))


def read_lens_calibration(path: Path) -> LensCalibration:
    """Read a YAML file of camera_calibration or of OpenCV's FileStorage. Raises SettingsError.

    Files of OpenCV lack the model, which follows from the number of coefficients, and may lack
    rectification and projection, which are then none.
    """
    try:
        document = _load(path)
        width, height = (_size(document, f'image_{name}') for name in ('width', 'height'))
        camera = _matrix(document, 'camera_matrix', (9,))
        if camera[0] <= 0 or camera[4] <= 0:
            raise SettingsError(
                f'focal lengths are {camera[0]:g} and {camera[4]:g} px: '
                + ('the camera is not calibrated' if camera[0] == camera[4] == 0
                   else 'they must be positive'))
        return LensCalibration(
            width, height, camera, *_distortion(document),
            _matrix(document, 'rectification_matrix', (9,), IDENTITY),
            _matrix(document, 'projection_matrix', (12,), _projection(camera)))
    except SettingsError as err:
        raise SettingsError(f'{path}: {err}') from err


def _load(path: Path) -> dict[str, Any]:
    """Load a document whose scalars are texts, whatever their tags."""
    try:
        text = read_limited(path, MAX_LENS_FILE_BYTES).decode()
        if text.lstrip('\ufeff \r\n').startswith('<'):
            return _spelled(_load_xml(text))
        document = load_yaml_document(
            FILESTORAGE_HEADER.sub('', text, count=1), yaml.BaseLoader, MAX_LENS_FILE_BYTES)
    except (OSError, ValueError) as err:
        raise SettingsError(str(err)) from err
    if not isinstance(document, dict):
        raise SettingsError(
            "expected the file that camera_calibration or OpenCV's FileStorage writes")
    return _spelled(document)


def _load_xml(text: str) -> dict[str, Any]:
    """Load an XML file of OpenCV's FileStorage: matrices, numbers and texts as texts."""
    storage = cv2.FileStorage()
    try:
        if not storage.open(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY):
            raise SettingsError("an XML file that is not of OpenCV's FileStorage")
        root = storage.root()
        nodes = {name: root.getNode(name) for name in root.keys()}  # noqa: SIM118  not a dict
        document: dict[str, Any] = {}
        for name, node in nodes.items():
            if node.isMap():
                matrix = node.mat()
                document[name] = [] if matrix is None else [
                    repr(float(value)) for value in matrix.ravel()]
            else:
                document[name] = node.string() if node.isString() else f'{node.real():.17g}'
    except (cv2.error, ValueError, SystemError) as err:
        raise SettingsError(f"an XML file that OpenCV's FileStorage cannot read: {err}") from err
    finally:
        storage.release()
    return document


def _spelled(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the names of camera_calibration."""
    for name, others in SPELLINGS.items():
        spelling = next((other for other in others if other in document), '')
        if name not in document and spelling:
            document[name] = document[spelling]
    return document


def _size(document: dict[str, Any], name: str) -> int:
    text = document.get(name)
    value = float(text) if isinstance(text, str) and NUMBER.fullmatch(text) else 0.0
    if not 1 <= value <= MAX_SIDE_PX or value % 1:
        raise SettingsError(f'{name} is {text!r}: a whole number in 1..{MAX_SIDE_PX}')
    return int(value)


def _distortion(document: dict[str, Any]) -> tuple[str, tuple[float, ...]]:
    """Return the model as CameraInfo names it, and its coefficients."""
    fisheye = document.get('fisheye_model') in ('1', 'true')  # of OpenCV's calibration example
    model = document.get('distortion_model', 'fisheye' if fisheye else 'plumb_bob')
    known = sorted(OPENCV_MODELS | FISHEYE_MODELS)
    name = model.strip().lower() if isinstance(model, str) else None
    if name not in {*known, *MODEL_ALIASES, *UNDISTORTED_MODELS}:
        raise SettingsError(f'distortion_model is {model!r}: one of {known}')
    model = MODEL_ALIASES.get(str(name), str(name))
    if model in FISHEYE_MODELS:
        return 'equidistant', _fisheye(document)
    values = _matrix(document, 'distortion_coefficients', (0, *OPENCV_COUNTS), ())
    if model in UNDISTORTED_MODELS or not values:
        if any(values) or (model in OPENCV_MODELS and 'distortion_model' in document):
            raise SettingsError(f'distortion_model is {model!r} with {len(values)} '
                                'distortion_coefficients')
        return 'plumb_bob', (0.0,) * PLUMB_BOB_COUNT
    if len(values) <= PLUMB_BOB_COUNT and model == 'plumb_bob':
        return model, values
    if model == 'plumb_bob' and not any(values[PLUMB_BOB_COUNT:]):
        return model, values[:PLUMB_BOB_COUNT]
    return 'rational_polynomial', values + (0.0,) * (8 - len(values))


def _fisheye(document: dict[str, Any]) -> tuple[float, ...]:
    """Return four coefficients; some drivers append zeros."""
    values = _matrix(document, 'distortion_coefficients', (FISHEYE_COUNT, *OPENCV_COUNTS))
    if any(values[FISHEYE_COUNT:]):
        raise SettingsError(f'distortion_coefficients are {len(values)}: a fisheye lens has '
                            f'{FISHEYE_COUNT}')
    return values[:FISHEYE_COUNT]


def _projection(camera: tuple[float, ...]) -> tuple[float, ...]:
    return (*camera[:3], 0.0, *camera[3:6], 0.0, *camera[6:], 0.0)


def _matrix(
    document: dict[str, Any], name: str, counts: tuple[int, ...],
    default: tuple[float, ...] | None = None,
) -> tuple[float, ...]:
    """Return the numbers of a matrix, by rows; the default where it is missing."""
    block = document.get(name)
    if block is None and default is not None:
        return default
    data = block.get('data') if isinstance(block, dict) else block
    if isinstance(data, list) and all(isinstance(row, list) for row in data):
        data = [text for row in data for text in row]
    if not isinstance(data, list):
        raise SettingsError(f'{name} needs {_listed(counts)} numbers under "data"')
    for text in data:
        if isinstance(text, str) and len(text.split()) > 1:
            raise SettingsError(f'{name} holds {text[:40]!r}: numbers need commas between them')
        if (not isinstance(text, str) or not NUMBER.fullmatch(text)
                or abs(float(text)) > MAX_NUMBER):
            raise SettingsError(f'{name} holds {str(text)[:40]!r}, a value that is not a finite '
                                f'number up to {MAX_NUMBER:g}')
    if len(data) not in counts:
        raise SettingsError(
            f'{name} needs {_listed(counts)} numbers under "data": there are {len(data)}')
    return tuple(map(float, data))


def _listed(counts: tuple[int, ...]) -> str:
    return ', '.join(map(str, counts[:-1])) + ' or ' * (len(counts) > 1) + str(counts[-1])
