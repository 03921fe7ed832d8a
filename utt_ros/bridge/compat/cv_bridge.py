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

"""Image messages <-> arrays: the part of cv_bridge that is used, for machines without it.

Names and arguments are those of the Python API of cv_bridge, reimplemented; the same tests run
against both. Messages are validated here before either converts them.
"""

import sys
from array import array
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from utt_ros.drivers.camera.camera_calibration import LensCalibration
from utt_ros.errors import MeasurementError, SettingsError
from utt_ros.settings import AreaSettings
from utt_ros.types import FloatArray

FOCAL_TOLERANCE = 0.05
MAX_SIDE_PX = 16384  # [px]
MAX_IMAGE_BYTES = 256 * 1024 * 1024
MAX_JPEG_HEADER_BYTES = 1 << 20  # of a JPEG: previews and colour profiles precede its size
PLANES: dict[str, tuple[str, int]] = {  # numpy type, channels
    'bgr8': ('u1', 3), 'rgb8': ('u1', 3), 'bgra8': ('u1', 4), 'rgba8': ('u1', 4),
    'mono8': ('u1', 1), '8UC1': ('u1', 1), '8UC3': ('u1', 3),
    'mono16': ('u2', 1), '16UC1': ('u2', 1), '32FC1': ('f4', 1)}
TO_BGR = {'rgb8': cv2.COLOR_RGB2BGR, 'bgra8': cv2.COLOR_BGRA2BGR, 'rgba8': cv2.COLOR_RGBA2BGR,
          'mono8': cv2.COLOR_GRAY2BGR}
DEPTHS = {'16UC1': 0.001, 'mono16': 0.001, '32FC1': 1.0}  # [m]


class CvBridge:
    """Converter between messages and arrays."""

    def imgmsg_to_cv2(
        self, img_msg: Image, desired_encoding: str = 'passthrough',
    ) -> npt.NDArray[Any]:
        """Return an array (H, W) or (H, W, C) in native byte order; bgr8, or as it was sent."""
        plane = _plane(img_msg)
        if desired_encoding in ('passthrough', img_msg.encoding):
            return plane
        if desired_encoding != 'bgr8' or img_msg.encoding not in TO_BGR:
            raise MeasurementError(f'no conversion from {img_msg.encoding} to {desired_encoding}')
        return np.asarray(cv2.cvtColor(plane, TO_BGR[img_msg.encoding]))

    def cv2_to_imgmsg(self, cvim: npt.NDArray[Any], encoding: str = 'passthrough') -> Image:
        """Return a message of an array (H, W) or (H, W, C)."""
        return Image(
            height=cvim.shape[0], width=cvim.shape[1], encoding=encoding,
            is_bigendian=sys.byteorder == 'big',
            step=cvim.dtype.itemsize * int(np.prod(cvim.shape[1:])),
            data=array('B', cvim.tobytes()))

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: CompressedImage, desired_encoding: str = 'passthrough',  # noqa: ARG002
    ) -> npt.NDArray[Any]:
        """Decode a JPEG or PNG to an array (H, W, 3) BGR."""
        image = cv2.imdecode(np.frombuffer(cmprs_img_msg.data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise MeasurementError(f'{len(cmprs_img_msg.data)} bytes that are not an image')
        return np.asarray(image)


def load_cv_bridge() -> Any:
    """Return cv_bridge's CvBridge if installed, else the one of this module."""
    try:
        return import_module('cv_bridge').CvBridge()
    except ImportError:
        return CvBridge()


def image_from_message(bridge: Any, message: Any) -> npt.NDArray[np.uint8]:
    """Convert an Image or CompressedImage to colours (H, W, 3) BGR. Raises MeasurementError."""
    if isinstance(message, Image):
        _check(message)
        if PLANES[message.encoding][0] != 'u1':
            raise MeasurementError(f'{message.encoding} is not an encoding of colours')
        wanted = 'passthrough' if message.encoding == '8UC3' else 'bgr8'
        return _guarded(bridge.imgmsg_to_cv2, _named(message), wanted)
    width, height = compressed_size(bytes(message.data[:MAX_JPEG_HEADER_BYTES]))
    if max(width, height) > MAX_SIDE_PX or width * height * 3 > MAX_IMAGE_BYTES:
        raise MeasurementError(
            f'an image of {width} x {height} px is too large: sides up to {MAX_SIDE_PX} px')
    return _guarded(bridge.compressed_imgmsg_to_cv2, message, 'bgr8')


def depth_from_message(bridge: Any, message: Image) -> FloatArray:
    """Convert 32FC1, or 16UC1 in millimetres (REP-118), to depth (H, W) [m]; NaN: unknown.

    Raises MeasurementError.
    """
    _check(message)
    if message.encoding not in DEPTHS:
        raise MeasurementError(f'{message.encoding} is not an encoding of depth: {sorted(DEPTHS)}')
    raw = _guarded(bridge.imgmsg_to_cv2, message, 'passthrough')
    scaled = raw.astype(np.float32) * np.float32(DEPTHS[message.encoding])
    with np.errstate(invalid='ignore'):
        return np.where(np.isfinite(scaled) & (scaled > 0), scaled, np.float32(np.nan))


def image_message(bridge: Any, plane: npt.NDArray[Any] | None) -> Image | None:
    """Convert colours (H, W, 3) BGR, grey (H, W) or depth (H, W) [m], without a header."""
    if plane is None:
        return None
    encoding = '32FC1' if plane.dtype == np.float32 else 'mono8' if plane.ndim == 2 else 'bgr8'
    return bridge.cv2_to_imgmsg(np.ascontiguousarray(plane), encoding=encoding)


def camera_info_message(calibration: LensCalibration) -> CameraInfo:
    """Convert a calibration, without a header."""
    return CameraInfo(
        width=calibration.width, height=calibration.height, k=calibration.camera,
        distortion_model=calibration.model, d=list(calibration.distortion),
        r=calibration.rectification, p=calibration.projection)


def check_focal_lengths(info: CameraInfo, area: AreaSettings) -> None:
    """Raise SettingsError when the focal lengths differ from the area's by over 5 %."""
    if info.k[0] == info.k[4] == 0.0:
        raise SettingsError(
            'fx and fy are 0 px: the camera is not calibrated; calibrate it, or compare no '
            'calibration (topics.camera_info empty)')
    for got, want, name in ((info.k[0], area.fx, 'fx'), (info.k[4], area.fy, 'fy')):
        if abs(got - want) > FOCAL_TOLERANCE * want:
            raise SettingsError(
                f'{name} is {got:g} px in the calibration, {want:g} px in the area: correct fx, '
                'fy, cx and cy of the area')


def compressed_size(data: bytes) -> tuple[int, int]:
    """Return width and height [px] from the header of a JPEG or PNG, before it is decoded.

    Raises MeasurementError for anything else.
    """
    if data[:8] == b'\x89PNG\r\n\x1a\n' and data[12:16] == b'IHDR' and len(data) >= 24:
        return int.from_bytes(data[16:20], 'big'), int.from_bytes(data[20:24], 'big')
    at = 2 if data[:2] == b'\xff\xd8' else len(data)
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return (int.from_bytes(data[at + 7:at + 9], 'big'),
                    int.from_bytes(data[at + 5:at + 7], 'big'))
        length = int.from_bytes(data[at + 2:at + 4], 'big')
        at += 1 if marker == 0xFF else 2 + max(2, length)
    raise MeasurementError(f'{len(data)} bytes without the header of a JPEG or PNG')


def _check(message: Image) -> None:
    """Raise MeasurementError unless the data match encoding, width, height and step."""
    if message.encoding not in PLANES:
        raise MeasurementError(
            f'encoding is {message.encoding!r}: it must be one of {sorted(PLANES)}')
    kind, channels = PLANES[message.encoding]
    height, width, step = message.height, message.width, message.step
    row = width * channels * np.dtype(kind).itemsize
    if not 1 <= height <= MAX_SIDE_PX or not 1 <= width <= MAX_SIDE_PX:
        raise MeasurementError(
            f'an image of {width} x {height} px: sides must be 1..{MAX_SIDE_PX}')
    if step < row or step % np.dtype(kind).itemsize:
        raise MeasurementError(f'a step of {step} bytes: a row has {row}')
    if len(message.data) < height * step or len(message.data) > MAX_IMAGE_BYTES:
        raise MeasurementError(
            f'{len(message.data)} bytes for {height} rows of {step}, at most {MAX_IMAGE_BYTES}')


def _plane(message: Image) -> npt.NDArray[Any]:
    """Return pixels (H, W) or (H, W, C) without row padding, in native byte order."""
    _check(message)
    kind, channels = PLANES[message.encoding]
    stored = np.dtype(kind).newbyteorder('>' if message.is_bigendian else '<')
    rows = np.frombuffer(message.data, np.uint8, message.height * message.step)
    row = message.width * channels * stored.itemsize
    used = rows.reshape(message.height, message.step)[:, :row]
    shape = (message.height, message.width, channels)[:2 if channels == 1 else 3]
    return np.ascontiguousarray(used).view(stored).reshape(shape).astype(kind)


def _named(message: Image) -> Image:
    """Return the message with encoding mono8 instead of 8UC1, which implies no colours."""
    if message.encoding != '8UC1':
        return message
    return Image(
        header=message.header, height=message.height, width=message.width, encoding='mono8',
        is_bigendian=message.is_bigendian, step=message.step, data=message.data)


def _guarded(convert: Any, message: Any, encoding: str) -> Any:
    try:
        return convert(message, desired_encoding=encoding)
    except MeasurementError:
        raise
    except Exception as err:  # cv_bridge raises errors of OpenCV, boost and numpy
        raise MeasurementError(f'an image that cannot be converted: {err}') from err
