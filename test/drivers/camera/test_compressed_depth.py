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

"""Depth as image_transport compresses it."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.drivers.camera.compressed_depth import compressed_size, decode_depth
from utt_ros.errors import MeasurementError

MILLIMETRES = np.array([[0, 1, 1500], [65535, 258, 2]], np.uint16)
METRES = np.float32([[np.nan, 0.001, 1.5], [65.535, 0.258, 0.002]])
QUANTUM, MAX_DEPTH = 100.0, 10.0  # parameters of compressedDepth
SCALE = QUANTUM * (QUANTUM + 1)
OFFSET = 1 - SCALE / MAX_DEPTH
HEADER = struct.pack('<iff', 1, SCALE, OFFSET)


def png(plane: np.ndarray) -> bytes:
    return cv2.imencode('.png', plane)[1].tobytes()


@pytest.mark.parametrize('text', [
    '16UC1; compressedDepth', '16UC1; compressedDepth png', 'mono16; compressedDepth png',
    ' 16UC1 ;compressedDepth'])
def test_compressed_millimetres_become_metres(text: str) -> None:
    depth = decode_depth(text, HEADER + png(MILLIMETRES))
    assert depth.dtype == np.float32
    assert depth == pytest.approx(METRES, nan_ok=True)


@pytest.mark.parametrize('text', ['16UC1; png compressed', '16UC1; png compressed 16UC1'])
def test_depth_of_the_plain_transport_is_read(text: str) -> None:
    assert decode_depth(text, png(MILLIMETRES)) == pytest.approx(METRES, nan_ok=True)


@pytest.mark.parametrize('text', ['32FC1; compressedDepth', '32FC1; compressedDepth png'])
def test_inverse_depth_becomes_metres(text: str) -> None:
    sent = np.array([[0.5, 1.0, 2.0], [4.0, 8.0, np.nan]])
    inverse = np.where(np.isfinite(sent), SCALE / sent + OFFSET, 0).astype(np.uint16)
    depth = decode_depth(text, HEADER + png(inverse))
    assert depth == pytest.approx(sent, rel=0.01, nan_ok=True)


@pytest.mark.parametrize(('text', 'data', 'says'), [
    ('', HEADER + png(MILLIMETRES), 'compressedDepth'),
    ('jpeg', HEADER + png(MILLIMETRES), "format 'jpeg'"),
    ('rgb8; jpeg compressed bgr8', b'', 'rgb8; jpeg'),
    ('16UC1; compressedDepth rvl', HEADER + bytes(40), 'to png'),
    ('16UC1; compressedDepth png', png(MILLIMETRES), 'not a PNG'),
    ('16UC1; png compressed', HEADER + png(MILLIMETRES), 'not a PNG'),
    ('16UC1; compressedDepth', b'', 'not a PNG'),
    ('16UC1; compressedDepth', HEADER + png(MILLIMETRES)[:40], 'not a PNG of 16'),
    ('16UC1; compressedDepth', HEADER + png(MILLIMETRES.astype(np.uint8)), 'not a PNG of 16'),
    ('16UC1; compressedDepth', HEADER + png(np.zeros((2, 2, 3), np.uint16)), 'not a PNG of 16'),
    ('64FC1; compressedDepth', HEADER + png(MILLIMETRES), '64FC1')])
def test_other_depths_are_refused_with_their_format(text: str, data: bytes, says: str) -> None:
    with pytest.raises(MeasurementError, match=says):
        decode_depth(text, data)


def test_depth_with_a_huge_size_is_refused_before_decoding() -> None:
    data = bytearray(png(MILLIMETRES))
    data[16:24] = (60000).to_bytes(4, 'big') * 2
    with pytest.raises(MeasurementError, match='60000 x 60000 px is too large'):
        decode_depth('16UC1; compressedDepth', HEADER + bytes(data))


@pytest.mark.parametrize('kind', ['.png', '.jpg'])
def test_size_of_a_compressed_image_is_read_from_its_header(kind: str) -> None:
    data = cv2.imencode(kind, np.zeros((32, 48), np.uint8))[1].tobytes()
    assert compressed_size(data) == (48, 32)


@settings(max_examples=60, deadline=None)
@given(st.floats(width=32), st.floats(width=32))
def test_depths_of_any_parameters_are_positive_or_unknown(scale: float, offset: float) -> None:
    depth = decode_depth('32FC1; compressedDepth',
                         struct.pack('<iff', 0, scale, offset) + png(MILLIMETRES))
    assert ((depth > 0) | np.isnan(depth)).all()
    assert not np.isinf(depth).any()
