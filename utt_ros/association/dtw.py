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

"""Dynamic time warping of many pairs of sequences at once."""

import numpy as np

from utt_ros.types import Array, Indices, MaskArray


def dtw_distance(local: Array, first_lengths: Indices, second_lengths: Indices) -> Array:
    """Return the cost (B,) of the best warping path, divided by the sum of both lengths.

    `local` (B, n, m) is the distance between element i of a pair's first sequence and element j of
    its second, of which the first `first_lengths` (B,) and `second_lengths` (B,) elements count.
    NaN where one is empty. Steps are (1, 0), (0, 1) and (1, 1) [S: Sakoe and Chiba 1978].
    """
    count, rows, columns = local.shape
    total = np.full((count, (rows + 1) * (columns + 1)), np.inf)
    total[:, 0] = 0.0
    flat = local.reshape(count, rows * columns)
    # A diagonal is a slice of a flattened matrix: no index arrays, all pairs at once.
    for diagonal in range(2, rows + columns + 1):
        low, high = max(1, diagonal - columns), min(rows, diagonal - 1)

        def cells(row: int, along: int, low: int = low, high: int = high) -> slice:
            start = (low - row) * columns + along
            return slice(start, start + (high - low) * columns + 1, columns)
        here = low * (columns - 1) - columns + diagonal - 1
        step = max(columns - 1, 1)
        before = np.minimum(total[:, cells(1, diagonal - 1)], total[:, cells(0, diagonal - 1)])
        before = np.minimum(before, total[:, cells(1, diagonal - 2)])
        total[:, cells(0, diagonal)] = before + flat[
            :, here:here + (high - low) * step + 1:step]
    empty = (first_lengths == 0) | (second_lengths == 0)
    ends = total[np.arange(count), first_lengths * (columns + 1) + second_lengths]
    return np.where(empty, np.nan, ends / np.maximum(first_lengths + second_lengths, 1))


def compact(values: Array, mask: MaskArray) -> tuple[Array, Indices]:
    """Move the elements (..., T) selected by the mask to the front; return their counts (...)."""
    order = np.argsort(~mask, axis=-1, kind='stable')
    return np.take_along_axis(values, order, -1), mask.sum(-1)
