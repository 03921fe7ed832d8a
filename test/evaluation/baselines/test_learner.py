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
import pytest
import torch
from torch import nn

from utt_ros.errors import ModelError
from utt_ros.evaluation.baselines.learner import BaselineLearner, load_net, read_net
from utt_ros.training.simulated_rounds import FederationPlan, run_federation


def error(net, batch):
    return ((net(batch['x']) - batch['y']) ** 2).mean()


def learner(slope, seed=0):
    x = np.random.default_rng(seed).standard_normal((50, 1)).astype(np.float32)
    torch.manual_seed(seed)
    return BaselineLearner(nn.Linear(1, 1), error, {'x': x, 'y': slope * x}, ('camera',),
                           seed=seed, learning_rate=0.05)


def test_an_untrained_learner_has_no_update() -> None:
    assert learner(1.0).update() == {}


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError, match='do not fit'):
        load_net(nn.Linear(1, 1), {'weight': np.zeros((2, 2), np.float32)})


def test_baselines_learn_together_inside_the_distributed_mapping() -> None:
    areas = {'left': learner(1.0), 'right': learner(3.0, seed=1)}
    plan = FederationPlan(rounds=20, local_steps=10)
    mapped = run_federation(areas, read_net(nn.Linear(1, 1)), plan)
    assert mapped.weights['weight'][0, 0] == pytest.approx(2.0, abs=0.4)
    assert not any(each.refused for each in mapped.rounds)
