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
from utt_ros.drivers.camera.compressed_depth import (
    check_compressed_size,
    decode_depth,
    known_depths,
)
from utt_ros.drivers.camera.pixel_formats import COLOURS, PLANES, RawImage
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
    check_compressed_size(bytes(message.data[:MAX_JPEG_HEADER_BYTES]))
    mosaic = compressed_mosaic(message.format)
    if mosaic:
        return _guarded(_from_mosaic, message, mosaic)
    return _guarded(bridge.compressed_imgmsg_to_cv2, message, 'bgr8')


def compressed_mosaic(text: str) -> str:
    """Return the Bayer encoding of images that image_transport compressed without colours.

    Its format is `bayer_rggb8; jpeg compressed `; with `bgr8` behind it they have colours.
    """
    encoding, _, compression = text.partition(';')
    is_mosaic = encoding in COLOURS and encoding.startswith('bayer_')
    words = compression.split()
    return encoding if is_mosaic and (not words or words[-1] in ('compressed', encoding)) else ''


def _from_mosaic(message: CompressedImage, desired_encoding: str) -> npt.NDArray[np.uint8]:
    """Decode a compressed Bayer mosaic to colours (H, W, 3) BGR."""
    plane = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if plane is None or plane.ndim != 2 or plane.dtype != np.dtype(PLANES[desired_encoding][0]):
        raise MeasurementError(f'{len(message.data)} bytes that are not an image of '
                               f'{desired_encoding}')
    height, width = plane.shape
    return RawImage(desired_encoding, height, width, width * plane.itemsize, plane.tobytes(),
                    sys.byteorder == 'big').bgr()


def depth_from_message(bridge: Any, message: Any) -> FloatArray:
    """Convert 32FC1, or 16UC1 in millimetres (REP-118), to depth (H, W) [m]; NaN: unknown.

    Of an Image, or of the CompressedImage of image_transport's `compressedDepth`. Raises
    MeasurementError.
    """
    if isinstance(message, CompressedImage):
        return decode_depth(message.format, message.data)
    _raw(message)
    if message.encoding not in DEPTHS:
        raise MeasurementError(f'{message.encoding} is not an encoding of depth: {sorted(DEPTHS)}')
    raw = _guarded(bridge.imgmsg_to_cv2, message, 'passthrough')
    return known_depths(raw.astype(np.float32) * np.float32(DEPTHS[message.encoding]))


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
    """Raise SettingsError when the focal lengths differ from the area's by over 5 %.

    Those of a CameraInfo are of the full resolution, before binning.
    """
    if info.k[0] == info.k[4] == 0.0:
        raise SettingsError(
            'fx and fy are 0 px: the camera is not calibrated; calibrate it, or compare no '
            'calibration (topics.camera_info empty)')
    binned = ((info.k[0] / max(1, info.binning_x), area.fx, 'fx'),
              (info.k[4] / max(1, info.binning_y), area.fy, 'fy'))
    for got, want, name in binned:
        if abs(got - want) > FOCAL_TOLERANCE * want:
            raise SettingsError(
                f'{name} is {got:g} px in the calibration, {want:g} px in the area: correct fx, '
                'fy, cx and cy of the area')


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
