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

"""Wire form of weights: safetensors in one block of bytes, with a checksum and a schema.

Weights are always float32 on the wire: an area that trains in another precision converts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from utt_ros.documents import load_json
from utt_ros.errors import DocumentError, ModelError
from utt_ros.federation.types import PLAIN
from utt_ros.files import read_limited
from utt_ros.types import FloatArray

Tensors = Mapping[str, FloatArray]
MAX_MODEL_FILE_BYTES = 2**30
HEADER_LENGTH = Struct('<Q')  # at the begin of safetensors, of the JSON that follows [bytes]
DTYPES = {'F64': '<f8', 'F32': '<f4', 'F16': '<f2', 'I64': '<i8', 'I32': '<i4', 'I16': '<i2',
          'I8': '<i1', 'U64': '<u8', 'U32': '<u4', 'U16': '<u2', 'U8': '<u1', 'BOOL': '?'}


@dataclass(frozen=True, slots=True)
class Packed:
    """Serialized weights; see msg/GlobalModel.msg."""

    schema: str  # SHA-256, hexadecimal
    checksum: str  # SHA-256 of payload, hexadecimal
    payload: bytes  # safetensors
    compression: str = PLAIN  # see `compression`


def schema_of(tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256 of sorted lines 'name dtype shape', such as 'head.bias float32 [64]'."""
    lines = (
        f'{name} {_dtype_name(tensors[name].dtype)} {list(tensors[name].shape)}\n'
        for name in sorted(tensors)
    )
    return sha256(''.join(lines).encode()).hexdigest()


@cache
def _dtype_name(dtype: np.dtype[Any]) -> str:
    return dtype.name  # which numpy composes anew each time


def checksum_of(payload: bytes) -> str:
    """Return the SHA-256 of the bytes, hexadecimal."""
    return sha256(payload).hexdigest()


def pack(tensors: Tensors) -> Packed:
    """Return the wire form of float32 tensors; equal tensors give equal bytes in any order.

    Raises ModelError for a tensor of another type.
    """
    payload = serialize(tensors)
    return Packed(schema_of(tensors), checksum_of(payload), payload)


def serialize(tensors: Tensors, metadata: dict[str, str] | None = None) -> bytes:
    """Return safetensors bytes of float32 tensors; raises ModelError for another type."""
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32:
            raise ModelError(f'tensor {name!r} is {tensor.dtype}: only float32 can be written')
    ordered = {name: np.asarray(tensors[name], order='C') for name in sorted(tensors)}
    return safetensors.numpy.save(ordered, metadata)


def check_size(payload: bytes, limit_bytes: int) -> None:
    """Raise ModelError for a payload that is larger than the limit."""
    if len(payload) > limit_bytes:
        raise ModelError(f'payload has {len(payload)} bytes: at most {limit_bytes} are allowed')


def check_checksum(content: bytes, announced: str, kind: str = 'payload') -> None:
    """Raise ModelError for content that does not match its announced checksum."""
    actual = checksum_of(content)
    if actual != announced:
        raise ModelError(
            f'{kind} has checksum {actual[:12]}…: {announced[:12]!r}… was announced')


def unpack(payload: bytes, checksum: str, limit_bytes: int) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors in a payload, writable, sorted by name.

    They are of any type and shape, which the caller must check. Raises ModelError when the payload
    is larger than the limit, does not match its checksum or is not safetensors; in this order, so
    that no damaged payload is parsed.
    """
    check_size(payload, limit_bytes)
    check_checksum(payload, checksum)
    return parse(payload)


def parse(payload: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors in safetensors bytes, writable, sorted by name.

    Raises ModelError when the bytes are malformed, and for types that numpy does not have.
    """
    try:
        views = dict(safetensors.deserialize(payload))  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, TypeError, OverflowError) as err:
        raise ModelError(f'payload of {len(payload)} bytes is not safetensors: {err}') from err
    return {name: _tensor(name, views[name]) for name in sorted(views)}


def read_tensors(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Return the tensors and the metadata of a safetensors file.

    Raises OSError, and ModelError when it is larger than a model can be or malformed.
    """
    try:
        content = read_limited(path, MAX_MODEL_FILE_BYTES)
        tensors = parse(content)
        (length,) = HEADER_LENGTH.unpack_from(content)
        header = load_json(content[HEADER_LENGTH.size:][:length], MAX_MODEL_FILE_BYTES)
    except DocumentError as err:
        raise ModelError(str(err)) from err
    return tensors, dict(header.get('__metadata__') or {})


def _tensor(name: str, view: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Return a writable tensor. Raises ModelError for a type that numpy does not have."""
    kind = DTYPES.get(view['dtype'])
    if kind is None:
        raise ModelError(f'tensor {name[:64]!r} has type {view["dtype"]}: '
                         f'{", ".join(DTYPES)} can be read')
    try:
        return np.require(np.frombuffer(view['data'], kind).reshape(view['shape']),
                          requirements='W')
    except (ValueError, OverflowError) as err:  # an empty one of a size beyond all memory
        raise ModelError(f'tensor {name[:64]!r} of shape {view["shape"]!r:.80}: {err}') from err
