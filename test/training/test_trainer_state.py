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

"""State of a trainer: another one goes on bit by bit."""

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.wire import pack, parse
from utt_ros.models.twin import initial_weights
from utt_ros.training.offline_dataset import PAST_MODALITIES
from utt_ros.training.offline_trainer import make_trainers
from utt_ros.training.recordings import Recordings
from utt_ros.training.trainer_state import LearnerState, dump_counters, load_counters
from utt_ros.training.training_recipe import Recipe


def test_restored_trainer_goes_on_as_the_one_that_was_read(
    data: Recordings, recipe: Recipe,
) -> None:
    begin = initial_weights(recipe.model, data.window, 0, PAST_MODALITIES)
    one, fresh = (make_trainers(data, recipe, 0)[min(data.areas)] for _ in range(2))
    one.load(begin)
    one.train(2)
    one.set_rate(1e-4)
    state, middle = one.state(), begin | one.update()
    other = make_trainers(data, recipe, 7)[min(data.areas)]  # another seed
    other.restore(LearnerState(parse(pack(state.moments).payload), state.counters))
    weights = []
    for trainer in (one, other, fresh):
        trainer.load(middle)
        trainer.train(2)
        weights.append(trainer.update())
    assert (one.steps, one.steps_skipped) == (other.steps, other.steps_skipped)
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        np.testing.assert_array_equal(weights[1][name], tensor)
    assert any((weights[2][name] != tensor).any() for name, tensor in weights[0].items())


@pytest.mark.parametrize('text', ['', '[]', '{"rngs": []}', '{"rngs": [{}]}'])
def test_malformed_counters_are_refused(text: str) -> None:
    with pytest.raises(ModelError, match='state of a trainer'):
        load_counters(text, [np.random.default_rng(0)])


def test_counters_round_trip_with_their_random_numbers() -> None:
    rng, other = np.random.default_rng(1), np.random.default_rng(2)
    text = dump_counters(3, 1, {'': 0.5}, [rng])
    content = load_counters(text, [other])
    assert (content['steps'], content['skipped'], content['rates']) == (3, 1, {'': 0.5})
    assert rng.integers(2**62) == other.integers(2**62)
