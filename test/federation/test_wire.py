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

"""Weights travel unchanged; hostile or damaged bytes are refused."""

import json
import struct
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import read_checkpoint
from utt_ros.federation.wire import (
    DTYPES,
    checksum_of,
    pack,
    parse,
    read_tensors,
    schema_of,
    serialize,
    unpack,
)
from utt_ros.models.saved_model import read_saved_model

LIMIT = 10_000


def tensors() -> dict[str, np.ndarray]:
    return {
        'b': np.float32(3).reshape(()),
        'a': np.arange(6, dtype=np.float32).reshape(2, 3),
        'empty': np.zeros((0, 4), np.float32),
    }


def safetensors_bytes(header: object, data: bytes = b'') -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + data


def one_tensor(dtype: str, shape: list[int], size: int) -> bytes:
    entry = {'dtype': dtype, 'shape': shape, 'data_offsets': [0, size]}
    return safetensors_bytes({'w': entry}, bytes(size))


def test_tensors_survive_the_round_trip_with_shapes_and_scalars() -> None:
    packed = pack(tensors())
    received = unpack(packed.payload, packed.checksum, LIMIT)
    assert list(received) == ['a', 'b', 'empty']
    for name, tensor in tensors().items():
        assert received[name].dtype == np.float32
        assert received[name].shape == tensor.shape
        np.testing.assert_array_equal(received[name], tensor)


def test_received_tensors_are_writable() -> None:
    packed = pack(tensors())
    received = unpack(packed.payload, packed.checksum, LIMIT)
    received['a'] += 1.0
    assert received['a'][0, 0] == 1.0


def test_a_transposed_tensor_is_sent_in_logical_order() -> None:
    tensor = np.arange(6, dtype=np.float32).reshape(2, 3).T
    packed = pack({'w': tensor})
    np.testing.assert_array_equal(unpack(packed.payload, packed.checksum, LIMIT)['w'], tensor)


def test_order_of_names_does_not_change_the_bytes() -> None:
    reversed_order = dict(reversed(tensors().items()))
    assert pack(reversed_order) == pack(tensors())


def test_schema_is_the_hash_of_sorted_lines() -> None:
    lines = 'a float32 [2, 3]\nb float32 []\nempty float32 [0, 4]\n'
    assert schema_of(tensors()) == sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize('dtype', ['float64', 'float16', 'int64', '>f4'])
def test_pack_refuses_a_tensor_that_is_not_float32(dtype: str) -> None:
    with pytest.raises(ModelError, match=r"tensor 'w' is .*: only float32 can be written"):
        pack({'w': np.zeros(2, dtype)})


def test_a_payload_above_the_limit_is_refused_before_it_is_hashed() -> None:
    with pytest.raises(ModelError, match='payload has 11 bytes: at most 10 are allowed'):
        unpack(bytes(11), 'a wrong checksum', 10)


def test_a_flipped_bit_is_refused_by_checksum() -> None:
    packed = pack(tensors())
    damaged = bytearray(packed.payload)
    damaged[-1] ^= 1
    with pytest.raises(ModelError, match=f'{packed.checksum[:12]}.*was announced'):
        unpack(bytes(damaged), packed.checksum, LIMIT)


def test_a_truncated_payload_is_refused_even_with_a_matching_checksum() -> None:
    payload = pack(tensors()).payload[:-1]
    with pytest.raises(ModelError, match='not safetensors'):
        unpack(payload, checksum_of(payload), LIMIT)


@pytest.mark.parametrize('payload', [
    b'',
    b'short',
    struct.pack('<Q', 2**63) + b'{}',
    safetensors_bytes(b'[]'),
    safetensors_bytes(b'\xff\xfe'),
    one_tensor('F32', [2], 4),
    one_tensor('F32', [2**62, 4], 4),
    one_tensor('F32', [-1], 4),
    safetensors_bytes({'w': {'dtype': 'F32', 'shape': [1], 'data_offsets': [4, 0]}}, bytes(4)),
    safetensors_bytes({'w': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 2**62]}}, bytes(4)),
])
def test_a_hostile_header_is_refused(payload: bytes) -> None:
    with pytest.raises(ModelError, match=f'payload of {len(payload)} bytes is not safetensors'):
        parse(payload)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255), st.booleans())
def test_damage_anywhere_raises_a_model_error_or_yields_tensors(
    place: int, value: int, cut: bool,
) -> None:
    damaged = bytearray(pack(tensors()).payload)
    place %= len(damaged)
    damaged[place] = value
    try:
        parse(bytes(damaged[:place] if cut else damaged))
    except ModelError:
        return


TYPE_BITS = {
    'F64': 64, 'F32': 32, 'F16': 16, 'BF16': 16, 'F8_E4M3': 8, 'F8_E5M2': 8, 'F8_E8M0': 8,
    'C64': 64, 'F4': 4, 'I64': 64, 'I32': 32, 'I16': 16, 'I8': 8, 'U64': 64, 'U32': 32, 'U16': 16,
    'U8': 8, 'BOOL': 8, 'F128': 128}


@pytest.mark.parametrize('kind', TYPE_BITS)
def test_tensors_of_every_type_are_read_or_refused_in_a_sentence(
    kind: str, tmp_path: Path,
) -> None:
    path = tmp_path / 'model.safetensors'
    path.write_bytes(one_tensor(kind, [2], 2 * TYPE_BITS[kind] // 8))
    if kind in DTYPES:
        tensors, metadata = read_tensors(path)
        assert (tensors['w'].shape, metadata) == ((2,), {})
        assert tensors['w'].flags.writeable
        return
    for read in (read_tensors, read_checkpoint, read_saved_model):
        with pytest.raises(ModelError, match=kind):
            read(path)


@pytest.mark.parametrize(('shape', 'size'), [
    ([0, 2**62], 0), ([0, 2**62, 2**62], 0), ([0, 2**63], 0), ([0] * 100, 0), ([1] * 100, 4)])
def test_a_shape_beyond_all_memory_is_refused(shape: list[int], size: int) -> None:
    with pytest.raises(ModelError, match="tensor 'w' of shape"):
        parse(one_tensor('F32', shape, size))


@pytest.mark.parametrize('length', [0, 1, 2**20, 2**63, 2**64 - 1])
def test_a_header_that_lies_about_its_length_is_refused(length: int) -> None:
    with pytest.raises(ModelError, match='not safetensors'):
        parse(struct.pack('<Q', length) + b'{"a":1}')


def test_metadata_are_read_with_the_tensors(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    path.write_bytes(serialize(tensors(), {'card': '{}'}))
    found, metadata = read_tensors(path)
    assert pack(found) == pack(tensors())
    assert metadata == {'card': '{}'}
