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

"""Settings of training."""

import pytest

from utt_ros.errors import SettingsError
from utt_ros.training.settings import LearningSettings, TrainerSettings


@pytest.mark.parametrize('terms', [(), ('transfer', 'merging')])
def test_terms_are_one_or_more_of_the_known_ones(terms: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=r'terms are .* one or more of'):
        LearningSettings(terms=terms)


@pytest.mark.parametrize(('settings', 'message'), [
    ({'holdout_every': 1}, 'holdout_every is 1'),
    ({'min_association': 1.5}, 'min_association is 1.5'),
    ({'max_grad_norm': 0.0}, 'max_grad_norm is 0.0'),
    ({'holdout_block': -1.0}, r'holdout_block is -1\.0: it must be at least 0\.0'),
    ({'holdout_block': 0.05}, r'holdout_block is 0\.05: it must be 0 or at least 0\.1'),
])
def test_a_value_beyond_its_limits_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        LearningSettings(**settings)


@pytest.mark.parametrize('block_s', [0.0, 0.1])
def test_nothing_or_blocks_of_a_tenth_second_can_be_held_out(block_s: float) -> None:
    assert LearningSettings(holdout_block=block_s).holdout_block == block_s


def test_a_round_has_at_least_one_step() -> None:
    with pytest.raises(SettingsError, match='local_steps is 0'):
        TrainerSettings(local_steps=0)
