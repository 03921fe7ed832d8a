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
from utt_ros.drivers.camera.pixel_formats import MAX_IMAGE_BYTES, MAX_SIDE_PX, RawImage
from utt_ros.errors import MeasurementError, SettingsError
from utt_ros.settings import AreaSettings
from utt_ros.types import FloatArray

FOCAL_TOLERANCE = 0.05
MAX_JPEG_HEADER_BYTES = 1 << 20  # of a JPEG: previews and colour profiles precede its size
# encodings that each release of cv_bridge converts to bgr8; others are converted here
CONVERTED_BY_ALL = {'bgr8', 'rgb8', 'bgra8', 'rgba8', 'mono8', '8UC3'}
DEPTHS = {'16UC1': 0.001, 'mono16': 0.001, '32FC1': 1.0}  # [m]


class CvBridge:
    """Converter between messages and arrays."""

    def imgmsg_to_cv2(
        self, img_msg: Image, desired_encoding: str = 'passthrough',
    ) -> npt.NDArray[Any]:
        """Return an array (H, W) or (H, W, C) in native byte order; bgr8, or as it was sent."""
        raw = _raw(img_msg)
        if desired_encoding in ('passthrough', img_msg.encoding):
            return raw.array()
        if desired_encoding != 'bgr8':
            raise MeasurementError(f'no conversion from {img_msg.encoding} to {desired_encoding}')
        return raw.bgr()

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
        _raw(message)
        converter = bridge if message.encoding in CONVERTED_BY_ALL else CvBridge()
        wanted = 'passthrough' if message.encoding == '8UC3' else 'bgr8'
        return _guarded(converter.imgmsg_to_cv2, message, wanted)
    width, height = compressed_size(bytes(message.data[:MAX_JPEG_HEADER_BYTES]))
    if max(width, height) > MAX_SIDE_PX or width * height * 3 > MAX_IMAGE_BYTES:
        raise MeasurementError(
            f'an image of {width} x {height} px is too large: sides up to {MAX_SIDE_PX} px')
    return _guarded(bridge.compressed_imgmsg_to_cv2, message, 'bgr8')


def depth_from_message(bridge: Any, message: Image) -> FloatArray:
    """Convert 32FC1, or 16UC1 in millimetres (REP-118), to depth (H, W) [m]; NaN: unknown.

    Raises MeasurementError.
    """
    _raw(message)
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


def _raw(message: Image) -> RawImage:
    return RawImage(message.encoding, message.height, message.width, message.step, message.data,
                    bool(message.is_bigendian))


def _guarded(convert: Any, message: Any, encoding: str) -> Any:
    try:
        return convert(message, desired_encoding=encoding)
    except MeasurementError:
        raise
    except Exception as err:  # cv_bridge raises errors of OpenCV, boost and numpy
        raise MeasurementError(f'an image that cannot be converted: {err}') from err
