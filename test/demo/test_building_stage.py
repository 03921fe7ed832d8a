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

"""A building is walked with the model of a demonstration."""

from typing import Any

import pytest

from utt_ros.demo import building_stage
from utt_ros.demo.building_stage import cross_building
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings


def test_the_building_counts_people_hand_overs_and_errors_per_access_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(building_stage, 'BUILDING_MINUTES', 1.0)
    model, window = ModelSettings(), WindowSettings()
    initial = Checkpoint('f', 0, dump_config(model, window), initial_weights(model, window, 0))
    found: dict[str, Any] = cross_building(initial, 1)
    assert found['people'] >= 3
    assert found['handovers'] >= 1
    assert 0.0 <= found['ids_kept'] <= 1.0
    assert found['double_counted'] == 0
    assert found['access_points'].keys() == {'1', '3'}
    assert all(0.0 < each['median'] <= each['p90'] < 10.0
               for each in found['access_points'].values())
