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

"""Every encoding from our module and, where it is installed, from ROS's cv_bridge."""

import sys
from array import array
from contextlib import suppress
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from utt_ros.bridge.compat import cv_bridge
from utt_ros.drivers.camera.camera_calibration import pinhole_calibration
from utt_ros.drivers.camera.pixel_formats import PLANES
from utt_ros.errors import MeasurementError, SettingsError
from utt_ros.settings import AreaSettings


@pytest.fixture(params=['ours', 'real'])
def bridge(request: pytest.FixtureRequest) -> Any:
    """Both implementations, one after the other."""
    if request.param == 'ours':
        return cv_bridge.CvBridge()
    return pytest.importorskip('cv_bridge').CvBridge()


@pytest.fixture
def bgr(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (6, 5, 3), np.uint8)


def message(plane: np.ndarray, encoding: str, pad: int = 0, *, big: bool = False) -> Image:
    """Message as the standard says it is laid out; `pad` bytes follow every row."""
    stored = plane.astype(plane.dtype.newbyteorder('>' if big else '<'))
    rows = [row.tobytes() + b'\xaa' * pad for row in stored]
    return Image(height=len(plane), width=plane.shape[1], encoding=encoding, is_bigendian=big,
                 step=len(rows[0]), data=array('B', b''.join(rows)))


@pytest.mark.parametrize('pad', [0, 4])
@pytest.mark.parametrize(('encoding', 'code'), [
    ('bgr8', None), ('rgb8', cv2.COLOR_BGR2RGB), ('bgra8', cv2.COLOR_BGR2BGRA),
    ('rgba8', cv2.COLOR_BGR2RGBA), ('8UC3', None), ('8UC4', cv2.COLOR_BGR2BGRA)])
def test_colours_of_every_encoding_arrive_as_bgr(
    bridge: Any, bgr: np.ndarray, encoding: str, code: int | None, pad: int,
) -> None:
    sent = bgr if code is None else cv2.cvtColor(bgr, code)
    assert np.array_equal(cv_bridge.image_from_message(bridge, message(sent, encoding, pad)), bgr)


@pytest.mark.parametrize('encoding', ['mono8', '8UC1'])
def test_grey_arrives_as_bgr(bridge: Any, bgr: np.ndarray, encoding: str) -> None:
    grey = np.ascontiguousarray(bgr[..., 0])
    got = cv_bridge.image_from_message(bridge, message(grey, encoding, 3))
    assert np.array_equal(got, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('pad', [0, 4])
def test_millimetres_become_metres_and_zero_is_unknown(bridge: Any, big: bool, pad: int) -> None:
    sent = np.array([[0, 1, 1500], [65535, 258, 2]], np.uint16)
    got = cv_bridge.depth_from_message(bridge, message(sent, '16UC1', pad, big=big))
    expected = np.float32([[np.nan, 0.001, 1.5], [65.535, 0.258, 0.002]])
    assert got.dtype == np.float32
    assert got == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('pad', [0, 8])
def test_metres_are_kept_and_invalid_distances_become_unknown(
    bridge: Any, big: bool, pad: int,
) -> None:
    sent = np.float32([[1.5, np.nan, np.inf], [-np.inf, 0.0, -2.0]])
    got = cv_bridge.depth_from_message(bridge, message(sent, '32FC1', pad, big=big))
    assert got == pytest.approx(np.float32([[1.5, *[np.nan] * 2], [np.nan] * 3]), nan_ok=True)


@pytest.mark.parametrize('kind', ['png', 'jpg'])
def test_compressed_images_are_decoded(bridge: Any, kind: str) -> None:
    smooth = np.dstack([np.tile(np.arange(0, 240, 5, np.uint8), (32, 1))] * 3)
    data = cv2.imencode(f'.{kind}', smooth)[1].tobytes()
    got = cv_bridge.image_from_message(bridge, CompressedImage(format=kind, data=array('B', data)))
    assert got.shape == smooth.shape
    assert np.abs(got.astype(int) - smooth).max() <= (0 if kind == 'png' else 4)


MOSAICS = {'rggb': (0, 0), 'grbg': (0, 1), 'gbrg': (1, 0), 'bggr': (1, 1)}  # place of red


@pytest.mark.parametrize('kind', ['.png', '.jpg'])
@pytest.mark.parametrize('suffix', ['jpeg compressed ', 'png compressed', 'png compressed {}', ''])
@pytest.mark.parametrize('order', MOSAICS)
def test_mosaics_that_image_transport_compressed_have_colours(
    bridge: Any, order: str, suffix: str, kind: str,
) -> None:
    mosaic = np.zeros((32, 48), np.uint8)
    row, column = MOSAICS[order]
    mosaic[row::2, column::2] = 255
    name = f'bayer_{order}8'
    data = cv2.imencode(kind, mosaic, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    got = cv_bridge.image_from_message(bridge, CompressedImage(
        format=f'{name}; {suffix.format(name)}', data=array('B', data)))
    assert got[4:-4, 4:-4].mean(axis=(0, 1)) == pytest.approx([0, 0, 255], abs=12)


@pytest.mark.parametrize('text', [
    'rgb8; jpeg compressed bgr8', 'bayer_rggb8; jpeg compressed bgr8', 'mono8; png compressed ',
    'jpeg', 'bayer_magic8; png compressed', ''])
def test_other_compressed_images_are_no_mosaics(text: str) -> None:
    assert cv_bridge.compressed_mosaic(text) == ''


def test_colours_that_pretend_to_be_a_mosaic_are_refused(bridge: Any) -> None:
    data = cv2.imencode('.png', np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    with pytest.raises(MeasurementError, match='not an image of bayer_rggb8'):
        cv_bridge.image_from_message(bridge, CompressedImage(
            format='bayer_rggb8; png compressed', data=array('B', data)))


@pytest.mark.parametrize(('plane', 'encoding'), [
    (np.arange(60, dtype=np.uint8).reshape(4, 5, 3), 'bgr8'),
    (np.arange(20, dtype=np.uint8).reshape(4, 5), 'mono8'),
    (np.linspace(0, 9, 20, dtype=np.float32).reshape(4, 5), '32FC1')])
def test_published_images_are_read_back(bridge: Any, plane: np.ndarray, encoding: str) -> None:
    sent = cv_bridge.image_message(bridge, plane)
    assert (sent.encoding, sent.height, sent.width) == (encoding, 4, 5)
    assert sent.step * 4 == len(sent.data)
    assert np.array_equal(bridge.imgmsg_to_cv2(sent, 'passthrough'), plane)
    assert cv_bridge.image_message(bridge, None) is None


@pytest.mark.parametrize('change', [
    {'encoding': 'magic'}, {'encoding': ''}, {'height': 0}, {'width': 0}, {'height': 2**32 - 1},
    {'width': 2**32 - 1}, {'step': 0}, {'step': 14}, {'step': 2**32 - 1}, {'height': 7},
    {'data': array('B')}, {'encoding': '16UC1', 'step': 15}, {'encoding': '32FC1', 'width': 4}])
def test_images_whose_data_do_not_match_their_header_are_refused(
    bridge: Any, bgr: np.ndarray, change: dict[str, Any],
) -> None:
    bad = message(bgr, 'bgr8')
    for name, value in change.items():
        setattr(bad, name, value)
    with pytest.raises(MeasurementError):
        cv_bridge.image_from_message(bridge, bad)
    with pytest.raises(MeasurementError):
        cv_bridge.depth_from_message(bridge, bad)


def test_images_with_a_long_profile_before_their_size_are_decoded(bridge: Any) -> None:
    data = cv2.imencode('.jpg', np.full((32, 48, 3), 200, np.uint8))[1].tobytes()
    profile = 3 * (b'\xff\xe2' + (60_000).to_bytes(2, 'big') + b'p' * 59_998)
    whole = array('B', data[:2] + profile + data[2:])
    decoded = cv_bridge.image_from_message(bridge, CompressedImage(format='jpeg', data=whole))
    assert decoded.shape == (32, 48, 3)


def test_small_file_with_a_huge_size_in_its_header_is_refused_before_decoding(bridge: Any) -> None:
    data = bytearray(cv2.imencode('.png', np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    data[16:24] = (60000).to_bytes(4, 'big') * 2
    with pytest.raises(MeasurementError, match='60000 x 60000 px is too large'):
        cv_bridge.image_from_message(bridge, CompressedImage(format='png', data=array('B', data)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b'', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff\xc0']))
def test_arbitrary_bytes_are_decoded_or_refused(tail: bytes, head: bytes) -> None:
    sent = CompressedImage(format='jpeg', data=array('B', head + tail))
    with suppress(MeasurementError):
        assert cv_bridge.image_from_message(cv_bridge.CvBridge(), sent).ndim == 3


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*PLANES, 'yuv9']), st.integers(0, 2**32 - 1),
       st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 255),
       st.binary(max_size=200))
def test_headers_match_the_data_or_are_refused(
    encoding: str, height: int, width: int, step: int, big: int, data: bytes,
) -> None:
    sent = Image(encoding=encoding, height=height, width=width, step=step, is_bigendian=big,
                 data=array('B', data))
    for read in (cv_bridge.image_from_message, cv_bridge.depth_from_message):
        with suppress(MeasurementError):
            assert read(cv_bridge.CvBridge(), sent).shape[:2] == (height, width)


def test_calibration_survives_the_conversion() -> None:
    area = AreaSettings()
    info = cv_bridge.camera_info_message(pinhole_calibration(area))
    assert (info.width, info.height) == (1280, 720)
    assert (info.k[0], info.k[4], info.k[2], info.k[5]) == (area.fx, area.fy, area.cx, area.cy)
    assert info.p[0] == area.fx
    assert list(info.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert isinstance(info, CameraInfo)
    cv_bridge.check_focal_lengths(info, area)
    with pytest.raises(SettingsError, match='fx is'):
        cv_bridge.check_focal_lengths(info, AreaSettings(fx=900.0))
    cv_bridge.check_focal_lengths(
        CameraInfo(k=[2 * value for value in info.k], binning_x=2, binning_y=2), area)
    with pytest.raises(SettingsError, match='not calibrated'):
        cv_bridge.check_focal_lengths(CameraInfo(width=1280, height=720), area)


def test_load_prefers_the_real_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ModuleType('cv_bridge')
    real.CvBridge = dict
    monkeypatch.setitem(sys.modules, 'cv_bridge', real)
    assert cv_bridge.load_cv_bridge() == {}


def test_load_falls_back_to_this_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    assert isinstance(cv_bridge.load_cv_bridge(), cv_bridge.CvBridge)
