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

"""Ranges at known places: distances, trend, and the detour behind a back."""

import numpy as np
import pytest

from utt_ros.geometry.range_model import RangeTrend, range_features


def test_features_are_distance_bend_and_whether_the_back_is_turned() -> None:
    positions = np.array([[3.0, 0.0], [30.0, 0.0]])
    away, towards = np.array([[1.0, 0.0]]), np.array([[-1.0, 0.0]])
    distance, features = range_features(positions, away, np.zeros(2), 4.0)
    assert distance == pytest.approx([5.0, np.hypot(30, 4)])
    assert features[:, 2].tolist() == [1, 1]
    assert features[:, 1] == pytest.approx([0.0, np.hypot(30, 4) - 12])
    assert range_features(positions, towards, np.zeros(2), 4.0)[1][:, 2].tolist() == [0, 0]
    assert features @ RangeTrend(0.1, 0.0, 2.0) == pytest.approx(0.1 * distance + 2.0)
