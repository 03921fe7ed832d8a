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
"""

import cv2
import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.types import FloatArray, Image, Indices

LAYOUTS = ('rows', 'columns', 'corners')
MAX_NMS_ROWS = 1000  # of a network that includes non-maximum suppression
MAX_BOXES = 1000  # most confident ones
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
    """Return the layout of an output shape. Raises MeasurementError for others."""
    if len(shape) == 3 and shape[0] == 1:
        if shape[2] == 6 and shape[1] <= MAX_NMS_ROWS:
            return 'corners'
        if shape[2] >= 6 and shape[1] > shape[2]:
            return 'rows'
        if shape[1] >= 5:
            return 'columns'
    raise MeasurementError(
        f'the network returns {shape}: expected (1, N, 5 + C), (1, 4 + C, N) or (1, N, 6)')


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
