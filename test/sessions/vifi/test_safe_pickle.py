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

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros.errors import SessionError
from utt_ros.sessions.vifi.safe_pickle import load_array


class Payload:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize('protocol', [3, 4, 5])
@pytest.mark.parametrize('kind', ['<f8', '>f8', '<f4', '<i8', 'u1'])
@pytest.mark.parametrize('order', ['C', 'F'])
def test_arrays_of_every_protocol_are_read(
        protocol: int, kind: str, order: Any, rng: np.random.Generator) -> None:
    array = np.asarray(rng.uniform(0, 99, (5, 3, 1, 2)), dtype=kind, order=order)
    read = load_array(pickle.dumps(array, protocol))
    assert read.dtype == array.dtype
    assert np.array_equal(read, array)


@pytest.mark.parametrize('core', [b'numpy.core', b'numpy._core'])
def test_arrays_of_older_and_newer_numpy_are_read(core: bytes) -> None:
    content = pickle.dumps(np.arange(6.0).reshape(2, 3), 3)
    content = content.replace(b'numpy._core', core).replace(b'numpy.core', core)
    assert load_array(content).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_payload_is_reported_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / 'owned'
    content = pickle.dumps(Payload(os.system, f'touch {mark}'))
    with pytest.raises(SessionError, match=r'names (posix|os)\.system'):
        load_array(content)
    assert not mark.exists()


@pytest.mark.parametrize('call', [
    (eval, '1'), (getattr, 'a', 'upper'), (np.load, 'x'), (bytearray, 10),
], ids=lambda call: call[0].__name__)
def test_nothing_but_arrays_can_be_named(call: Any) -> None:
    with pytest.raises(SessionError, match='only numpy arrays are allowed'):
        load_array(pickle.dumps(Payload(*call)))


@pytest.mark.parametrize('thing', [[1, 2], {'a': 1}, None, 'text', [np.zeros(3)]])
def test_a_pickle_of_something_else_is_refused(thing: Any) -> None:
    with pytest.raises(SessionError, match='must hold a numpy array'):
        load_array(pickle.dumps(thing, 4))


@pytest.mark.parametrize('array', [
    np.array([object(), None]), np.array(['a']), np.zeros(2, 'M8[s]'), np.zeros(2, 'f4,i2'),
], ids=['object', 'text', 'time', 'record'])
def test_elements_that_are_not_numbers_are_refused(array: Any) -> None:
    with pytest.raises(SessionError, match=r'must be numbers|without numbers|names builtins'):
        load_array(pickle.dumps(array, 4))


def test_a_pickle_that_ends_early_is_refused() -> None:
    content = pickle.dumps(np.arange(100.0), 4)
    for size in range(0, len(content) - 1, 7):
        with pytest.raises(SessionError):
            load_array(content[:size])


def test_a_shape_that_the_bytes_do_not_fill_is_refused() -> None:
    content = pickle.dumps(np.zeros((2, 3)), 4)
    assert content.count(b'K\x02K\x03') == 1
    for shape in (b'K\x02K\x04', b'K\xffK\xff'):
        with pytest.raises(SessionError, match='shape'):
            load_array(content.replace(b'K\x02K\x03', shape))


@pytest.mark.parametrize('content', [
    b'\x80\x04Kr\xff\xff\xff\x7f.',  # remembers something under number 2^31 - 1
    b'\x80\x05\x96' + (1 << 40).to_bytes(8, 'little') + b'ab.',  # announces a tebibyte
])
def test_a_pickle_that_would_fill_the_memory_is_refused(content: bytes) -> None:
    with pytest.raises(SessionError):
        load_array(content.replace(b'Kr', b'K\x01r'))
