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

"""Networks that the tests make, and OpenCV's own weights, on people that were drawn."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from utt_ros.drivers.camera.detection import DetectionSettings, make_detector
from utt_ros.errors import SettingsError

INPUT, TALL = 320, 160.0


def onnx(path: Path, **others: object) -> DetectionSettings:
    return DetectionSettings(detector='onnx', model=str(path), input_size=INPUT, score=0.5,
                             overlap=0.2, **others)


@pytest.mark.parametrize('layout', ['rows', 'columns', 'corners'])
def test_network_of_every_layout_finds_people_where_they_are(
    make_network: Callable[..., Path], layout: str, picture_of: Callable[..., np.ndarray],
    feet: Callable[..., tuple[tuple[float, float], ...]],
) -> None:
    detector = make_detector(onnx(make_network(layout), layout=layout))
    people = detector.detect(picture_of(10))
    found = sorted(people.boxes[:, [0, 1, 3, 4]].tolist())
    (first, second), margin = feet(10), 17  # the network looks in steps of 16 px
    assert len(found) == 2
    assert found[0] == pytest.approx([first[0], first[1] - TALL / 2, 80, 160], abs=margin)
    assert found[1] == pytest.approx([second[0], second[1] - TALL / 2, 80, 160], abs=margin)
    assert np.isnan(people.boxes[:, 2]).all()
    assert ((people.confidence >= 0.5) & (people.confidence <= 1)).all()


def test_nobody_is_detected_in_an_empty_image(make_network: Callable[..., Path]) -> None:
    detector = make_detector(onnx(make_network()))
    empty = np.full((360, 640, 3), 170, np.uint8)
    assert len(detector.detect(empty).boxes) == 0
    assert len(detector.detect(empty[..., 0]).boxes) == 0  # grey


def test_networks_that_cannot_be_used_are_refused_at_once(
    make_network: Callable[..., Path], tmp_path: Path,
) -> None:
    with pytest.raises(SettingsError, match='no such file'):
        make_detector(onnx(tmp_path / 'none.onnx'))
    garbage = tmp_path / 'garbage.onnx'
    garbage.write_bytes(b'\x08\x07 this is no network')
    with pytest.raises(SettingsError, match='cannot be used'):
        make_detector(onnx(garbage))
    with pytest.raises(SettingsError, match='there is no class 7'):
        make_detector(onnx(make_network(), person_class=7))
    with pytest.raises(SettingsError, match='one of hog, onnx, source'):
        DetectionSettings(detector='magic')


def test_hog_finds_people_without_the_margin_of_its_window(
    picture_of: Callable[..., np.ndarray],
) -> None:
    detector = make_detector(DetectionSettings(detector='hog', score=0.6))
    people = detector.detect(picture_of(9))
    found = sorted(people.boxes[:, [0, 1, 3, 4]].tolist())
    assert [box[0] for box in found] == pytest.approx([201, 459], abs=8)
    assert [box[1] + box[3] / 2 for box in found] == pytest.approx([345, 300], abs=15)  # feet
    assert [box[3] for box in found] == pytest.approx([TALL, TALL], abs=20)


def test_large_images_are_scaled_down_for_hog(picture_of: Callable[..., np.ndarray]) -> None:
    detector = make_detector(DetectionSettings(detector='hog', score=0.6))
    large = cv2.resize(picture_of(9), None, fx=2.0, fy=2.0)
    found = sorted(detector.detect(large).boxes[:, 0].tolist())
    assert found == pytest.approx([402, 918], abs=16)
