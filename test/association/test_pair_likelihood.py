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

from utt_ros.association.assignment import assign
from utt_ros.association.pair_features import FEATURE_NAMES
from utt_ros.association.pair_likelihood import PairLikelihood
from utt_ros.association.pair_scorer import PairScorer, read_scorer


@pytest.mark.parametrize('method', ['vifi', 'fused'])
def test_true_pairs_are_likelier_than_false_ones(area, walkers, method) -> None:
    likelihood = PairLikelihood(area, method, read_scorer(method))
    assert assign(-likelihood.log_ratios(walkers(ticks=60))).tolist() == [1, 0]


def test_log_ratios_are_those_of_the_scorer(area, walkers) -> None:
    count = len(FEATURE_NAMES)
    hidden = np.zeros((1, count), np.float32)
    hidden[0, FEATURE_NAMES.index('range_rms_m')] = -1.0
    scorer = PairScorer(np.zeros(count, np.float32), np.ones(count, np.float32), hidden,
                        np.zeros(1, np.float32), np.ones(1, np.float32))
    log_ratios = PairLikelihood(area, 'fused', scorer).log_ratios(walkers())
    assert assign(-log_ratios).tolist() == [1, 0]
    assert log_ratios[0, 1] == pytest.approx(0.0, abs=0.05)  # tanh(0)


def test_learned_offsets_turn_the_headings(area, walkers) -> None:
    likelihood, candidates = PairLikelihood(area, 'fused', read_scorer('fused')), walkers()
    along = FEATURE_NAMES.index('heading_along')
    before = likelihood.features(candidates)[0, 0, along]  # phone 0 points to the left
    for _ in range(100):
        likelihood.learn_offsets(candidates, [(0, 0)], ticks=5)
    after = likelihood.features(candidates)[0, 0, along]
    assert before == pytest.approx(0.0, abs=0.01)
    assert after > 0.9
    likelihood.clear()
    assert likelihood.features(candidates)[0, 0, along] == pytest.approx(before)
