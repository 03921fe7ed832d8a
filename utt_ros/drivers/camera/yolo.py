"""What comes out of YOLO-style networks, as boxes: docs/sources/camera.md lists the layouts.

rows     (1, N, 5 + C)  centre x, y, width, height, objectness, scores of C classes (v5, v7)
columns  (1, 4 + C, N)  centre x, y, width, height, scores of C classes (v8, v9, 11, 12)
corners  (1, N, 6)      left, top, right, bottom, score, class: already without rivals (v10, 26)
"""

import cv2
import numpy as np
import numpy.typing as npt

from utt_ros.errors import MeasurementError
from utt_ros.types import FloatArray

LAYOUTS = ('rows', 'columns', 'corners')
MAX_NMS_ROWS = 1000  # rows of a network that has removed rivals itself
MAX_BOXES = 1000  # the most confident ones are looked at
GREY = 114  # what YOLO networks were trained to see beside a picture


def letterbox(
    image: npt.NDArray[np.uint8], size: int,
) -> tuple[npt.NDArray[np.uint8], float, tuple[float, float]]:
    """The picture inside a square of `size` px; the scale [px/px] and where its corner lies."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    square = np.full((size, size, 3), GREY, np.uint8)
    colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    square[top:top + inner[1], left:left + inner[0]] = cv2.resize(
        colour, inner, interpolation=cv2.INTER_LINEAR)
    return square, scale, (left, top)


def layout_of(shape: tuple[int, ...]) -> str:
    """Which layout an output of this shape has. Raises MeasurementError for others."""
    if len(shape) == 3 and shape[0] == 1:
        if shape[2] == 6 and shape[1] <= MAX_NMS_ROWS:
            return 'corners'
        if shape[2] >= 6 and shape[1] > shape[2]:
            return 'rows'
        if shape[1] >= 5:
            return 'columns'
    raise MeasurementError(
        f'the network gives {shape}: expected (1, N, 5 + C), (1, 4 + C, N) or (1, N, 6)')


def decode(
    output: FloatArray, layout: str, person: int, least: float,
) -> tuple[FloatArray, FloatArray]:
    """Boxes (N, 4) [px of the network's input] as centre, size; their scores (N,) >= `least`.

    Only those of the class `person`. Raises MeasurementError when there is no such class.
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
                f'the network has {table.shape[1] - first} classes, so none with number {person}')
        boxes, scores = table[:, :4], table[:, first + person]
        if layout == 'rows':
            scores = scores * table[:, 4]
    good = np.isfinite(table).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1) & (scores >= least)
    best = np.flatnonzero(good)[np.argsort(-scores[good], kind='stable')[:MAX_BOXES]]
    return boxes[best], np.clip(scores[best], 0.0, 1.0).astype(np.float32)


def without_rivals(boxes: FloatArray, scores: FloatArray, overlap: float) -> npt.NDArray[np.intp]:
    """Which boxes (N, 4) [centre, size] are left when the surer of two that overlap stays."""
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, overlap)
    return np.asarray(kept, np.intp).reshape(-1)
