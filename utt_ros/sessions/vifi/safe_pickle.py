"""Numpy arrays out of pickles that strangers made.

A pickle is a program that may call anything it can name. This reader lets it name only what
numpy's own arrays name, and even that leads to the stand-ins below, which do nothing but remember;
the array is then made from the remembered bytes, after its type and size were checked.
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

NUMBER = re.compile(r'[fiub][1248]')


class _Type:
    """What a pickle says of an array's dtype."""

    def __init__(self, name: object = '', *_: object) -> None:
        self.name, self.order = name, '<'

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def numpy(self) -> np.dtype[Any]:
        if not isinstance(self.name, str) or not NUMBER.fullmatch(self.name):
            raise SessionError(f'it holds elements of type {self.name!r}: they must be numbers')
        kind: np.dtype[Any] = np.dtype(self.name)
        return kind.newbyteorder('>' if self.order == '>' else '<')


class _Array:
    """What a pickle says of an array: numpy's `__reduce__` up to protocol 4, or from 5 on."""

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


ADMITTED: dict[tuple[str, str], Callable[..., object]] = {
    ('numpy', 'ndarray'): _Array,
    ('numpy', 'dtype'): _Type,
    **{(f'numpy.{core}.multiarray', '_reconstruct'): _reconstruct for core in ('core', '_core')},
    **{(f'numpy.{core}.numeric', '_frombuffer'): _Array for core in ('core', '_core')},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) not in ADMITTED:
            raise SessionError(f'it names {module}.{name}: only numpy arrays are admitted')
        return ADMITTED[module, name]


def load_array(content: bytes) -> npt.NDArray[Any]:
    """The one array of numbers that a pickle holds. Raises SessionError for anything else."""
    try:
        _check_sizes(content)
        found = _Unpickler(io.BytesIO(content)).load()
        if not isinstance(found, _Array):
            raise SessionError(f'it holds a {type(found).__name__}: it must hold a numpy array')
        return found.numpy()
    except SessionError:
        raise
    except Exception as err:  # a pickle can go wrong in any way that its opcodes can
        raise SessionError(f'it is not a whole pickle: {type(err).__name__}: {err}') from err


def _check_sizes(content: bytes) -> None:
    """Refuse a pickle that makes the unpickler reserve more memory than the pickle has bytes.

    `genops` itself ends with an error at a string that is longer than what follows.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name.endswith('PUT') and int(argument or 0) > len(content):
            raise SessionError(f'it numbers something {argument} in {len(content)} bytes')
