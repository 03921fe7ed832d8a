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

"""Random damage to valid inputs of parsers, reproducible by its seed."""

import re
from collections.abc import Callable, Sequence
from random import Random

MAX_STEPS = 4  # of damage to one input
MAX_GROWTH = 4096  # bytes that one step inserts
NUMBER = re.compile(rb'-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')
INTEGERS = (0, 1, -1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
WORDS = (
    b'NaN', b'Infinity', b'-Infinity', b'1e999', b'-0', b'1e-320', b'9' * 400, b'-' + b'9' * 5000,
    b'null', b'true', b'[]', b'{}', b'""', b'"\\ud800"', b'\x00', b'\xff\xfe', b'\xc3\x28',
    b'&a [*a, *a]', b'!!python/object/apply:os.system [id]', b'../../etc/passwd', b'%s%n', b'0x1f',
    b'.inf', b'1_000', b'2026-01-01', b'on', b'<<', b': ', b'\r\n', b'\t', b',,,')
BRACKETS = (b'[', b'{', b'{"a":', b'(', b'- ', b'[{', b'"', b'a: {')

Mutation = Callable[[Random, bytearray, Sequence[bytes]], None]


def mutate(rng: Random, samples: Sequence[bytes]) -> bytes:
    """Return a damaged sample."""
    data = bytearray(rng.choice(samples))
    for _ in range(rng.randrange(1, MAX_STEPS + 1)):
        rng.choice(MUTATIONS)(rng, data, samples)
    return bytes(data)


def _flip_bits(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    for _ in range(rng.choice((1, 1, 2, 8)) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set_integer(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    """Overwrite a binary number, such as a length, at any alignment."""
    size = rng.choice((1, 2, 4, 8))
    value = rng.choice(INTEGERS) % 2**(8 * size)
    begin = rng.randrange(max(1, len(data) - size + 1))
    data[begin:begin + size] = value.to_bytes(size, rng.choice(('little', 'big')))


def _set_number(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    """Replace a decimal number by another one or by something else."""
    found = list(NUMBER.finditer(data))
    if found:
        match = rng.choice(found)
        value = rng.choice((*WORDS, *(b'%d' % number for number in INTEGERS)))
        data[match.start():match.end()] = value


def _insert_word(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    data[begin:begin] = rng.choice(WORDS)


def _insert_brackets(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    bracket = rng.choice(BRACKETS)
    begin = rng.choice((0, rng.randrange(len(data) + 1)))
    data[begin:begin] = bracket * rng.randrange(1, MAX_GROWTH // len(bracket))


def _insert_noise(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    data[begin:begin] = rng.randbytes(rng.randrange(1, 64))


def _truncate(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) + 1):]


def _remove(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    del data[begin:begin + rng.randrange(1, 64)]


def _repeat(rng: Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    part = data[begin:begin + rng.randrange(1, 256)]
    data[begin:begin] = part * rng.randrange(1, 1 + MAX_GROWTH // max(1, len(part)))


def _splice(rng: Random, data: bytearray, samples: Sequence[bytes]) -> None:
    other = rng.choice(samples)
    data[rng.randrange(len(data) + 1):] = other[rng.randrange(len(other) + 1):]


MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits, _set_integer, _set_number, _insert_word, _insert_brackets, _insert_noise,
    _truncate, _remove, _repeat, _splice)
