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

"""Compressed images: their sizes, and depth as image_transport's `compressedDepth` packs it.

A header of 12 bytes, a format and two floats A and B, precedes a PNG of 16 bits: millimetres of
16UC1, or of 32FC1 the inverse depth n, from which the depth is A / (n - B) [m]. The `compressed`
of a depth in millimetres is a PNG alone.
"""

import struct
from typing import Any

import cv2
import numpy as np

from utt_ros.drivers.camera.pixel_formats import MAX_IMAGE_BYTES, MAX_SIDE_PX
from utt_ros.errors import MeasurementError
from utt_ros.types import FloatArray

DEPTH_HEADER = struct.Struct('<iff')
MILLIMETRE = np.float32(0.001)
MILLIMETRE_ENCODINGS = ('16UC1', 'mono16')
DEPTH_ENCODINGS = (*MILLIMETRE_ENCODINGS, '32FC1')
PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'


def decode_depth(text: str, data: Any) -> FloatArray:
    """Decode `compressedDepth` to depth (H, W) [m], NaN: unknown. Raises MeasurementError.

    `text` is the format of the message, such as `16UC1; compressedDepth png`.
    """
    encoding, _, compression = text.partition(';')
    encoding, words = encoding.strip(), compression.split()
    is_plain = encoding in MILLIMETRE_ENCODINGS and words[:2] == ['png', 'compressed']
    if not is_plain and (encoding not in DEPTH_ENCODINGS or words[:1] != ['compressedDepth']):
        raise MeasurementError(
            f'depth of format {text[:64]!r}: expected "16UC1; compressedDepth" or "32FC1; '
            'compressedDepth", as image_transport publishes on <topic>/compressedDepth')
    if not is_plain and words[1:2] not in ([], ['png']):
        raise MeasurementError(
            f'depth of format {text[:64]!r}: set the format of its compressedDepth to png')
    png = bytes(data[0 if is_plain else DEPTH_HEADER.size:])
    if not png.startswith(PNG_SIGNATURE):
        raise MeasurementError(f'{len(png)} bytes of depth that are not a PNG')
    check_compressed_size(png)
    plane = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if plane is None or plane.ndim != 2 or plane.dtype != np.uint16:
        raise MeasurementError(f'{len(png)} bytes of depth that are not a PNG of 16 bits')
    if encoding in MILLIMETRE_ENCODINGS:
        return known_depths(plane.astype(np.float32) * MILLIMETRE)
    _, scale, offset = DEPTH_HEADER.unpack(bytes(data[:DEPTH_HEADER.size]))
    with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
        return known_depths(np.where(
            plane > 0, np.float32(scale) / (plane - np.float32(offset)), np.float32(np.nan)))


def known_depths(depth: FloatArray) -> FloatArray:
    """Return depths (H, W) [m] with NaN where they are not positive numbers."""
    with np.errstate(invalid='ignore'):
        return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(np.nan))


def check_compressed_size(data: bytes) -> None:
    """Raise MeasurementError for a JPEG or PNG that is too large, before it is decoded."""
    width, height = compressed_size(data)
    if max(width, height) > MAX_SIDE_PX or width * height * 3 > MAX_IMAGE_BYTES:
        raise MeasurementError(
            f'an image of {width} x {height} px is too large: sides up to {MAX_SIDE_PX} px')


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
