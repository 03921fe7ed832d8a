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

"""Trails are short, bounded, and broken where somebody cannot have walked."""

import numpy as np

from utt_ros.types import NS_PER_S
from utt_ros.view.person_trails import MAX_TRAIL_POINTS, TRAIL_STEP_NS, PersonTrails


def trail_of(steps, step_m=0.1):
    trails = PersonTrails()
    for step in range(steps):
        trails.add('ann', np.array([step_m * step, 0.0]), step * TRAIL_STEP_NS)
    return trails, (steps - 1) * TRAIL_STEP_NS


def test_trail_ends_at_the_newest_point_and_is_bounded():
    trails, now_ns = trail_of(10 * MAX_TRAIL_POINTS)
    trail = trails.trail('ann', now_ns)
    assert len(trail) <= MAX_TRAIL_POINTS
    assert trail[-1, 0] == 0.1 * (10 * MAX_TRAIL_POINTS - 1)
    assert len(trails.trail('ann', now_ns + 3600 * NS_PER_S)) == 0


def test_points_in_between_are_left_out():
    trails, now_ns = trail_of(2)
    trails.add('ann', np.array([7.0, 0.0]), now_ns + 1)
    assert trails.trail('ann', now_ns + 1).tolist() == [[0.0, 0.0], [0.1, 0.0]]


def test_a_leap_and_a_jump_back_in_time_begin_a_new_trail():
    trails, now_ns = trail_of(5)
    trails.add('ann', np.array([50.0, 0.0]), now_ns + TRAIL_STEP_NS)
    assert trails.trail('ann', now_ns + TRAIL_STEP_NS).tolist() == [[50.0, 0.0]]
    trails.add('ann', np.array([50.0, 1.0]), 0)
    assert trails.trail('ann', 0).tolist() == [[50.0, 1.0]]


def test_people_who_left_are_forgotten():
    trails, now_ns = trail_of(5)
    trails.keep_only(['bob'])
    assert len(trails.trail('ann', now_ns)) == 0
