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

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.errors import ModelError
from utt_ros.federation.wire import checksum_of, pack, parse, schema_of, unpack

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
    one_tensor('BF16', [1], 2),
    one_tensor('F8_E4M3', [1], 1),
    one_tensor('F32', [2], 4),
    one_tensor('F32', [2**62, 4], 4),
    one_tensor('F32', [0, 2**62], 0),
    one_tensor('F32', [0, 2**63, 2**63], 0),
    one_tensor('F32', [1] * 100, 4),
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
