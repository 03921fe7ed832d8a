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

"""Columns of training examples: arrays of equal length, by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.types import AP_GEOMETRY, FURTHER_FTM

RANGE_SETS = (FURTHER_FTM, f'{FURTHER_FTM}_mask', AP_GEOMETRY)  # beside the columns of 'ftm'
CENTRE = 'centre_px'  # (N,) image column about which paths can be mirrored; NaN: not mirrored

Columns = dict[str, npt.NDArray[Any]]
"""A modality's values under its name, its mask under '<name>_mask', and the fields of MotionLabels
and of StrideHarmonics. Of areas with several access points, also FURTHER_FTM (N, T, A, 2), its
mask (N, T, A) and AP_GEOMETRY (N, A + 1, 3)."""


def take(columns: Columns, rows: npt.NDArray[np.intp] | slice) -> Columns:
    """Select rows of every column."""
    return {name: values[rows] for name, values in columns.items()}


def join_access_points(columns: Columns) -> Columns:
    """Return columns whose ranges are those to all access points: (N, A, T, 2), mask (N, A, T).

    Unchanged where there is one access point alone.
    """
    if FURTHER_FTM not in columns or 'ftm' not in columns:
        return columns
    return columns | {
        name: np.concatenate([columns[name][:, None], columns[further].swapaxes(1, 2)], axis=1)
        for name, further in (('ftm', FURTHER_FTM), ('ftm_mask', f'{FURTHER_FTM}_mask'))}


def concatenate_columns(parts: Sequence[Mapping[str, npt.NDArray[Any]]]) -> Columns:
    """Concatenate at least one set of columns; zeros where a part has fewer access points.

    Only columns of access points may differ in shape, or be absent from a part.
    """
    joined: Columns = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        given = [part.get(name) for part in parts]
        widest = max((values for values in given if values is not None), key=_row_size)
        count = [len(next(iter(part.values()))) for part in parts]
        joined[name] = np.concatenate([
            _padded(values, (rows, *widest.shape[1:]), widest.dtype)
            for values, rows in zip(given, count, strict=True)])
    return joined


def _row_size(values: npt.NDArray[Any]) -> tuple[int, ...]:
    return values.shape[1:]


def _padded(
    values: npt.NDArray[Any] | None, shape: tuple[int, ...], dtype: npt.DTypeLike,
) -> npt.NDArray[Any]:
    """Append zeros up to a shape."""
    if values is None:
        return np.zeros(shape, dtype)
    if values.shape == shape:
        return values
    return np.pad(values, [(0, size - given) for size, given in zip(
        shape, values.shape, strict=True)])
