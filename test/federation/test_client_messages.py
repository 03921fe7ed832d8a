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

"""Client side of the exchange: model in, update out."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.client_messages import make_update, open_model, whole_checksum
from utt_ros.federation.compression import ErrorFeedback
from utt_ros.federation.server import to_global_model
from utt_ros.federation.wire import pack, schema_of, unpack

TENSORS = {'a': np.float32([1.0, 2.0]), 'b': np.float32([3.0])}
MODEL = to_global_model(Checkpoint('f00d', 7, '{}', TENSORS))


def test_a_model_is_opened_to_the_tensors_that_were_packed() -> None:
    opened = open_model(MODEL, 10**6)
    assert list(opened) == ['a', 'b']
    assert all(np.array_equal(opened[name], TENSORS[name]) for name in TENSORS)


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'schema': '0' * 64}, 'not those that its schema announces'),
    ({'checksum': '0' * 64}, 'payload has checksum'),
])
def test_a_model_that_differs_from_its_announcement_is_refused(
    changes: dict[str, str], reason: str,
) -> None:
    with pytest.raises(ModelError, match=reason):
        open_model(replace(MODEL, **changes), 10**6)


NEXT = {'a': np.float32([1.5, 2.5]), 'b': np.float32([3.0])}
PACKED = ErrorFeedback().pack(NEXT, TENSORS, 'int8')
CHANGE = replace(MODEL, round=8, schema=PACKED.schema, checksum=PACKED.checksum,
                 payload=PACKED.payload, compression='int8', base=MODEL.checksum)


def test_a_change_is_opened_by_an_area_that_has_the_model_before() -> None:
    opened = open_model(CHANGE, 10**6, MODEL.checksum, TENSORS)
    np.testing.assert_allclose(opened['a'], NEXT['a'], atol=1e-6)
    np.testing.assert_array_equal(opened['b'], NEXT['b'])


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'base': 'f' * 64}, "it changes model 'ffffffffffff'…: this area has"),
    ({'compression': 'gzip'}, "its compression is 'gzip'"),
    ({'compression': 'sign'}, 'codes is int8'),
    ({'payload': MODEL.payload, 'checksum': MODEL.checksum}, 'is not zstandard'),
    ({'schema': '0' * 64}, 'not those that its schema announces'),
])
def test_a_malformed_change_of_a_model_is_refused(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        open_model(replace(CHANGE, **changes), 10**6, MODEL.checksum, TENSORS)


def test_a_change_is_refused_by_an_area_that_has_no_model() -> None:
    with pytest.raises(ModelError, match='this area has none'):
        open_model(CHANGE, 10**6)


def test_a_model_above_the_limit_is_refused() -> None:
    with pytest.raises(ModelError, match='at most 10 are allowed'):
        open_model(MODEL, 10)


def test_an_update_belongs_to_the_round_of_its_model_and_holds_the_trained_tensors() -> None:
    trained = {'a': TENSORS['a'] + 1}
    update = make_update(MODEL, 'north', 12, ('ftm', 'imu'), trained, base=MODEL.checksum)
    assert (update.compression, update.base) == ('none', '')
    assert (update.federation, update.round, update.area) == ('f00d', 7, 'north')
    assert (update.windows, update.modalities) == (12, ('ftm', 'imu'))
    assert update.schema == schema_of(trained)
    assert update.payload == pack(trained).payload
    np.testing.assert_array_equal(
        unpack(update.payload, update.checksum, 10**6)['a'], trained['a'])


def test_a_compressed_update_names_the_model_that_it_changes() -> None:
    update = make_update(MODEL, 'north', 12, ('imu',), PACKED, base=MODEL.checksum)
    assert (update.compression, update.base) == ('int8', MODEL.checksum)
    assert whole_checksum(MODEL, TENSORS) == whole_checksum(CHANGE, TENSORS) == MODEL.checksum
