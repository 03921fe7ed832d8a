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

"""Every encoding, from pictures whose colours are known."""

import numpy as np
import pytest

from utt_ros.drivers.camera.pixel_formats import COLOURS, PLANES, SEMI_PLANAR, RawImage
from utt_ros.errors import MeasurementError

H, W = 8, 12
COLOURS_BGR = {'red': (0, 0, 255), 'green': (0, 255, 0), 'blue': (255, 0, 0), 'grey': (90, 90, 90)}
YUV = {'red': (82, 90, 240), 'green': (145, 54, 34), 'blue': (41, 240, 110),
       'grey': (93, 128, 128)}
ORDERS = {'uyvy': 'uyvy', 'yuv422': 'uyvy', 'yuv422_uyvy': 'uyvy', 'yuyv': 'yuyv',
          'yuv422_yuy2': 'yuyv', 'yuy2': 'yuyv', 'yvyu': 'yvyu', 'vyuy': 'vyuy'}


def picture(encoding: str, name: str) -> np.ndarray:
    """Rows (bytes) of a picture of one colour, as the encoding defines them."""
    blue, green, red = COLOURS_BGR[name]
    y, u, v = YUV[name]
    if encoding in ORDERS:
        four = [{'y': y, 'u': u, 'v': v}[letter] for letter in ORDERS[encoding]]
        return np.tile(np.uint8(four), (H, W // 2))
    if encoding in SEMI_PLANAR:
        pair = (u, v) if encoding in ('nv12', 'nv16', 'nv24') else (v, u)
        rows, width = SEMI_PLANAR[encoding]
        chroma = np.tile(np.uint8(pair), (H * rows // 2 * width, W // 2))
        return np.concatenate([np.full((H, W), y, np.uint8), chroma])
    if encoding.startswith('bayer'):
        mosaic = np.zeros((H, W), np.uint8)
        for index, letter in enumerate(encoding.split('_')[1][:4]):
            mosaic[index // 2::2, index % 2::2] = {'r': red, 'g': green, 'b': blue}[letter]
        values = mosaic
    else:
        order = {'mono': [green], 'rgb': [red, green, blue], 'bgr': [blue, green, red]}.get(
            encoding[:4].rstrip('a81'), [blue, green, red, 255][:PLANES[encoding][1]])
        if len(order) < PLANES[encoding][1]:
            order = [*order, 255]
        values = np.tile(np.uint8(order), (H, W))
    if PLANES[encoding][0] == 'u2':
        return (values.astype('<u2') * 257).view(np.uint8)
    return values


@pytest.mark.parametrize(('encoding', 'name'), [
    (encoding, name) for encoding in sorted(COLOURS) for name in COLOURS_BGR
    if name == 'grey' or encoding not in ('mono8', 'mono16', '8UC1')])
def test_every_encoding_gives_the_colours_of_the_picture(encoding: str, name: str) -> None:
    rows = picture(encoding, name)
    got = RawImage(encoding, H, W, len(rows[0]), rows.tobytes()).bgr()
    assert got.shape == (H, W, 3)
    assert np.abs(got[2:-2, 2:-2].astype(int) - COLOURS_BGR[name]).max() <= 3


@pytest.mark.parametrize('encoding', sorted(COLOURS))
def test_padding_of_rows_and_the_byte_order_change_nothing(encoding: str) -> None:
    rows = picture(encoding, 'red')
    padded = np.pad(rows, ((0, 0), (0, 8)), constant_values=170)
    if SEMI_PLANAR.get(encoding, (0, 0))[1] == 2:  # two rows of chroma are one of twice the step
        padded = np.concatenate([padded[:H].ravel(), np.pad(
            rows[H:].reshape(H, -1), ((0, 0), (0, 16)), constant_values=170).ravel()])
    plain = RawImage(encoding, H, W, len(rows[0]), rows.tobytes()).bgr()
    step = len(rows[0]) + 8
    assert np.array_equal(RawImage(encoding, H, W, step, padded.tobytes()).bgr(), plain)
    if PLANES[encoding][0] == 'u2':
        swapped = rows.view('<u2').astype('>u2').tobytes()
        image = RawImage(encoding, H, W, len(rows[0]), swapped, is_bigendian=True)
        assert np.array_equal(image.bgr(), plain)


@pytest.mark.parametrize('step', [W, W * 3 // 2, 2 * W])
@pytest.mark.parametrize('encoding', sorted(SEMI_PLANAR))
def test_semi_planar_images_are_read_with_the_steps_that_drivers_set(
    encoding: str, step: int,
) -> None:
    rows = picture(encoding, 'blue')
    got = RawImage(encoding, H, W, step, rows.tobytes()).bgr()
    assert np.abs(got.astype(int) - COLOURS_BGR['blue']).max() <= 3


@pytest.mark.parametrize(('encoding', 'height', 'width', 'step', 'count', 'says'), [
    ('64FC1', 2, 2, 16, 32, "encoding is '64FC1'"), ('8SC3', 2, 2, 6, 12, "encoding is '8SC3'"),
    ('yuyv', 2, 3, 6, 12, 'sides must be even'), ('nv12', 3, 2, 2, 9, 'sides must be even'),
    ('nv12', 4, 4, 4, 23, '24 are needed'), ('nv24', 4, 4, 4, 47, '48 are needed'),
    ('uyvy', 4, 4, 7, 32, 'a row has 8'), ('bayer_rggb16', 4, 4, 9, 36, 'a row has 8'),
    ('bgr16', 4, 4, 24, 95, '96 are needed'), ('32FC1', 2, 2, 8, 16, 'not an encoding of colours'),
    ('16UC1', 2, 2, 4, 8, 'not an encoding of colours')])
def test_images_that_do_not_match_their_encoding_are_refused(
    encoding: str, height: int, width: int, step: int, count: int, says: str,
) -> None:
    with pytest.raises(MeasurementError, match=says):
        RawImage(encoding, height, width, step, bytes(count)).bgr()


def test_depths_are_read_as_they_are() -> None:
    depths = np.float32([[1.5, 0.0], [2.0, 7.0]])
    assert np.array_equal(RawImage('32FC1', 2, 2, 8, depths.tobytes()).array(), depths)
