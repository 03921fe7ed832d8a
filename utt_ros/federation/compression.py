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

"""Compressed wire form of a change of weights: codes and scales in safetensors, in zstandard.

    held     U8   one byte per name of the model, in order of names: 1 where the tensor is sent
    scales   F32  one per tensor that is sent
    codes         int8: I8, a value is scale * code; ternary and sign: U8, five codes of 0, 1, -1
                  in a byte, to base 3

Lengths follow from the model that both sides have, so there are no indices to check. `ternary`
keeps the largest values of each tensor, as their signs and mean magnitude, and `sign` all of them
[S: Sattler et al., Sparse Ternary Compression, 2019]. What a code leaves out is the residual of
`ErrorFeedback`, and is sent later [S: Karimireddy et al., ICML 2019].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.types import PLAIN
from utt_ros.federation.wire import (
    Packed,
    Tensors,
    check_checksum,
    check_size,
    checksum_of,
    pack,
    parse,
    schema_of,
)
from utt_ros.types import FloatArray

INT8 = 'int8'
SHARES = {'ternary': 0.1, 'sign': 1.0}  # of the values of a tensor that are not coded as 0
SCHEMES = (INT8, *SHARES)
COMPRESSIONS = (PLAIN, *SCHEMES)
MAX_CODE = 127
MIN_CODED = MAX_CODE * float(np.finfo(np.float32).tiny)  # below it scales of int8 are subnormal
CODES_PER_BYTE = 5  # to base 3
POWERS = 3 ** np.arange(CODES_PER_BYTE, dtype=np.uint8)
BYTE_CODES = np.array([0, 1, -1], np.int8)[np.arange(3**CODES_PER_BYTE)[:, None] // POWERS % 3]
MAX_SHOWN = 64  # characters of a refused name
MAX_HEADER_BYTES = 1024  # of safetensors with three tensors
ZSTD_LEVEL = 15

Codes = npt.NDArray[np.int8]


class ErrorFeedback:
    """Compressor of one sender: what one change left out is added to the next."""

    def __init__(self, residual: Tensors | None = None) -> None:
        self.residual: dict[str, FloatArray] = dict(residual or {})

    def pack(self, tensors: Tensors, reference: Tensors, scheme: str) -> Packed:
        """Return the compressed change from a model to some tensors of the next one.

        The residual of other tensors is kept. What the receiver must refuse by a tensor's name is
        sent plain: a tensor that is not in the model or has another shape, or is not finite.
        Raises ModelError for a scheme that is not known.
        """
        if scheme == PLAIN:
            return pack(tensors)
        check_scheme(scheme)
        if any(name not in reference or reference[name].shape != tensor.shape
               for name, tensor in tensors.items()):
            return pack(tensors)
        wanted = {name: tensor - reference[name] for name, tensor in tensors.items()}
        for name in wanted.keys() & self.residual.keys():
            wanted[name] = wanted[name] + self.residual[name]
        if not all(np.isfinite(value).all() for value in wanted.values()):
            return pack(tensors)
        payload = compress(wanted, sorted(reference), scheme)
        sent = decompress(payload, reference, scheme)
        self.residual |= {name: wanted[name] - sent[name] for name in sent}
        return Packed(schema_of(sent), checksum_of(payload), payload, scheme)


def check_compression(compression: str) -> None:
    """Raise SettingsError for a setting that is not one of COMPRESSIONS."""
    if compression not in COMPRESSIONS:
        raise SettingsError(f'compression is {compression!r}: it must be one of '
                            f'{", ".join(COMPRESSIONS)}')


def known_compression(announced: str) -> str:
    """Return the compression that a model announces; `none`, which is always accepted, if new."""
    return announced if announced in COMPRESSIONS else PLAIN


def check_scheme(scheme: str) -> None:
    """Raise ModelError for a compressed form that is not known."""
    if scheme not in SCHEMES:
        raise ModelError(f'its compression is {scheme[:MAX_SHOWN]!r}: '
                         f'{", ".join(SCHEMES)} are known')


def unpack_change(
    payload: bytes, checksum: str, limit_bytes: int, reference: Tensors, scheme: str,
) -> dict[str, FloatArray]:
    """Return those tensors of the next model that a compressed change of `reference` holds.

    Raises ModelError; in the order of `wire.unpack`, so that no damaged payload is decompressed.
    """
    check_scheme(scheme)
    check_size(payload, limit_bytes)
    check_checksum(payload, checksum)
    with np.errstate(over='ignore', invalid='ignore'):  # what is not finite is refused later
        return {name: reference[name] + value
                for name, value in decompress(payload, reference, scheme).items()}


def compress(change: Tensors, names: Sequence[str], scheme: str) -> bytes:
    """Return the compressed form of finite tensors; `names`: all of the model, sorted."""
    import zstandard  # noqa: PLC0415 - where something is compressed only
    sent = [name for name in names if name in change]
    coded = [_encode(np.ravel(change[name]), scheme) for name in sent]
    codes = np.concatenate([np.zeros(0, np.int8), *(codes for _, codes in coded)])
    parts: dict[str, npt.NDArray[Any]] = {
        'held': np.array([name in change for name in names], np.uint8),
        'scales': np.array([scale for scale, _ in coded], np.float32),
        'codes': codes if scheme == INT8 else _to_bytes(codes),
    }
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(safetensors.numpy.save(parts))


def decompress(payload: bytes, reference: Tensors, scheme: str) -> dict[str, FloatArray]:
    """Return the tensors in a compressed form; `reference`: all of the model.

    Raises ModelError. Nothing that is larger than such a change can be is decompressed.
    """
    names = sorted(reference)
    sizes = np.array([reference[name].size for name in names], np.intp)
    parts = parse(_inflate(payload, MAX_HEADER_BYTES + 5 * len(names) + int(sizes.sum())))
    held = _part(parts, 'held', np.uint8, len(names))
    if held.size and held.max() > 1:
        raise ModelError(f'held has the value {held.max()}: it must be 0 or 1')
    present = held.astype(bool)
    sent = [name for name, is_sent in zip(names, present, strict=True) if is_sent]
    scales = _part(parts, 'scales', np.float32, len(sent))
    if not np.all(np.isfinite(scales) & (scales >= 0.0)):
        raise ModelError('a scale is negative or not finite')
    codes = _read_codes(parts, int(sizes[present].sum()), scheme)
    if len(parts) > len(('held', 'scales', 'codes')):
        raise ModelError(f'it has {len(parts)} tensors: held, scales and codes are allowed')
    with np.errstate(over='ignore'):  # what is not finite is refused later
        return {name: (scale * values).reshape(reference[name].shape)
                for name, scale, values in zip(sent, scales, np.split(
                    codes.astype(np.float32), np.cumsum(sizes[present])), strict=False)}


def _encode(values: FloatArray, scheme: str) -> tuple[float, Codes]:
    """Return scale and codes of a tensor; zeros below MIN_CODED."""
    size = np.abs(values)
    if size.max(initial=0.0) < MIN_CODED:
        return 0.0, np.zeros(values.shape, np.int8)
    if scheme == INT8:
        scale = float(size.max()) / MAX_CODE
        return scale, np.rint(values / np.float32(scale)).astype(np.int8)
    count = int(np.ceil(SHARES[scheme] * values.size))
    largest = np.argpartition(size, values.size - count)[values.size - count:]
    codes = np.zeros(values.shape, np.int8)
    codes[largest] = np.sign(values[largest])
    return float(size[largest].mean(dtype=np.float64)), codes


def _to_bytes(codes: Codes) -> npt.NDArray[np.uint8]:
    digits = np.resize(codes, -(-codes.size // CODES_PER_BYTE) * CODES_PER_BYTE) % 3
    digits[codes.size:] = 0
    return digits.astype(np.uint8).reshape(-1, CODES_PER_BYTE) @ POWERS


def _read_codes(parts: dict[str, npt.NDArray[Any]], count: int, scheme: str) -> Codes:
    if scheme == INT8:
        codes = _part(parts, 'codes', np.int8, count)
        if count and codes.min() < -MAX_CODE:
            raise ModelError(f'a code is {codes.min()}: it must be within ±{MAX_CODE}')
        return codes
    packed = _part(parts, 'codes', np.uint8, -(-count // CODES_PER_BYTE))
    if packed.size and packed.max() >= len(BYTE_CODES):
        raise ModelError(
            f'codes has the byte {packed.max()}: at most {len(BYTE_CODES) - 1} is allowed')
    codes = np.ravel(BYTE_CODES[packed])
    if np.any(codes[count:]):
        raise ModelError(f'there are codes beyond the {count} values of its tensors')
    return codes[:count]


def _part(
    parts: dict[str, npt.NDArray[Any]], name: str, kind: type[np.generic], length: int,
) -> npt.NDArray[Any]:
    if name not in parts:
        raise ModelError(f'it has no tensor {name!r}')
    part = parts[name]
    if part.dtype != kind or part.shape != (length,):
        raise ModelError(f'{name} is {part.dtype} of shape {part.shape}: it must be '
                         f'{np.dtype(kind)} of shape {(length,)}')
    return part


def _inflate(payload: bytes, limit_bytes: int) -> bytes:
    """Decompress one frame that tells its size, once that is known to be within the limit."""
    import zstandard  # noqa: PLC0415 - where something is compressed only
    try:
        size = zstandard.get_frame_parameters(payload).content_size
        if not 0 < size <= limit_bytes:
            raise ModelError(f'it decompresses to {size} bytes, or an unknown number: '
                             f'at most {limit_bytes} are allowed')
        return zstandard.ZstdDecompressor().decompress(payload, allow_extra_data=False)
    except zstandard.ZstdError as err:
        raise ModelError(f'payload of {len(payload)} bytes is not zstandard: {err}') from err
