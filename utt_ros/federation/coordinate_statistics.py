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

"""Order statistics of each coordinate over many updates.

Sorting contiguous rows takes a fifth to a tenth of the time of `numpy.median` along axis 0,
which collects one coordinate after the other from all updates; the results are equal.
"""

import numpy as np

from utt_ros.types import FloatArray

BLOCK = 16, 1024  # rows and columns that are transposed at once


def sorted_coordinates(rows: FloatArray) -> FloatArray:
    """Sort the values of each coordinate in rows (K, ...): returns (N, K), contiguous."""
    ordered = _transpose(rows.reshape(len(rows), -1))
    ordered.sort(axis=1)
    return ordered


def _transpose(rows: FloatArray) -> FloatArray:
    """Transpose rows (K, N) in blocks: with many rows, at once, it takes longer than sorting."""
    columns = np.empty(rows.shape[::-1], rows.dtype)
    for left in range(0, rows.shape[1], BLOCK[1]):
        for top in range(0, rows.shape[0], BLOCK[0]):
            block = slice(top, top + BLOCK[0]), slice(left, left + BLOCK[1])
            columns[block[::-1]] = rows[block].T
    return columns


def coordinate_medians(rows: FloatArray) -> FloatArray:
    """Compute the median (...) of each coordinate in finite rows (K, ...); K is at least 1."""
    ordered, middle = sorted_coordinates(rows), len(rows) // 2
    medians = ordered[:, middle] if len(rows) % 2 else ordered[:, middle - 1:middle + 1].mean(1)
    return np.asarray(medians).reshape(rows.shape[1:])
