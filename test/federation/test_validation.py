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

"""Invalid updates are refused with an error that names area, tensor, value and limit."""

from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy

from utt_ros.errors import UpdateRefused
from utt_ros.federation.compression import ErrorFeedback
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import Update
from utt_ros.federation.validation import validate_update
from utt_ros.federation.wire import checksum_of, pack, schema_of

REFERENCE = {
    'camera.weight': np.zeros((2, 3), np.float32),
    'imu.weight': np.ones((4,), np.float32),
}
LIMITS = AggregatorSettings(max_update_bytes=4096, max_windows=1000, max_change=10.0)


def update_of(tensors: dict[str, np.ndarray], **changes: object) -> Update:
    """Build an update whose checksum and schema are right, whatever its tensors are."""
    ordered = dict(sorted(tensors.items()))
    payload = safetensors.numpy.save(ordered)
    update = Update(
        federation='f00d', area='north', round=3, windows=500, modalities=('imu',),
        schema=schema_of(ordered), checksum=checksum_of(payload), payload=payload,
    )
    return replace(update, **changes)


def check(update: Update) -> dict[str, np.ndarray]:
    return validate_update(update, REFERENCE, 'f00d', 3, LIMITS)


def changed(name: str, tensor: np.ndarray) -> dict[str, np.ndarray]:
    return {**REFERENCE, name: tensor}


def test_a_valid_update_yields_its_tensors() -> None:
    tensors = check(update_of(REFERENCE))
    for name, tensor in REFERENCE.items():
        np.testing.assert_array_equal(tensors[name], tensor)


def test_an_area_may_send_only_the_tensors_it_trained() -> None:
    assert list(check(update_of({'imu.weight': REFERENCE['imu.weight']}))) == ['imu.weight']


NAN = np.array([1, np.nan, 1, np.nan], np.float32)
INFINITE = np.array([1, -np.inf, 1, 1], np.float32)
FAR = np.array([1, 1, 1, 21], np.float32)
HUGE = np.array([3e38, -3e38, 1, 1], np.float32)


@pytest.mark.parametrize(('update', 'message'), [
    (update_of(REFERENCE, payload=bytes(4097)), 'payload has 4097 bytes: at most 4096'),
    (update_of(REFERENCE, federation='beef'), "federation 'beef': this one is 'f00d'"),
    (update_of(REFERENCE, round=2), 'stale, of round 2: round 3 is collected'),
    (update_of(REFERENCE, round=4), 'ahead, of round 4: round 3 is collected'),
    (update_of(REFERENCE, checksum='0' * 64), "'000000000000'… was announced"),
    (update_of(REFERENCE, payload=pack(REFERENCE).payload[:-1]), 'payload has checksum'),
    (update_of(REFERENCE, schema='0' * 64), "schema is .*'000000000000'… was announced"),
    (update_of({}), 'it has 0 tensors: at least 1'),
    (update_of(changed('other', NAN)), "tensor 'other' is not in the model"),
    (update_of(changed('imu.weight', NAN[:1])), r"'imu.weight' has shape \(1,\): it must be"),
    (update_of(changed('imu.weight', NAN.astype(np.float64))), 'is float64: it must be float32'),
    (update_of(changed('imu.weight', NAN)), "2 of the 4 values of tensor 'imu.weight'"),
    (update_of(changed('imu.weight', INFINITE)), "1 of the 4 values of tensor 'imu.weight'"),
    (update_of(REFERENCE, windows=0), r'claims 0 windows: it must be 1\.\.1000'),
    (update_of(REFERENCE, windows=1001), r'claims 1001 windows: it must be 1\.\.1000'),
    (update_of(changed('imu.weight', FAR)), "norm 20, most of it in .*weight': at most 10"),
    (update_of(changed('imu.weight', HUGE)), 'norm inf, most of it'),
])
def test_an_invalid_update_is_refused_with_the_reason(update: Update, message: str) -> None:
    with pytest.raises(UpdateRefused, match=f"area 'north': .*{message}"):
        check(update)


BASE = 'b1' * 32


def compressed(tensors: dict[str, np.ndarray], **changes: object) -> Update:
    packed = ErrorFeedback().pack(tensors, REFERENCE, 'sign')
    update = Update('f00d', 'north', 3, 500, ('imu',), packed.schema, packed.checksum,
                    packed.payload, compression='sign', base=BASE)
    return replace(update, **changes)


def check_compressed(update: Update) -> dict[str, np.ndarray]:
    return validate_update(update, REFERENCE, 'f00d', 3, LIMITS, compression='sign', base=BASE)


def test_a_compressed_update_yields_its_tensors_and_a_plain_one_is_accepted_beside_it() -> None:
    tensors = check_compressed(compressed({'imu.weight': np.full(4, 3, np.float32)}))
    assert list(tensors) == ['imu.weight']
    np.testing.assert_array_equal(tensors['imu.weight'], np.full(4, 3, np.float32))
    assert sorted(check_compressed(update_of(REFERENCE))) == sorted(REFERENCE)


@pytest.mark.parametrize(('update', 'message'), [
    (compressed({}), 'it has 0 tensors: at least 1'),
    (compressed({'imu.weight': np.full(4, 7, np.float32)}),
     "norm 12, most of it in tensor 'imu.weight': at most 10"),
    (compressed({'imu.weight': HUGE}), 'norm inf, most of it'),
    (compressed(REFERENCE, schema='0' * 64), "schema is .*'000000000000'… was announced"),
    (compressed(REFERENCE, checksum='0' * 64), "'000000000000'… was announced"),
    (compressed(REFERENCE, payload=bytes(4097)), 'payload has 4097 bytes: at most 4096'),
    (compressed(REFERENCE, windows=0), 'claims 0 windows'),
    (compressed(REFERENCE, compression='int8'),
     "its compression is 'int8': it must be 'none' or that of the federation, 'sign'"),
    (compressed(REFERENCE, base='f' * 64), "it changes model 'ffffffffffff'…: it must be 'b1b1"),
    (compressed(REFERENCE, base=''), "it changes model ''…: it must be 'b1b1"),
    (compressed(REFERENCE, compression='none'), "it changes model 'b1b1b1b1b1b1'…: it must be ''"),
    (compressed(REFERENCE, compression='none', base=''), 'is not safetensors'),
    (update_of(REFERENCE, compression='sign', base=BASE), 'is not zstandard'),
])
def test_an_invalid_compressed_update_is_refused_with_the_reason(
    update: Update, message: str,
) -> None:
    with pytest.raises(UpdateRefused, match=f"area 'north': .*({message})"):
        check_compressed(update)


def test_a_compressed_update_is_refused_where_none_was_announced() -> None:
    with pytest.raises(UpdateRefused, match="its compression is 'sign': it must be 'none'"):
        check(compressed(REFERENCE))


def test_a_change_at_the_limit_is_accepted() -> None:
    tensor = np.array([1, 1, 1, 11], np.float32)
    assert 'imu.weight' in check(update_of(changed('imu.weight', tensor)))


def test_an_error_shortens_long_names() -> None:
    with pytest.raises(UpdateRefused) as caught:
        check(update_of(REFERENCE, area='x' * 10_000, federation='y' * 10_000))
    assert len(str(caught.value)) < 300
