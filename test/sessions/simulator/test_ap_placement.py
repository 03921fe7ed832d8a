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

"""Access points of simulated areas lie where people walk, apart from each other."""

import numpy as np
import pytest

from utt_ros.sessions.simulator.ap_placement import ap_address, place_access_points
from utt_ros.sessions.simulator.trajectories import ROOM_CORNERS_M


@pytest.mark.parametrize('seed', range(4))
def test_they_are_in_the_room_and_apart_and_one_more_moves_none(seed: int) -> None:
    four, three = (place_access_points(np.random.default_rng(seed), 5, count) for count in (4, 3))
    assert four[:3] == three
    assert [item.address for item in four] == [ap_address(5, number) for number in range(4)]
    places = np.array([item.position[:2] for item in four])
    assert (places >= ROOM_CORNERS_M[0]).all()
    assert (places <= ROOM_CORNERS_M[1]).all()
    apart = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(4, 1)]
    assert apart.min() >= 7.5  # 8, while there is room
    assert apart.max() <= 25


def test_of_more_than_fit_each_is_as_far_from_the_others_as_possible() -> None:
    placed = place_access_points(np.random.default_rng(1), 0, 8)
    assert len({item.position for item in placed}) == 8
