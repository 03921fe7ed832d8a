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

"""Safe reader of numpy arrays from untrusted pickles.

A pickle is a program that may call anything it can name. This reader allows only the names of
numpy's own arrays, and resolves them to the stand-ins below, which only store their arguments; the
array is then built from the stored bytes after its type and size are checked.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.errors import SessionError

NUMBER_TYPE = re.compile(r'[fiub][1248]')


class _Type:
    """Stand-in for an array's dtype."""

    def __init__(self, name: object = '', *_: object) -> None:
        self.name, self.order = name, '<'

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def numpy(self) -> np.dtype[Any]:
        if not isinstance(self.name, str) or not NUMBER_TYPE.fullmatch(self.name):
            raise SessionError(f'it holds elements of type {self.name!r}: they must be numbers')
        kind: np.dtype[Any] = np.dtype(self.name)
        return kind.newbyteorder('>' if self.order == '>' else '<')


class _Array:
    """Stand-in for an array, by numpy's `__reduce__` up to protocol 4 or from 5 on."""

    def __init__(self, content: Any = None, kind: Any = None, shape: Any = None,
                 order: Any = 'C') -> None:
        self.content, self.kind, self.shape, self.order = content, kind, shape, order

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.kind, fortran, self.content = state
        self.order = 'F' if fortran else 'C'

    def numpy(self) -> npt.NDArray[Any]:
        if not isinstance(self.kind, _Type) or not isinstance(self.content, bytes | bytearray):
            raise SessionError('it holds an array without numbers')
        kind, shape = self.kind.numpy(), tuple(int(size) for size in self.shape)
        if min(shape, default=0) < 0 or prod(shape) * kind.itemsize != len(self.content):
            raise SessionError(f'it holds an array of shape {shape} in {len(self.content)} bytes')
        values = np.frombuffer(self.content, kind)
        return values.reshape(shape, order='F' if self.order == 'F' else 'C')


def _reconstruct(*_: object) -> _Array:
    return _Array()


ALLOWED: dict[tuple[str, str], Callable[..., object]] = {
    ('numpy', 'ndarray'): _Array,
    ('numpy', 'dtype'): _Type,
    **{(f'numpy.{core}.multiarray', '_reconstruct'): _reconstruct for core in ('core', '_core')},
    **{(f'numpy.{core}.numeric', '_frombuffer'): _Array for core in ('core', '_core')},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) not in ALLOWED:
            raise SessionError(f'it names {module}.{name}: only numpy arrays are allowed')
        return ALLOWED[module, name]


def load_array(content: bytes) -> npt.NDArray[Any]:
    """Load a pickle of one numeric array. Raises SessionError for anything else."""
    try:
        _check_sizes(content)
        loaded = _Unpickler(io.BytesIO(content)).load()
        if not isinstance(loaded, _Array):
            raise SessionError(f'it holds a {type(loaded).__name__}: it must hold a numpy array')
        return loaded.numpy()
    except SessionError:
        raise
    except Exception as err:  # opcodes raise errors of many types
        raise SessionError(f'it is not a complete pickle: {type(err).__name__}: {err}') from err


def _check_sizes(content: bytes) -> None:
    """Refuse a pickle that makes the unpickler reserve more memory than the pickle has bytes.

    `genops` itself raises an error for a string longer than the remaining bytes.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name.endswith('PUT') and int(argument or 0) > len(content):
            raise SessionError(f'it has memo index {argument} in {len(content)} bytes')
