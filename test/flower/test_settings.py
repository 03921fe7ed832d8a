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

"""Settings of a run on Flower."""

import pytest

from utt_ros.errors import SettingsError
from utt_ros.flower.settings import read_run_config


def test_keys_are_those_of_the_settings_the_model_and_the_aggregator() -> None:
    settings = read_run_config({
        'rounds': 3, 'timeout-s': 20, 'seed': 4, 'width': 8, 'heads': 2, 'quorum': 2,
        'weighting': 'uniform', 'areas': 'north,south', 'data': 'sessions'})
    assert (settings.rounds, settings.timeout_s, settings.seed) == (3, 20.0, 4)
    assert (settings.model.width, settings.model.heads) == (8, 2)
    aggregator = settings.aggregator
    assert (aggregator.quorum, aggregator.weighting, aggregator.seed) == (2, 'uniform', 4)
    assert aggregator.areas == ('north', 'south')
    assert aggregator.deadline == 0.0  # the timeout stands for it


@pytest.mark.parametrize(('config', 'error'), [
    ({'round': 3}, "no setting 'round'"), ({'deadline': 3.0}, "no setting 'deadline'"),
    ({'compression': 'int8'}, "no setting 'compression'"),
    ({'rounds': 0}, 'rounds'), ({'rounds': '3'}, "rounds is '3': it must be a int"),
    ({'screening': 1}, 'screening is 1: it must be a bool'),
    ({'weighting': 'none'}, 'none')])
def test_other_keys_types_and_values_are_refused(
    config: dict[str, object], error: str,
) -> None:
    with pytest.raises(SettingsError, match=error):
        read_run_config(config)
