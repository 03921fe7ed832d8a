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

"""Decoding of outputs of YOLO-style networks into boxes, by layout (docs/sources/camera.md).

rows     (1, N, 5 + C)  center x, y, width, height, objectness, scores of C classes (v5, v7)
columns  (1, 4 + C, N)  center x, y, width, height, scores of C classes (v8, v9, 11, 12)
corners  (1, N, 6)      left, top, right, bottom, score, class: after suppression (v10, 26)

Coordinates are pixels of the network's input. An output of any other kind is refused.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.types import FloatArray, Image, Indices

LAYOUTS = ('rows', 'columns', 'corners')
MAX_NMS_ROWS = 1000  # of a network that includes non-maximum suppression
MAX_BOXES = 1000  # most confident ones
MAX_FRACTION = 2.0  # coordinates that all lie below are fractions of the image, not pixels
MIN_SPREAD = 1 / 8  # of the centers of a dense head that are pixels, by the side of the input
MIN_DENSE_ROWS = 400  # of a network without suppression; 525 at 160 px
SCORE_MARGIN = 0.01  # rounding of scores beyond 0 and 1
MIN_LIKELY_SCORE = 0.3  # of rows whose class and order of corners are checked
MAX_INVERTED_SHARE = 0.5  # of these rows
PADDING_GREY = 114  # value with which YOLO networks were trained


def letterbox(image: Image, size: int) -> tuple[Image, float, tuple[float, float]]:
    """Scale an image into a square of `size` px; return it, the scale and its corner [px]."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    square = np.full((size, size, 3), PADDING_GREY, np.uint8)
    colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    square[top:top + inner[1], left:left + inner[0]] = cv2.resize(
        colour, inner, interpolation=cv2.INTER_LINEAR)
    return square, scale, (left, top)


def output_layout(shape: tuple[int, ...]) -> str:
    """Return the layout of an output shape. Raises MeasurementError for others.

    Up to MAX_NMS_ROWS rows of more than six columns are objects of a DETR, or of a network with
    suppression that adds masks or key points, which shapes do not tell apart.
    """
    if len(shape) == 3 and shape[0] == 1:
        if shape[2] == 6 and shape[1] <= MAX_NMS_ROWS:
            return 'corners'
        if shape[2] >= 6 and shape[1] > max(shape[2], MAX_NMS_ROWS):
            return 'rows'
        if shape[1] >= 5 and shape[2] > shape[1]:
            return 'columns'
    raise MeasurementError(
        f'the network returns {shape}: expected (1, N, 5 + C) with N above {MAX_NMS_ROWS}, '
        '(1, 4 + C, N) or (1, N, 6); another export of it may have one of them, or set '
        'detection.layout')


def choose_output(shapes: Mapping[str, tuple[int, ...]], layout: str = '') -> tuple[str, str]:
    """Return the name and layout of the output with boxes and scores.

    Of equal ones it is the last by name: YOLOv9 adds an auxiliary one before it. With a given
    layout it is the only output of three dimensions. Raises MeasurementError when no output, or
    outputs of several shapes, can be it.
    """
    candidates: dict[str, str] = {}
    reason = ''
    for name, shape in shapes.items():
        try:
            candidates[name] = layout or output_layout(shape)
        except MeasurementError as err:
            reason = str(err)
        if len(shape) != 3 or shape[0] != 1:
            candidates.pop(name, None)
    rows = {number for shape in shapes.values() if 4 in shape[1:]  # boxes apart from scores
            for number in shape[1:] if number != 4}
    listed = ', '.join(f'{name} {shape}' for name, shape in shapes.items())
    if not candidates and len(shapes) == 1 and reason:
        raise MeasurementError(reason)
    kinds = {shapes[name] for name in candidates}
    if len(kinds) != 1 or rows & set(next(iter(kinds))):
        raise MeasurementError(
            f'the network returns {listed}: expected one output with boxes and scores, '
            '(1, N, 5 + C), (1, 4 + C, N) or (1, N, 6)')
    return list(candidates.items())[-1]


def check_pixels(output: FloatArray, layout: str, size: int) -> None:
    """Raise MeasurementError when coordinates of all boxes cannot be pixels of the input.

    DETRs give fractions of the image, and heads that were exported undecoded (YOLOX) offsets
    within cells. An output of zeros says nothing.
    """
    table = np.asarray(output[0].T if layout == 'columns' else output[0], np.float32)[:, :4]
    boxes = table[np.isfinite(table).all(axis=1) & (table != 0).any(axis=1)]
    if not len(boxes):
        return
    highest = float(np.abs(boxes).max())
    if highest <= MAX_FRACTION:
        raise MeasurementError(
            f'coordinates of its boxes are up to {highest:.2f}: fractions of the image (DETR) or '
            f'offsets within cells (undecoded), not pixels of an input of {size} px')
    if layout != 'corners' and len(boxes) >= MIN_DENSE_ROWS:
        spread = float(np.ptp(boxes[:, :2], axis=0).max())
        if spread < MIN_SPREAD * size:
            raise MeasurementError(
                f'centers of its {len(boxes)} boxes lie within {spread:.1f} px of an input of '
                f'{size} px: export it with decoded boxes')


def check_scores(output: FloatArray, layout: str, person: int) -> None:
    """Raise MeasurementError when the columns of a table are not those of its layout.

    Raw heads give logits for scores, other exports class and score before the box, or center and
    size for corners.
    """
    table = np.asarray(output[0].T if layout == 'columns' else output[0], np.float32)
    table = table[np.isfinite(table).all(axis=1) & (table != 0).any(axis=1)]
    first = {'rows': 5, 'columns': 4}.get(layout, 4)
    columns = [first] if layout == 'corners' else [first + person, *[4] * (layout == 'rows')]
    scores = table[:, [column for column in columns if column < table.shape[1]]]
    if scores.size and not (scores.min() >= -SCORE_MARGIN and scores.max() <= 1 + SCORE_MARGIN):
        raise MeasurementError(
            f'its scores are {scores.min():.2f} to {scores.max():.2f}: expected 0 to 1, as layout '
            f'{layout} has in column {", ".join(map(str, sorted(columns)))}')
    if layout != 'corners' or not len(table):
        return
    likely = table[table[:, 4] >= min(MIN_LIKELY_SCORE, float(table[:, 4].max()))]
    if (likely[:, 5] % 1 != 0).any():
        raise MeasurementError('its last column is not the number of a class')
    if ((likely[:, 2:4] <= likely[:, :2]).any(axis=1)).mean() > MAX_INVERTED_SHARE:
        raise MeasurementError(
            'its boxes end before they begin: expected left, top, right, bottom')


def decode_detections(
    output: FloatArray, layout: str, person: int, min_score: float,
) -> tuple[FloatArray, FloatArray]:
    """Decode boxes (N, 4) [center, size; input px] and scores (N,) >= `min_score` of a class.

    Raises MeasurementError when the network has no class `person`.
    """
    table = np.asarray(output[0].T if layout == 'columns' else output[0], np.float32)
    if layout == 'corners':
        boxes = np.concatenate(
            [(table[:, :2] + table[:, 2:4]) / 2, table[:, 2:4] - table[:, :2]], axis=1)
        scores = np.where(table[:, 5] == person, table[:, 4], 0.0)
    else:
        first = 5 if layout == 'rows' else 4
        if first + person >= table.shape[1]:
            raise MeasurementError(
                f'the network has {table.shape[1] - first} classes: there is no class {person}')
        boxes, scores = table[:, :4], table[:, first + person]
        if layout == 'rows':
            scores = scores * table[:, 4]
    valid = np.isfinite(table).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1) & (scores >= min_score)
    best = np.flatnonzero(valid)[np.argsort(-scores[valid], kind='stable')[:MAX_BOXES]]
    return boxes[best], np.clip(scores[best], 0.0, 1.0).astype(np.float32)


def non_maximum_suppression(
    boxes: FloatArray, scores: FloatArray, max_overlap: float,
) -> Indices:
    """Return the kept boxes of (N, 4) [center, size]: of two that overlap, the more confident."""
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, max_overlap)
    return np.asarray(kept, np.intp).reshape(-1)
