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

"""Models and updates of one area: what compression left out is sent later, or forgotten."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.compression import ErrorFeedback, unpack_change
from utt_ros.federation.server import to_global_model
from utt_ros.federation.types import GlobalModel, Update
from utt_ros.federation.update_maker import UpdateMaker

LIMIT = 10**6
TENSORS = {'a': np.linspace(-1.0, 1.0, 50, dtype=np.float32)}
TRAINED = {'a': TENSORS['a'] + np.linspace(0.0, 0.1, 50, dtype=np.float32)}


def whole(round_: int, federation: str = 'fed', compression: str = 'ternary') -> GlobalModel:
    return to_global_model(Checkpoint(federation, round_, '{}', TENSORS), compression)


def use(maker: UpdateMaker, model: GlobalModel, current: Checkpoint | None = None) -> Checkpoint:
    opened = maker.open(model, LIMIT, current)
    maker.begin(opened, model.checksum)
    return opened


def make(maker: UpdateMaker, current: Checkpoint) -> Update:
    return maker.make(current, 5, ('imu',), TRAINED)


@pytest.fixture
def maker() -> UpdateMaker:
    return UpdateMaker('north')


def test_an_update_names_its_model_and_what_it_left_out_is_kept_with_the_next(
    maker: UpdateMaker,
) -> None:
    current = use(maker, whole(0))
    update = make(maker, current)
    assert (update.area, update.round, update.windows) == ('north', 0, 5)
    assert (update.compression, update.base) == ('ternary', whole(0).checksum)
    sent = unpack_change(update.payload, update.checksum, LIMIT, TENSORS, 'ternary')
    following = use(maker, whole(1), current)
    np.testing.assert_allclose(following.residual['a'], TRAINED['a'] - sent['a'], atol=1e-6)
    assert make(maker, following).payload != update.payload
    again = UpdateMaker('north')  # of a new process
    again.begin(following, whole(1).checksum)
    assert make(again, following) == make_again(following)


def make_again(model: Checkpoint) -> Update:
    maker = UpdateMaker('north')
    maker.begin(model, whole(1).checksum)
    return make(maker, model)


def test_another_federation_begins_with_nothing(maker: UpdateMaker) -> None:
    current = use(maker, whole(0))
    make(maker, current)
    assert use(maker, whole(1, 'other'), current).residual == {}


@pytest.mark.parametrize('is_early', [True, False], ids=['before', 'after'])
def test_what_a_refused_update_left_out_is_forgotten(maker: UpdateMaker, is_early: bool) -> None:
    """The refusal becomes known before the next model is used, or after it."""
    current = use(maker, whole(0))
    first = make(maker, current)
    if is_early:
        maker.refuse('fed', 0)
    following = use(maker, whole(1), current)
    assert (following.residual == {}) == is_early
    maker.refuse('fed', 0)
    assert make(maker, following).payload == first.payload
    kept = use(maker, whole(2), following)  # that of round 1 was not refused
    assert sorted(kept.residual) == ['a']


def test_a_compression_of_a_later_release_is_not_used(maker: UpdateMaker) -> None:
    current = use(maker, whole(0, compression='of a later release'))
    assert current.compression == 'none'
    assert (make(maker, current).compression, make(maker, current).base) == ('none', '')


def test_a_change_is_opened_with_the_model_in_use_only(maker: UpdateMaker) -> None:
    model = whole(0)
    packed = ErrorFeedback().pack(TRAINED, TENSORS, 'int8')
    change = replace(model, round=1, schema=packed.schema, checksum=packed.checksum,
                     payload=packed.payload, compression='int8', base=model.checksum)
    with pytest.raises(ModelError, match='this area has none'):
        maker.open(change, LIMIT, None)
    current = use(maker, model)
    opened = maker.open(change, LIMIT, current)
    np.testing.assert_allclose(opened.tensors['a'], TRAINED['a'], atol=1e-3)
    assert (opened.round, opened.compression) == (1, 'int8')
    with pytest.raises(ModelError, match="it changes model 'ffffffffffff'"):
        maker.open(replace(change, base='f' * 64), LIMIT, current)
