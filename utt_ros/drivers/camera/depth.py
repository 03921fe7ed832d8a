"""How far away the person in a box is, from the depth of its pixels.

A box shows a person, what stands before them and what is behind them. In its middle the person has
more pixels than anything else, at much the same depth; so the depth is the median of the fullest
interval as long as a body is thick, and unknown when a second interval is nearly as full [R].
"""

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.camera import DEPTH_LIMITS_M, DEPTH_NOISE
from utt_ros.types import FloatArray

COLUMNS = (0.3, 0.7)  # of the width, from the left: the trunk
ROWS = (0.2, 0.8)  # of the height, from the top: without the floor between the feet
BODY_M = 0.4
MIN_PIXELS = 12
MIN_KNOWN_SHARE = 0.1  # of the pixels
MIN_MODE_SHARE = 0.35  # of the known pixels lie in the fullest interval
RIVAL = 0.75  # a second interval this full against the first: nobody can say which is the person
MAX_PIXELS = 10_000  # of a region; larger ones are thinned


def depth_of_boxes(depth: FloatArray, boxes: FloatArray) -> FloatArray:
    """Depths (N,) [m] of boxes (N, 5) [CAMERA_CHANNELS] in a picture (H, W) [m]; NaN: unknown."""
    return np.array([depth_of_region(region(depth, box)) for box in boxes], np.float32)


def region(depth: FloatArray, box: FloatArray) -> FloatArray:
    """The known depths (K,) [m] of the middle of a box; NaN stand for those that are unknown."""
    u, v, _, width, height = (float(value) for value in box)
    left, right = (u + (share - 0.5) * width for share in COLUMNS)
    top, bottom = (v + (share - 0.5) * height for share in ROWS)
    rows = slice(max(0, int(top)), max(0, int(bottom) + 1))
    columns = slice(max(0, int(left)), max(0, int(right) + 1))
    values = depth[rows, columns]
    step = 1 + int((values.size / MAX_PIXELS) ** 0.5)
    return np.asarray(values[::step, ::step].ravel(), np.float32)


def depth_of_region(values: FloatArray) -> float:
    """Depth of what fills most of these pixels (K,) [m]; NaN where that is uncertain."""
    low, high = DEPTH_LIMITS_M
    with np.errstate(invalid='ignore'):
        known = np.sort(values[(values >= low) & (values <= high)]).astype(np.float64)
    if len(known) < max(MIN_PIXELS, MIN_KNOWN_SHARE * len(values)):
        return float('nan')
    first, count = _fullest(known)
    others = np.delete(known, slice(first, first + count))
    if count < MIN_MODE_SHARE * len(known):
        return float('nan')
    if len(others) and _fullest(others)[1] > RIVAL * count:
        return float('nan')
    return float(np.median(known[first:first + count]))


def _fullest(known: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Where the fullest interval begins in sorted depths, and how many of them it holds."""
    linear, square = DEPTH_NOISE
    length = BODY_M + 2 * (linear * known + square * known**2)
    counts = np.searchsorted(known, known + length, side='right') - np.arange(len(known))
    first = int(counts.argmax())
    return first, int(counts[first])
