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

"""The map of a building is drawn, also before anybody is listed."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.building.floor_plan import FloorPlan
from utt_ros.demo.building_figure import draw_building_map
from utt_ros.evaluation.metrics.crossings import list_people
from utt_ros.map_pose import MapPose
from utt_ros.settings import AreaSettings
from utt_ros.types import GroundTruth


@pytest.mark.parametrize('count', [0, 30])
def test_building_is_drawn_with_and_without_people(tmp_path: Path, count: int) -> None:
    stamps = np.arange(50) * 100_000_000
    walk = np.stack([np.full(50, 5.0), np.linspace(0.0, 14.0, 50)], axis=1)
    rows = [(number, 'ann', 'hall' if number < 15 else 'yard', int(stamps[number]), walk[number])
            for number in range(count)]
    areas = [AreaSettings(area='hall'), AreaSettings(area='yard', modalities=('ftm', 'imu'),
                                                     map_pose=(13.0, 14.0, np.pi))]
    plan = FloorPlan(0.5, MapPose(-4.0, -8.0), np.zeros((60, 42), np.int8))
    path = tmp_path / 'building.png'
    draw_building_map(path, plan, areas, {'ann': GroundTruth(stamps, walk, 0 * stamps)},
                      list_people(rows))
    assert path.read_bytes().startswith(b'\x89PNG')
