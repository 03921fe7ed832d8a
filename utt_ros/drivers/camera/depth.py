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

"""Depth of the person in a box, from a depth image.

A box shows a person, occluders and background. In its middle the person has more pixels than
anything else, at similar depths; so the depth is the median of the fullest interval of the length
of a body's thickness, and unknown when a second interval is nearly as full [R].
"""

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.camera import DEPTH_LIMITS_M, DEPTH_NOISE
from utt_ros.types import FloatArray

TRUNK_COLUMNS = (0.3, 0.7)  # of the width, from the left
TRUNK_ROWS = (0.2, 0.8)  # of the height, from the top: without the floor between the feet
BODY_M = 0.4
MIN_PIXELS = 12
MIN_KNOWN_SHARE = 0.1  # of the pixels
MIN_MODE_SHARE = 0.35  # of the known pixels lie in the fullest interval
MAX_SECOND_MODE = 0.75  # count of a second interval per count of the first; above: ambiguous
MAX_PIXELS = 10_000  # of a region; larger ones are subsampled


def box_depths(depth: FloatArray, boxes: FloatArray) -> FloatArray:
    """Return depths (N,) [m], NaN: unknown, of boxes (N, 5) in a depth image (H, W) [m]."""
    return np.array([modal_depth(box_region(depth, box)) for box in boxes], np.float32)


def box_region(depth: FloatArray, box: FloatArray) -> FloatArray:
    """Return the depths (K,) [m] of the middle of a box; NaN where unknown."""
    u, v, _, width, height = (float(value) for value in box)
    left, right = (u + (share - 0.5) * width for share in TRUNK_COLUMNS)
    top, bottom = (v + (share - 0.5) * height for share in TRUNK_ROWS)
    rows = slice(max(0, int(top)), max(0, int(bottom) + 1))
    columns = slice(max(0, int(left)), max(0, int(right) + 1))
    values = depth[rows, columns]
    step = 1 + int((values.size / MAX_PIXELS) ** 0.5)
    return np.asarray(values[::step, ::step].ravel(), np.float32)


def modal_depth(values: FloatArray) -> float:
    """Return the mode of depths (K,) [m]; NaN where it is ambiguous."""
    low, high = DEPTH_LIMITS_M
    with np.errstate(invalid='ignore'):
        known = np.sort(values[(values >= low) & (values <= high)]).astype(np.float64)
    if len(known) < max(MIN_PIXELS, MIN_KNOWN_SHARE * len(values)):
        return float('nan')
    first, count = _fullest(known)
    others = np.delete(known, slice(first, first + count))
    if count < MIN_MODE_SHARE * len(known):
        return float('nan')
    if len(others) and _fullest(others)[1] > MAX_SECOND_MODE * count:
        return float('nan')
    return float(np.median(known[first:first + count]))


def _fullest(known: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return start and number of depths of the fullest interval in sorted depths."""
    linear, square = DEPTH_NOISE
    length = BODY_M + 2 * (linear * known + square * known**2)
    counts = np.searchsorted(known, known + length, side='right') - np.arange(len(known))
    first = int(counts.argmax())
    return first, int(counts[first])
