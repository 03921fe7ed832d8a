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


@pytest.fixture
def constant_network(tmp_path: Path) -> Callable[..., Path]:
    """Make a network of 640 x 640 px that returns constants, whatever it sees."""
    from onnx import TensorProto, helper, numpy_helper, save

    def make(**outputs: np.ndarray) -> Path:
        constants = {f'{name}_value': np.asarray(value, np.float32)
                     for name, value in {**outputs, 'zero': np.float32(0)}.items()}
        nodes = [helper.make_node('ReduceMean', ['images'], ['mean'], keepdims=0),
                 helper.make_node('Mul', ['mean', 'zero_value'], ['none']),
                 *(helper.make_node('Add', [f'{name}_value', 'none'], [name]) for name in outputs)]
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, np.shape(value))
                  for name, value in outputs.items()]
        graph = helper.make_graph(
            nodes, 'constant', [helper.make_tensor_value_info(
                'images', TensorProto.FLOAT, [1, 3, 640, 640])], values,
            [numpy_helper.from_array(value, name) for name, value in constants.items()])
        path = tmp_path / 'constant.onnx'
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8),
             path)
        return path

    return make


def table(shape: tuple[int, ...], row: list[float], *, turned: bool = False) -> np.ndarray:
    """Output of zeros with one row."""
    values = np.zeros(shape[:1] + shape[:0:-1] if turned else shape, np.float32)
    values[0, 7, :len(row)] = row
    return values.transpose(0, 2, 1) if turned else values


PERSON = [320.0, 320.0, 100.0, 200.0, 0.9]
V5 = table((1, 25200, 85), [*PERSON, 0.95])
V8 = table((1, 84, 8400), PERSON, turned=True)
SEGMENTS = table((1, 116, 8400), PERSON, turned=True)
MASKS = np.zeros((1, 32, 160, 160))
GRIDS = {f'grid{side}': np.zeros((1, 3, side, side, 85)) for side in (80, 40, 20)}
FRACTIONS = [0.5, 0.5, 0.15, 0.3, 0.9]


@pytest.mark.parametrize(('outputs', 'layout'), [
    ({'output': V5, **GRIDS}, ''), ({**GRIDS, 'output': V5}, ''), ({'output0': V8}, ''),
    ({'output0': SEGMENTS, 'output1': MASKS}, ''), ({'a': MASKS, 'z': SEGMENTS}, ''),
    ({'output0': table((1, 300, 6), [270, 220, 370, 420, 0.9, 0])}, ''),
    ({'output0': table((1, 300, 38), [270, 220, 370, 420, 0.9, 0]), 'output1': MASKS}, 'corners')])
def test_person_is_found_by_exports_with_any_number_of_outputs(
    constant_network: Callable[..., Path], outputs: dict[str, np.ndarray], layout: str,
) -> None:
    people = make_detector(DetectionSettings(
        detector='onnx', model=str(constant_network(**outputs)), layout=layout,
    )).detect(np.zeros((720, 1280, 3), np.uint8))
    assert people.boxes[:, [0, 1, 3, 4]] == pytest.approx(np.float32([[640, 360, 200, 400]]))


@pytest.mark.parametrize(('outputs', 'says'), [
    ({'output0': table((1, 300, 84), FRACTIONS)}, r'\(1, 300, 84\)'),
    ({'output0': table((1, 300, 6), [*FRACTIONS, 0])}, 'fractions of the image'),
    ({'logits': np.zeros((1, 100, 92)), 'pred_boxes': np.zeros((1, 100, 4))}, 'pred_boxes'),
    ({'labels': np.zeros((1, 300)), 'boxes': np.zeros((1, 300, 4)), 'scores': np.zeros((1, 300))},
     'labels'),
    ({'output0': table((1, 300, 6), [0, 0.9, 270, 220, 370, 420])}, 'scores are'),
    ({'output0': table((1, 300, 6), [*PERSON, 0])}, 'end before they begin'),
    ({'output': table((1, 25200, 85), [320, 320, 100, 200, -3.0, 4.0])}, 'scores are -3.00'),
    ({'output': table((1, 3598, 112), [0.01] * 112)}, 'fractions of the image'),  # NanoDet
    (GRIDS, 'grid80')])
def test_exports_of_other_kinds_are_refused_with_what_they_return(
    constant_network: Callable[..., Path], outputs: dict[str, np.ndarray], says: str,
) -> None:
    with pytest.raises(SettingsError, match=says):
        make_detector(DetectionSettings(detector='onnx', model=str(constant_network(**outputs))))


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
