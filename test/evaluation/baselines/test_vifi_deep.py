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

import numpy as np
import torch

from utt_ros.association.assignment import assign
from utt_ros.evaluation.baselines.learner import BaselineLearner
from utt_ros.evaluation.baselines.scaling import stack_examples
from utt_ros.evaluation.baselines.vifi_deep import (
    MAX_PAIRS,
    DeepMatcher,
    VifiDeep,
    deep_example,
    deep_loss,
)


def test_affinities_have_a_dummy_row_and_column() -> None:
    net = VifiDeep()
    assert net(torch.zeros(2, 3, 10, 7), torch.zeros(2, 4, 10, 14)).shape == (2, 4, 5)


def test_costs_follow_the_tracks_when_they_change_places(seen) -> None:
    torch.manual_seed(0)
    matcher = DeepMatcher(VifiDeep())
    cost = matcher.cost(seen)
    assert cost.shape == (3, 2)
    assert np.allclose(matcher.cost(seen.select_tracks([2, 0, 1])), cost[[2, 0, 1]], atol=1e-6)


def test_a_phone_of_nobody_in_view_is_taught_the_dummy(seen) -> None:
    item = deep_example(seen.select_tracks([1]), np.array([1]))
    assert item['owner'][:1].tolist() == [1]
    assert item['carrier'][:2].tolist() == [MAX_PAIRS, 0]


def test_what_is_masked_reaches_no_network(seen) -> None:
    seen.boxes[~seen.boxes_mask] = 0.0
    before = deep_example(seen, np.array([0, 1, 0]))['tracks']
    seen.boxes[~seen.boxes_mask] = 777.0
    assert np.array_equal(deep_example(seen, np.array([0, 1, 0]))['tracks'], before)


def test_training_learns_one_meeting_by_heart(seen) -> None:
    torch.manual_seed(2)  # from some beginnings it stays at guessing, a loss of 2 log 2
    pair = seen.select_tracks([0, 1])
    examples = stack_examples([deep_example(pair, np.array([1, 0]))] * 4)
    net = VifiDeep()
    learner = BaselineLearner(
        net, deep_loss, examples, ('camera',), seed=2, batch=4, learning_rate=1e-3)
    learner.train(140)
    assert learner.train(20) < 0.2
    assert assign(DeepMatcher(net).cost(pair)).tolist() == [1, 0]
