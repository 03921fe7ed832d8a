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

from utt_ros.demo.figure import draw_position_map
from utt_ros.demo.position_scores import PositionScores
from utt_ros.settings import AreaSettings


@pytest.mark.parametrize('count', [0, 400])
def test_map_is_drawn_with_and_without_scored_positions(tmp_path, count, rng):
    walk = np.cumsum(rng.normal(0, 0.1, (count, 2)), axis=0)
    scores = PositionScores(
        np.array(['ann'] * count, dtype='<U3'), np.arange(count) * 100_000_000, walk, walk + 0.1,
        np.where(np.arange(count) % 2, 0.0, np.inf), np.full(count, 0.1), np.ones(count))
    path = tmp_path / 'map.png'
    draw_position_map(path, {name: (AreaSettings(area=name), scores) for name in 'abcd'})
    assert path.read_bytes().startswith(b'\x89PNG')
