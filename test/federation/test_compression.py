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

"""Compressed changes: what is left out is sent later, and what is malformed is refused."""

from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import zstandard

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.compression import (
    SCHEMES,
    ErrorFeedback,
    check_compression,
    check_scheme,
    known_compression,
    unpack_change,
)
from utt_ros.federation.types import PLAIN
from utt_ros.federation.wire import Packed, checksum_of, pack, parse, schema_of

SHAPES = {'camera.weight': (64, 33), 'fusor.scale': (), 'imu.bias': (7,), 'imu.none': (0, 4)}
REFERENCE = {name: np.full(shape, 0.5, np.float32) for name, shape in SHAPES.items()}
LIMIT = 10_000

Arrays = dict[str, np.ndarray[Any, Any]]


def trained(seed: int, names: tuple[str, ...] = tuple(SHAPES)) -> Arrays:
    rng = np.random.default_rng(seed)
    return {name: REFERENCE[name] + 0.01 * rng.standard_normal(SHAPES[name]).astype(np.float32)
            for name in names}


def opened(packed: Packed, reference: Arrays = REFERENCE) -> Arrays:
    return unpack_change(
        packed.payload, packed.checksum, LIMIT, reference, packed.compression)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_change_holds_the_tensors_that_were_trained_in_their_shapes(scheme: str) -> None:
    tensors = trained(0, ('camera.weight', 'imu.none'))
    packed = ErrorFeedback().pack(tensors, REFERENCE, scheme)
    result = opened(packed)
    assert {name: item.shape for name, item in result.items()} == {
        'camera.weight': (64, 33), 'imu.none': (0, 4)}
    assert packed.schema == schema_of(result) == schema_of(tensors)


@pytest.mark.parametrize(('scheme', 'factor'), [('int8', 3.5), ('sign', 15.0), ('ternary', 25.0)])
def test_a_change_is_smaller_than_the_plain_form(scheme: str, factor: float) -> None:
    reference = {'weight': np.zeros((200, 200), np.float32)}
    change = {'weight': np.random.default_rng(0).standard_normal((200, 200)).astype(np.float32)}
    packed = ErrorFeedback().pack(change, reference, scheme)
    assert len(packed.payload) * factor < len(pack(change).payload)


def test_int8_is_within_half_a_step_of_the_largest_value() -> None:
    tensors = trained(1)
    result = opened(ErrorFeedback().pack(tensors, REFERENCE, 'int8'))
    for name, tensor in tensors.items():
        step = np.abs(tensor - REFERENCE[name]).max(initial=0.0) / 127
        assert np.abs(result[name] - tensor).max(initial=0.0) <= 0.501 * step + 1e-7


@pytest.mark.parametrize('scheme', SCHEMES)
def test_what_was_sent_and_the_residual_add_up_to_what_was_trained(scheme: str) -> None:
    feedback = ErrorFeedback()
    total = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    wanted = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    for seed in range(20):
        tensors = trained(seed)
        result = opened(feedback.pack(tensors, REFERENCE, scheme))
        for name in SHAPES:
            total[name] = total[name] + result[name] - REFERENCE[name]
            wanted[name] = wanted[name] + tensors[name] - REFERENCE[name]
    for name in SHAPES:
        np.testing.assert_allclose(total[name] + feedback.residual[name], wanted[name], atol=1e-5)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_one_change_before_many_empty_ones_is_sent_until_its_rest_is_too_small(
    scheme: str,
) -> None:
    still = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    once = {name: tensor - REFERENCE[name] for name, tensor in trained(0).items()}
    feedback = ErrorFeedback()
    total = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    for tensors in (once, *30 * (still,)):
        with np.errstate(divide='raise', invalid='raise'):
            result = opened(feedback.pack(tensors, still, scheme), still)
        total = {name: total[name] + result[name] for name in SHAPES}
    for name in SHAPES:
        np.testing.assert_allclose(total[name] + feedback.residual[name], once[name], atol=1e-8)
    if scheme == 'int8':
        assert all(np.abs(rest).max(initial=0.0) < 1e-35 for rest in feedback.residual.values())


@pytest.mark.parametrize('scheme', SCHEMES)
@pytest.mark.parametrize('steps', [1, 63, 128, 190, 2**23])
def test_a_change_of_few_steps_of_float32_waits(scheme: str, steps: int) -> None:
    still = {'bias': np.zeros(3, np.float32)}
    change = {'bias': np.float32([0, -steps, steps]) * np.finfo(np.float32).smallest_subnormal}
    feedback = ErrorFeedback()
    np.testing.assert_array_equal(
        opened(feedback.pack(change, still, scheme), still)['bias'], still['bias'])
    np.testing.assert_array_equal(feedback.residual['bias'], change['bias'])


def test_the_residual_of_a_tensor_that_is_not_trained_waits() -> None:
    feedback = ErrorFeedback()
    feedback.pack(trained(0), REFERENCE, 'ternary')
    before = feedback.residual['imu.bias'].copy()
    feedback.pack(trained(1, ('camera.weight',)), REFERENCE, 'ternary')
    np.testing.assert_array_equal(feedback.residual['imu.bias'], before)


def test_without_compression_the_wire_form_is_plain() -> None:
    assert ErrorFeedback().pack(trained(0), REFERENCE, PLAIN) == pack(trained(0))


@pytest.mark.parametrize('broken', [
    {'radar.weight': np.zeros(3, np.float32)},  # not in the model
    {'imu.bias': np.zeros((1000, 7), np.float32)},  # it could be broadcast to the model's
    {'fusor.scale': np.zeros(7, np.float32)},
], ids=str)
def test_a_tensor_that_is_not_of_the_model_is_sent_plain_and_leaves_no_residual(
    broken: Arrays,
) -> None:
    feedback = ErrorFeedback()
    tensors = trained(0, ('camera.weight',)) | broken
    assert feedback.pack(tensors, REFERENCE, 'sign') == pack(tensors)
    assert not feedback.residual


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_change_that_is_not_finite_is_sent_plain_and_leaves_no_residual(value: float) -> None:
    feedback = ErrorFeedback()
    broken = {**trained(0), 'fusor.scale': np.float32(value)}
    assert feedback.pack(broken, REFERENCE, 'sign').compression == PLAIN
    assert not feedback.residual


@pytest.mark.parametrize('scheme', SCHEMES)
def test_the_largest_numbers_do_not_overflow(scheme: str) -> None:
    reference = {'w': np.zeros(100, np.float32)}
    result = opened(ErrorFeedback().pack(
        {'w': np.full(100, 3e38, np.float32)}, reference, scheme), reference)
    assert np.isfinite(result['w']).all()


@pytest.mark.parametrize('scheme', SCHEMES)
def test_no_change_is_a_change_of_zeros(scheme: str) -> None:
    for name, tensor in opened(ErrorFeedback().pack(REFERENCE, REFERENCE, scheme)).items():
        np.testing.assert_array_equal(tensor, REFERENCE[name])


def test_a_change_without_values_is_a_change() -> None:
    assert opened(ErrorFeedback().pack({}, REFERENCE, 'sign')) == {}


def test_an_unknown_compression_is_refused_by_name_at_both_ends() -> None:
    for use in (
        lambda: check_scheme('gzip'),
        lambda: ErrorFeedback().pack(trained(0), REFERENCE, 'gzip'),
        lambda: read('gzip', ErrorFeedback().pack(trained(0), REFERENCE, 'ternary').payload),
    ):
        with pytest.raises(ModelError, match="'gzip': int8, ternary, sign are known"):
            use()


def test_an_announced_compression_that_is_not_known_is_not_used() -> None:
    assert [known_compression(name) for name in ('sign', 'none', '', 'gzip')] == [
        'sign', 'none', 'none', 'none']


def test_an_unknown_setting_of_compression_is_refused() -> None:
    check_compression(PLAIN)
    with pytest.raises(SettingsError, match="'gzip': it must be one of none, int8, ternary, sign"):
        check_compression('gzip')


def read(scheme: str, payload: bytes) -> Arrays:
    return unpack_change(payload, checksum_of(payload), LIMIT, REFERENCE, scheme)


def edited(scheme: str, **parts: Any) -> bytes:
    """Return the payload of a genuine change with some of its parts replaced; None: removed."""
    packed = ErrorFeedback().pack(trained(0), REFERENCE, scheme)
    held = parse(zstandard.decompress(packed.payload)) | parts
    return zstandard.compress(safetensors.numpy.save(
        {name: np.ascontiguousarray(part) for name, part in held.items() if part is not None}))


CODES = np.zeros(424, np.uint8)  # of 2112 + 1 + 7 values, five in a byte
INT8_CODES = np.zeros(2120, np.int8)
SCALES = np.ones(4, np.float32)


def with_value(array: np.ndarray[Any, Any], index: int, value: float) -> np.ndarray[Any, Any]:
    changed = array.copy()
    changed[index] = value
    return changed


@pytest.mark.parametrize(('parts', 'reason'), [
    ({'held': None}, "no tensor 'held'"),
    ({'held': np.ones(3, np.uint8)}, r'held is uint8 of shape \(3,\): .* \(4,\)'),
    ({'held': np.ones(4, np.int64)}, 'held is int64'),
    ({'held': np.full(4, 2, np.uint8)}, 'held has the value 2'),
    ({'held': np.array([1, 1, 1, 0], np.uint8)}, r'scales is float32 of shape \(4,\): .* \(3,\)'),
    ({'scales': None}, "no tensor 'scales'"),
    ({'scales': np.ones(4)}, 'scales is float64'),
    ({'scales': np.ones(5, np.float32)}, r'scales is float32 of shape \(5,\)'),
    ({'scales': with_value(SCALES, 2, np.nan)}, 'a scale is negative or not finite'),
    ({'scales': with_value(SCALES, 2, np.inf)}, 'a scale is negative or not finite'),
    ({'scales': with_value(SCALES, 2, -1.0)}, 'a scale is negative or not finite'),
    ({'codes': None}, "no tensor 'codes'"),
    ({'codes': CODES[1:]}, r'codes is uint8 of shape \(423,\): .* \(424,\)'),
    ({'codes': CODES.reshape(53, 8)}, r'codes is uint8 of shape \(53, 8\)'),
    ({'codes': INT8_CODES}, 'codes is int8'),
    ({'codes': with_value(CODES, 7, 243)}, 'codes has the byte 243: at most 242'),
    ({'more': CODES}, 'it has 4 tensors: held, scales and codes are allowed'),
])
def test_a_malformed_change_is_refused(parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        read('ternary', edited('ternary', **parts))


def test_codes_beyond_the_values_are_refused() -> None:
    reference = {'bias': np.zeros(7, np.float32)}
    packed = ErrorFeedback().pack({'bias': np.ones(7, np.float32)}, reference, 'sign')
    parts = parse(zstandard.decompress(packed.payload))
    parts['codes'][-1] = 242
    payload = zstandard.compress(safetensors.numpy.save(parts))
    with pytest.raises(ModelError, match='codes beyond the 7 values'):
        unpack_change(payload, checksum_of(payload), LIMIT, reference, 'sign')


@pytest.mark.parametrize(('parts', 'reason'), [
    ({'codes': with_value(INT8_CODES, 3, -128)}, 'a code is -128: it must be within ±127'),
    ({'codes': CODES}, 'codes is uint8'),
])
def test_malformed_int8_codes_are_refused(parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        read('int8', edited('int8', **parts))


GENUINE = ErrorFeedback().pack(trained(0), REFERENCE, 'sign').payload
BOMB = zstandard.compress(bytes(10**8))


def without_size(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(content)


@pytest.mark.parametrize(('payload', 'reason'), [
    (b'', 'is not zstandard'),
    (bytes(100), 'is not zstandard'),
    (pack(trained(0)).payload, 'is not zstandard'),
    (GENUINE[:-5], 'is not zstandard'),
    (GENUINE + b'more', 'is not zstandard'),
    (GENUINE + GENUINE, 'is not zstandard'),
    (zstandard.compress(b'no safetensors'), 'is not safetensors'),
    (zstandard.compress(b''), 'it decompresses to 0 bytes'),
    (without_size(zstandard.decompress(GENUINE)), 'or an unknown number'),
    (BOMB, 'it decompresses to 100000000 bytes'),
])
def test_what_is_no_frame_of_the_expected_size_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        read('sign', payload)


def test_size_and_checksum_are_checked_before_anything_is_decompressed() -> None:
    with pytest.raises(ModelError, match='at most 10000 are allowed'):
        unpack_change(bytes(10_001), '', LIMIT, REFERENCE, 'sign')
    with pytest.raises(ModelError, match='was announced'):
        unpack_change(GENUINE, '0' * 64, LIMIT, REFERENCE, 'sign')


def test_a_frame_that_lies_about_its_size_is_refused() -> None:
    frame = bytearray(zstandard.compress(bytes(5000)))
    place = frame.index((5000 - 256).to_bytes(2, 'little'))
    frame[place:place + 2] = (300 - 256).to_bytes(2, 'little')
    with pytest.raises(ModelError, match='is not zstandard'):
        read('sign', bytes(frame))
