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

"""Residuals of a model, and their names in its card."""

import numpy as np
import pytest

from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.metrics import decode_columns, encode_columns
from utt_ros.training.offline_dataset import plain_examples, rotate_to_area_frame
from utt_ros.training.recordings import Recordings
from utt_ros.training.residuals import card_deviations, deviation_metrics, residual_deviations

PAIR = (('camera',), 'ftm')


def test_deviations_are_those_of_the_residuals(data: Recordings) -> None:
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), data.window)
    deviations = residual_deviations(twin, data, (PAIR,))[PAIR]
    columns = rotate_to_area_frame(plain_examples(data, 'val'), data.window)
    features, _ = encode_columns(twin, columns, ('camera',))
    decoded = decode_columns(twin, features, columns, [PAIR])[PAIR].detach().numpy()
    mask = columns['ftm_mask'] & columns['camera_mask'].any(1, keepdims=True)
    expected = np.sqrt(((decoded - columns['ftm'])[mask] ** 2).mean(0))
    assert deviations == pytest.approx(expected, rel=1e-4)


def test_a_card_keeps_deviations_by_direction_and_channel() -> None:
    metrics = deviation_metrics({PAIR: np.array([1.5, np.nan])})
    assert metrics == {'std camera->ftm range_m': 1.5}
    assert card_deviations(metrics, PAIR) == pytest.approx([1.5, np.nan], nan_ok=True)
    assert np.isnan(card_deviations({'score': 1.0}, PAIR)).all()
