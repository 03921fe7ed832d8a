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

"""Validation of updates, cheapest check first.

Nothing is parsed before origin, size and checksum are checked, and nothing is computed before
names, shapes and types are.
"""

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.errors import ModelError, UpdateRefused
from utt_ros.federation.compression import unpack_change
from utt_ros.federation.settings import MAX_NAME_LENGTH, AggregatorSettings
from utt_ros.federation.types import PLAIN, Update
from utt_ros.federation.wire import Tensors, schema_of, unpack
from utt_ros.types import FloatArray


def validate_update(
    update: Update, expected: Tensors, federation: str, round_: int, limits: AggregatorSettings,
    *, compression: str = PLAIN, base: str = '',
) -> dict[str, FloatArray]:
    """Return the tensors of an update to `expected`, the model of this round; all finite.

    An update holds some or all of the names, since areas hold different modalities. It may have
    the `compression` of the federation, as a change of the model with the checksum `base`. Raises
    UpdateRefused with the area, the tensor if there is one, the value and the limit.
    """
    try:
        _check_origin(update, federation, round_)
        _check_compression(update, compression, base)
        tensors = _unpack(update, expected, limits.max_update_bytes)
        _check_schema(update.schema, tensors, expected)
        _check_finite(tensors)
        _check_windows(update.windows, limits.max_windows)
        _check_change(tensors, expected, limits.max_change)
    except ModelError as err:
        raise UpdateRefused(f'area {update.area[:MAX_NAME_LENGTH]!r}: {err}') from err
    return tensors


def _unpack(
    update: Update, expected: Tensors, limit_bytes: int,
) -> dict[str, npt.NDArray[Any]]:
    if update.compression == PLAIN:
        return unpack(update.payload, update.checksum, limit_bytes)
    return unpack_change(
        update.payload, update.checksum, limit_bytes, expected, update.compression)


def _check_compression(update: Update, compression: str, base: str) -> None:
    if update.compression not in {PLAIN, compression}:
        shown = update.compression[:MAX_NAME_LENGTH]
        raise ModelError(
            f'its compression is {shown!r}: it must be {PLAIN!r} or that of the federation, '
            f'{compression!r}')
    expected = '' if update.compression == PLAIN else base
    if update.base != expected:
        raise ModelError(f'it changes model {update.base[:12]!r}…: it must be {expected[:12]!r}')


def _check_origin(update: Update, federation: str, round_: int) -> None:
    if update.federation != federation:
        shown = update.federation[:MAX_NAME_LENGTH]
        raise ModelError(f'it belongs to federation {shown!r}: this one is {federation!r}')
    if update.round != round_:
        state = 'stale' if update.round < round_ else 'ahead'
        raise ModelError(f'it is {state}, of round {update.round}: round {round_} is collected')


def _check_schema(announced: str, tensors: Tensors, expected: Tensors) -> None:
    if not tensors:
        raise ModelError('it has 0 tensors: at least 1 is needed')
    for name, tensor in tensors.items():
        if name not in expected:
            raise ModelError(f'tensor {name[:MAX_NAME_LENGTH]!r} is not in the model')
        known = expected[name]
        if tensor.dtype != known.dtype:
            raise ModelError(f'tensor {name!r} is {tensor.dtype}: it must be {known.dtype}')
        if tensor.shape != known.shape:
            raise ModelError(f'tensor {name!r} has shape {tensor.shape}: it must be {known.shape}')
    actual = schema_of(tensors)
    if announced != actual:
        raise ModelError(f'its schema is {actual[:12]}…: {announced[:12]!r}… was announced')


def _check_finite(tensors: Tensors) -> None:
    for name, tensor in tensors.items():
        invalid = tensor.size - int(np.count_nonzero(np.isfinite(tensor)))
        if invalid:
            raise ModelError(
                f'{invalid} of the {tensor.size} values of tensor {name!r} are not finite: '
                '0 are allowed'
            )


def _check_windows(windows: int, limit: int) -> None:
    if not 1 <= windows <= limit:
        raise ModelError(f'it claims {windows} windows: it must be 1..{limit}')


def _check_change(tensors: Tensors, expected: Tensors, limit: float) -> None:
    squares = {name: _squared_change(tensor, expected[name]) for name, tensor in tensors.items()}
    norm = sqrt(sum(squares.values()))
    if norm > limit:
        worst = max(squares, key=lambda name: squares[name])
        raise ModelError(
            f'its change has norm {norm:.4g}, most of it in tensor {worst!r}: '
            f'at most {limit:g} is allowed'
        )


def _squared_change(tensor: FloatArray, reference: FloatArray) -> float:
    """Return the squared norm of the difference of finite tensors; inf where float32 overflows."""
    with np.errstate(over='ignore'):
        change = np.ravel(tensor - reference)
        return float(np.vdot(change, change))
