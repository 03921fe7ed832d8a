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

"""Federation strategies; the suite `federation` runs all of them."""

import numpy as np
import pytest

from utt_ros.evaluation.federated import strategies
from utt_ros.evaluation.metrics.translation import cut_translation_windows, translate
from utt_ros.models.twin import read_weights
from utt_ros.training.columns import take
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe


def test_personal_models_differ_in_the_fusor_alone(
    data: Recordings, recipe: Recipe, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strategies, 'STRATEGY_ROUNDS', 2)
    result = strategies.run_strategy(data, recipe, 'personal', 0)
    first, second = (read_weights(twin) for twin in result.twins.values())
    differing = {name for name in first if not np.array_equal(first[name], second[name])}
    assert differing
    assert all(name.startswith('fusor.') for name in differing)


def test_each_area_is_translated_by_its_own_model(
    data: Recordings, recipe: Recipe, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strategies, 'STRATEGY_ROUNDS', 1)
    result = strategies.run_strategy(data, recipe, 'personal', 0)
    windows = cut_translation_windows(data, 'test')
    pair = (('ftm', 'imu'), 'camera')
    rows = np.arange(len(windows.sequences))
    predictions = result.predict(windows, rows, pair)
    for area, twin in result.twins.items():
        own = np.flatnonzero([name.startswith(f'{area}/') for name in windows.sequences])
        np.testing.assert_array_equal(
            predictions[own], translate(twin, take(windows.columns, own), pair))
