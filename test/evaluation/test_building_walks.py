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

"""Who walks through three areas, two with cameras that overlap, keeps the id and is one person."""

import numpy as np
import pytest

from utt_ros.evaluation.building_walks import walk_building
from utt_ros.sessions.simulator.crossing import CrossingPlan, plan_crossings, room_corners


@pytest.fixture(scope='module')
def plans() -> list[CrossingPlan]:
    return plan_crossings(3, 1.5, seed=40, without_camera=['area2'], access_points=3)[:1]


def test_people_keep_their_ids_and_nobody_is_counted_twice(plans: list[CrossingPlan]) -> None:
    found = walk_building(plans, None)
    values = found.values
    assert values['people'] == found.walks >= 3
    assert values['handovers'] >= 3
    assert values['ids_kept'] >= 0.8
    assert values['double_counted'] == 0
    assert values['access_points']['3']['p90'] < 3.0
    assert found.beliefs_taken >= found.walks


def test_rooms_of_neighbours_share_a_wall(plans: list[CrossingPlan]) -> None:
    first, second, third = (room_corners(each.area.settings) for each in plans[0].sessions)
    np.testing.assert_allclose(first[1, 1], second[0, 1])
    np.testing.assert_allclose(second[1, 1], third[0, 1])
    np.testing.assert_allclose(first[:, 0], second[:, 0])
