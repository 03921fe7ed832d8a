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

from utt_ros.association.track_kinematics import estimate_kinematics


def test_velocities_are_those_of_the_walks(area, walkers) -> None:
    velocity = estimate_kinematics(walkers(), area).velocity[:, 15]
    assert velocity[0] == pytest.approx([1.2, 0.0], abs=0.02)
    assert velocity[1] == pytest.approx([0.0, 1.2], abs=0.02)


def test_gaps_of_a_track_are_filled_by_straight_lines(area, walkers) -> None:
    candidates = walkers()
    candidates.boxes_mask[0, 10:13] = False
    assert estimate_kinematics(candidates, area).position[0, 11] == pytest.approx(
        [5.32, -1.0], abs=0.05)


def test_a_track_is_unknown_before_it_was_first_seen(area, walkers) -> None:
    tracks = estimate_kinematics(walkers(appeared=12), area)
    assert not tracks.inside[:, :12].any()
    assert tracks.inside[:, 12:].all()
    assert np.isnan(tracks.velocity[:, :12]).all()


def test_distances_are_from_the_access_point(area, walkers) -> None:
    rise = area.ap_position[2] - area.phone_height
    assert estimate_kinematics(walkers(), area).distance[0, 0] == pytest.approx(
        np.sqrt(4.0**2 + 1.0**2 + rise**2), abs=0.05)
