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

"""Layouts of networks, and what comes out of them by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from utt_ros.drivers.camera.yolo import (
    MAX_BOXES,
    check_pixels,
    check_scores,
    choose_output,
    decode_detections,
    letterbox,
    non_maximum_suppression,
    output_layout,
)
from utt_ros.errors import MeasurementError


@pytest.mark.parametrize(('shape', 'layout'), [
    ((1, 25200, 85), 'rows'), ((1, 84, 8400), 'columns'), ((1, 5, 8400), 'columns'),
    ((1, 300, 6), 'corners'), ((1, 25200, 6), 'rows'), ((1, 56, 8400), 'columns'),
    ((1, 84, 2100), 'columns'), ((1, 6300, 85), 'rows')])
def test_the_layout_follows_from_the_shape(shape: tuple[int, ...], layout: str) -> None:
    assert output_layout(shape) == layout


@pytest.mark.parametrize('shape', [(8400, 84), (2, 84, 8400), (1, 3, 80, 80, 85), (1, 4, 8400),
    (1, 300, 84), (1, 300, 38), (1, 300, 57), (1, 300, 7), (1, 100, 4), (1, 8400, 4), (1, 300),
    (1, 84, 84), (300, 7)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(MeasurementError, match='the network returns'):
        output_layout(shape)


BOXES, MASKS = (1, 116, 8400), (1, 32, 160, 160)
GRIDS = {f'grid{side}': (1, 3, side, side, 85) for side in (80, 40, 20)}


@pytest.mark.parametrize(('shapes', 'layout', 'chosen'), [
    ({'output0': BOXES, 'output1': MASKS}, '', ('output0', 'columns')),
    ({'masks': MASKS, 'output': BOXES}, '', ('output', 'columns')),
    ({**GRIDS, 'output': (1, 25200, 85)}, '', ('output', 'rows')),
    ({'output': (1, 25200, 85), **GRIDS}, '', ('output', 'rows')),
    ({'output0': (1, 84, 8400), 'output1': (1, 84, 8400)}, '', ('output1', 'columns')),
    ({'a': (1, 300, 6), 'b': MASKS}, '', ('a', 'corners')),
    ({'output0': (1, 300, 38), 'output1': MASKS}, 'corners', ('output0', 'corners')),
    ({'output0': (1, 525, 85)}, 'rows', ('output0', 'rows'))])
def test_the_output_with_boxes_and_scores_is_chosen_at_any_place(
    shapes: dict[str, tuple[int, ...]], layout: str, chosen: tuple[str, str],
) -> None:
    assert choose_output(shapes, layout) == chosen


@pytest.mark.parametrize('shapes', [
    {'logits': (1, 100, 92), 'pred_boxes': (1, 100, 4)},  # DETR
    {'pred_boxes': (1, 8400, 4), 'pred_scores': (1, 8400, 80)},  # YOLO-NAS
    {'scores': (1, 80, 8400), 'boxes': (1, 8400, 4)},
    {'labels': (1, 300), 'boxes': (1, 300, 4), 'scores': (1, 300)},  # RT-DETR
    {'num_dets': (1, 1), 'det_boxes': (1, 100, 4), 'det_scores': (1, 100)},  # YOLOv7, TensorRT
    {'distances': (1, 64, 8400), 'classes': (1, 80, 8400)},  # undecoded v8
    {f'head{side}': (1, 144, side, side) for side in (80, 40, 20)},
    {'output0': (1, 300, 84), 'output1': MASKS},
    {'boxes': (1, 4, 8400), 'scores': (1, 80, 8400)},  # v8 with its parts apart
    {'scores': (1, 8400, 80), 'boxes': (1, 4, 8400)},
    {'boxes': (1, 10647, 1, 4), 'confs': (1, 10647, 80)},  # darknet
    {'scores': (1, 8732, 21), 'boxes': (1, 8732, 4)},  # SSD
    {'detection_boxes': (1, 100, 4), 'detection_scores': (1, 100)},  # TensorFlow
    {'dets': (1, 100, 5), 'labels': (1, 100)},  # MMDetection
    {'dets': (1, 300, 4), 'labels': (1, 300, 91)},  # RF-DETR
    {'logits': (1, 900, 256), 'boxes': (1, 900, 4)},  # Grounding DINO
    {'hm': (1, 80, 128, 128), 'wh': (1, 2, 128, 128), 'reg': (1, 2, 128, 128)}])  # CenterNet
def test_outputs_that_cannot_be_boxes_with_scores_are_refused_with_their_shapes(
    shapes: dict[str, tuple[int, ...]],
) -> None:
    with pytest.raises(MeasurementError) as refused:
        choose_output(shapes)
    assert all(f'{name} {shape}' in str(refused.value) for name, shape in shapes.items())


def dense(scale: float) -> np.ndarray:
    """Boxes of a grid of 40 x 40 cells of 16 px, and a score, times a scale."""
    y, x = np.mgrid[:40, :40].reshape(2, -1) * 16.0
    return np.float32([np.stack([x, y, 0 * x + 40, 0 * x + 90, 0 * x + 0.01]) * scale])


@pytest.mark.parametrize(('output', 'layout'), [
    (dense(1.0), 'columns'), (np.zeros((1, 300, 6)), 'corners'),
    (np.zeros((1, 84, 8400)), 'columns'),
    (np.float32([[[270, 220, 370, 420, 0.9, 0]]]), 'corners')])
def test_boxes_in_pixels_pass(output: np.ndarray, layout: str) -> None:
    check_pixels(output, layout, 640)


@pytest.mark.parametrize(('output', 'layout', 'says'), [
    (np.full((1, 300, 6), 0.5), 'corners', r'up to 0\.50'),
    (np.full((1, 300, 84), 0.9), 'rows', r'up to 0\.90'),
    (dense(1 / 640), 'columns', 'fractions of the image'),
    (dense(1 / 16) % 3, 'columns', r'lie within 2\.0 px of an input of 640 px')])
def test_fractions_and_undecoded_offsets_are_not_taken_for_pixels(
    output: np.ndarray, layout: str, says: str,
) -> None:
    with pytest.raises(MeasurementError, match=says):
        check_pixels(output, layout, 640)


CORNERS = [270, 220, 370, 420, 0.9, 0]


def one_row(row: list[float], layout: str) -> np.ndarray:
    """Output with one row of values among zeros."""
    table = np.zeros((1, 300, len(row)), np.float32)
    table[0, 5] = row
    return table.transpose(0, 2, 1) if layout == 'columns' else table


@pytest.mark.parametrize(('row', 'layout', 'person'), [
    (CORNERS, 'corners', 0), ([320, 320, 100, 200, 0.9, 0.95], 'rows', 0),
    ([320, 320, 100, 200, 0.001, 0.0, 1.0], 'rows', 1), ([320, 320, 100, 200, 0.9], 'columns', 0),
    ([320, 320, 100, 200, 0.9, -3.5, 7.0], 'columns', 0),  # coefficients of masks
    ([320, 320, 100, 200, 1.004], 'columns', 0), ([*CORNERS[:4], 0.01, 0.5], 'rows', 0),
    ([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 'corners', 0), ([*CORNERS, 5.0, -5.0], 'corners', 0)])
def test_scores_from_0_to_1_pass(row: list[float], layout: str, person: int) -> None:
    check_scores(one_row(row, layout), layout, person)


@pytest.mark.parametrize(('row', 'layout', 'person', 'says'), [
    ([0, 0.9, 270, 220, 370, 420], 'corners', 0, 'scores are .* 370.00'),  # Paddle
    ([270, 220, 370, 420, 0, 0.9], 'corners', 0, 'not the number of a class'),
    ([320, 320, 100, 200, 0.9, 0], 'corners', 0, 'end before they begin'),
    ([320, 320, 100, 200, -4.5, 2.5], 'rows', 0, 'expected 0 to 1'),  # logits
    ([320, 320, 100, 200, 0.9, 0.1, 2.5], 'rows', 1, r'0\.90 to 2\.50'),
    ([320, 320, 100, 200, -7.5], 'columns', 0, 'layout columns has in column 4'),
    ([320, 320, 100, 200, 0.5, 3.5], 'columns', 1, 'in column 5')])
def test_tables_of_other_columns_are_refused(
    row: list[float], layout: str, person: int, says: str,
) -> None:
    with pytest.raises(MeasurementError, match=says):
        check_scores(one_row(row, layout), layout, person)


def test_letterbox_keeps_the_aspect_ratio() -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    image[100:200, 300:400] = 255
    square, scale, (left, top) = letterbox(image, 320)
    assert square.shape == (320, 320, 3)
    assert (scale, left, top) == (0.5, 0, 70)
    bright = np.argwhere(square[..., 0] == 255)
    assert bright.min(axis=0).tolist() == [120, 150]
    assert bright.max(axis=0).tolist() == [169, 199]


def test_the_three_layouts_decode_to_the_same_boxes() -> None:
    rows = np.float32([[[100, 50, 20, 40, 0.8, 0.1, 0.5], [10, 10, 4, 8, 0.9, 1.0, 0.0]]])
    columns = np.float32([[[100, 50, 20, 40, 0.0, 0.4], [10, 10, 4, 8, 0.9, 0.0]]])
    corners = np.float32([[[90, 30, 110, 70, 0.4, 1], [8, 6, 12, 14, 0.9, 0]]])
    for output, layout in ((rows, 'rows'), (columns.transpose(0, 2, 1), 'columns'),
                           (corners, 'corners')):
        boxes, scores = decode_detections(output, layout, 1, 0.3)
        assert boxes.tolist() == [[100, 50, 20, 40]]
        assert scores == pytest.approx([0.4])


def test_class_that_the_network_lacks_is_refused() -> None:
    with pytest.raises(MeasurementError, match='has 2 classes: there is no class 2'):
        decode_detections(np.zeros((1, 6, 100), np.float32), 'columns', 2, 0.3)


def test_the_more_confident_of_two_overlapping_boxes_is_kept() -> None:
    boxes = np.float32([[50, 50, 20, 40], [52, 50, 20, 40], [90, 50, 20, 40]])
    kept = non_maximum_suppression(boxes, np.float32([0.6, 0.9, 0.5]), 0.45)
    assert kept.tolist() == [1, 2]
    assert non_maximum_suppression(boxes[:0], np.float32([]), 0.45).tolist() == []


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, st.tuples(st.just(1), st.integers(7, 20), st.just(7)),
              elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
       st.sampled_from(['rows', 'columns', 'corners']))
def test_boxes_of_any_network_output_are_finite(output: np.ndarray, layout: str) -> None:
    with np.errstate(all='ignore'):
        boxes, scores = decode_detections(output, layout, 0, 0.25)
    assert np.isfinite(scores).all()
    assert ((scores >= 0.25) & (scores <= 1)).all()
    assert (boxes[:, 2:] > 0).all()
    assert len(boxes) <= MAX_BOXES
