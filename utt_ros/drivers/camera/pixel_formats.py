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

"""Pixel formats: raw images in the encodings of sensor_msgs/image_encodings, and their colours.

Names are those of ROS 2 since Iron and before (`yuyv` and `yuv422_yuy2`), and of V4L2 and
GStreamer where ROS has none (`yvyu`, `nv12`, `nv16`).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from utt_ros.errors import MeasurementError
from utt_ros.types import Image

MAX_SIDE_PX = 16384  # [px]
MAX_IMAGE_BYTES = 256 * 1024 * 1024

UYVY_NAMES = ('uyvy', 'yuv422', 'yuv422_uyvy')
YUYV_NAMES = ('yuyv', 'yuv422_yuy2', 'yuy2')
BAYER_CODES = {  # OpenCV names a pattern by its second row
    'rggb': cv2.COLOR_BayerBG2BGR, 'bggr': cv2.COLOR_BayerRG2BGR,
    'gbrg': cv2.COLOR_BayerGR2BGR, 'grbg': cv2.COLOR_BayerGB2BGR}
SEMI_PLANAR = {  # rows of chroma per two rows of luma, bytes of chroma in a row per pixel
    'nv12': (1, 1), 'nv21': (1, 1), 'nv16': (2, 1), 'nv61': (2, 1), 'nv24': (2, 2), 'nv42': (2, 2)}
PLANES: dict[str, tuple[str, int]] = {  # numpy type, channels
    'bgr8': ('u1', 3), 'rgb8': ('u1', 3), 'bgra8': ('u1', 4), 'rgba8': ('u1', 4),
    'mono8': ('u1', 1), '8UC1': ('u1', 1), '8UC3': ('u1', 3), '8UC4': ('u1', 4),
    'bgr16': ('u2', 3), 'rgb16': ('u2', 3), 'bgra16': ('u2', 4), 'rgba16': ('u2', 4),
    'mono16': ('u2', 1), '16UC1': ('u2', 1), '16UC3': ('u2', 3), '16UC4': ('u2', 4),
    '32FC1': ('f4', 1),
    **dict.fromkeys((*UYVY_NAMES, *YUYV_NAMES, 'yvyu', 'vyuy'), ('u1', 2)),
    **dict.fromkeys(SEMI_PLANAR, ('u1', 1)),
    **{f'bayer_{order}8': ('u1', 1) for order in BAYER_CODES},
    **{f'bayer_{order}16': ('u2', 1) for order in BAYER_CODES}}
NO_CONVERSION = {'bgr8', '8UC3', 'bgr16', '16UC3'}
TO_BGR = {  # of arrays of 8 bits, as `_unpacked` returns them
    **dict.fromkeys(('rgb8', 'rgb16'), cv2.COLOR_RGB2BGR),
    **dict.fromkeys(('bgra8', 'bgra16', '8UC4', '16UC4'), cv2.COLOR_BGRA2BGR),
    **dict.fromkeys(('rgba8', 'rgba16'), cv2.COLOR_RGBA2BGR),
    **dict.fromkeys(('mono8', '8UC1', 'mono16'), cv2.COLOR_GRAY2BGR),
    **dict.fromkeys(UYVY_NAMES, cv2.COLOR_YUV2BGR_UYVY),
    **dict.fromkeys((*YUYV_NAMES, 'nv16', 'nv24'), cv2.COLOR_YUV2BGR_YUY2),
    **dict.fromkeys(('yvyu', 'vyuy', 'nv61', 'nv42'), cv2.COLOR_YUV2BGR_YVYU),
    'nv12': cv2.COLOR_YUV2BGR_NV12, 'nv21': cv2.COLOR_YUV2BGR_NV21,
    **{f'bayer_{order}{bits}': code for order, code in BAYER_CODES.items() for bits in (8, 16)}}
COLOURS = {*NO_CONVERSION, *TO_BGR}


@dataclass(frozen=True, slots=True)
class RawImage:
    """Raw image as in sensor_msgs/Image.

    Raises MeasurementError unless the data match encoding, size and step.
    """

    encoding: str
    height: int  # [px]
    width: int  # [px]
    step: int  # from row to row [bytes]
    data: Any  # buffer of bytes
    is_bigendian: bool = False

    def __post_init__(self) -> None:
        if self.encoding not in PLANES:
            raise MeasurementError(
                f'encoding is {self.encoding[:64]!r}: it must be one of {sorted(PLANES)}')
        kind, channels = PLANES[self.encoding]
        row = self.width * channels * np.dtype(kind).itemsize
        if not 1 <= self.height <= MAX_SIDE_PX or not 1 <= self.width <= MAX_SIDE_PX:
            raise MeasurementError(
                f'an image of {self.width} x {self.height} px: sides must be 1..{MAX_SIDE_PX}')
        if self.step < row or self.step % np.dtype(kind).itemsize:
            raise MeasurementError(f'a step of {self.step} bytes: a row has {row}')
        if channels == 2 or self.encoding in SEMI_PLANAR:
            chroma_rows = SEMI_PLANAR.get(self.encoding, (2, 1))[0]
            if self.width % 2 or (chroma_rows == 1 and self.height % 2):
                raise MeasurementError(
                    f'{self.encoding} of {self.width} x {self.height} px: sides must be even')
        needed = self._needed(self._stride())
        if len(self.data) < needed or len(self.data) > MAX_IMAGE_BYTES:
            raise MeasurementError(
                f'{len(self.data)} bytes for {self.height} rows of {self.step} as '
                f'{self.encoding}: {needed} are needed, at most {MAX_IMAGE_BYTES}')

    def array(self) -> npt.NDArray[Any]:
        """Return pixels (H, W) or (H, W, C) without row padding, in native byte order.

        Chroma of semi-planar encodings is below the luma, or beside it with a width of W bytes.
        """
        kind, channels = PLANES[self.encoding]
        stored = np.dtype(kind).newbyteorder('>' if self.is_bigendian else '<')
        luma = self._rows(0, self.height, self._stride(), self.width * channels * stored.itemsize)
        if self.encoding in SEMI_PLANAR:
            return self._semi_planar(luma)
        shape = (self.height, self.width, channels)[:2 if channels == 1 else 3]
        return np.ascontiguousarray(luma).view(stored).reshape(shape).astype(kind)

    def bgr(self) -> Image:
        """Return colours (H, W, 3) BGR. Raises MeasurementError for depths."""
        if self.encoding not in COLOURS:
            raise MeasurementError(f'{self.encoding} is not an encoding of colours')
        plane = self.array()
        if plane.dtype == np.uint16:
            plane = cv2.convertScaleAbs(plane, alpha=255 / 65535)
        if self.encoding == 'vyuy':
            plane = np.ascontiguousarray(plane[..., ::-1])  # yvyu
        if self.encoding in NO_CONVERSION:
            return np.asarray(plane, np.uint8)
        return np.asarray(cv2.cvtColor(plane, TO_BGR[self.encoding]), np.uint8)

    def _stride(self) -> int:
        """Return the bytes from row to row of the luma.

        Drivers set the step of semi-planar images to that of two channels, or to the mean.
        """
        if self.encoding in SEMI_PLANAR and len(self.data) < self._needed(self.step):
            return self.width
        return self.step

    def _needed(self, stride: int) -> int:
        chroma_rows, chroma_bytes = SEMI_PLANAR.get(self.encoding, (0, 0))
        return stride * self.height + stride * chroma_bytes * self.height * chroma_rows // 2

    def _rows(self, start: int, count: int, stride: int, used: int) -> npt.NDArray[np.uint8]:
        rows = np.frombuffer(self.data, np.uint8, count * stride, start)
        return rows.reshape(count, stride)[:, :used]

    def _semi_planar(self, luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        chroma_rows, chroma_bytes = SEMI_PLANAR[self.encoding]
        stride, count = self._stride(), self.height * chroma_rows // 2
        chroma = self._rows(stride * self.height, count, stride * chroma_bytes,
                            self.width * chroma_bytes)
        if chroma_rows == 1:
            return np.concatenate([luma, chroma])
        if chroma_bytes == 2:  # one pair for two pixels, as 4:2:2
            pairs = np.ascontiguousarray(chroma).reshape(self.height, self.width // 2, 4)
            chroma = pairs[..., :2].reshape(self.height, self.width)
        return np.stack([luma, chroma], axis=2)
