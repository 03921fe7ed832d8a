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

"""Status of a twin becomes a message."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time

from utt_ros.bridge.messages.status import twin_status_to_message
from utt_ros.settings import AreaSettings
from utt_ros.twin.health import SensorHealth
from utt_ros.twin.tick_types import TickPredictions

STAMP = Time(sec=3)
HALL = AreaSettings(area='hall', map_pose=(1.0, 2.0, 3.0, 0.5))


def test_status_before_the_first_model_and_tick_is_empty():
    message = twin_status_to_message(
        STAMP, HALL, SensorHealth(('camera', 'ftm')), None, model_round=None, idle_s=0.0,
        published=0, times_ms=())
    assert (message.area, message.model_ready, message.round) == ('hall', False, 0)
    assert message.header.frame_id == 'hall'
    assert list(message.map_pose) == [1.0, 2.0, 3.0, 0.5]
    assert not message.subjects
    assert list(message.modalities) == ['camera', 'ftm']


def test_position_std_is_along_the_larger_axis_and_times_are_percentiles():
    zeros = np.zeros((1, 2), np.float32)
    covariance = np.diag([0.25, 4.0]).astype(np.float32)[None]
    predictions = TickPredictions(
        0, ('ann',), ('camera+ftm',), zeros, covariance, zeros, np.zeros((1, 3, 2), np.float32),
        np.arange(3), None, np.arange(2))
    message = twin_status_to_message(
        STAMP, HALL, SensorHealth(('ftm',)), predictions, model_round=7, idle_s=0.0, published=9,
        times_ms=[1.0] * 99 + [3.0])
    assert (message.round, message.model_ready, message.predictions) == (7, True, 9)
    assert (list(message.subjects), list(message.sources)) == (['ann'], ['camera+ftm'])
    assert list(message.position_std) == pytest.approx([2.0])
    assert message.compute_p50 == 1.0
    assert message.compute_p99 == pytest.approx(1.02, abs=0.01)
