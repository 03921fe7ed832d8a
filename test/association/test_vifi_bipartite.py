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

from utt_ros.association.assignment import assign
from utt_ros.association.vifi_bipartite import (
    BipartiteSettings,
    VifiBipartite,
    combine,
    compare_courses,
    compare_paths,
)


def test_bipartite_assigns_each_phone_to_its_carrier(area, walkers) -> None:
    assert assign(VifiBipartite(area).cost(walkers())).tolist() == [1, 0]


def test_bipartite_compares_only_the_time_since_a_track_appeared(area, walkers) -> None:
    matcher = VifiBipartite(area, BipartiteSettings(slant=True))
    young, old = (matcher.parts(walkers(appeared=start))[2] for start in (20, 0))
    assert young[0, 1] < 0.1
    assert old[0, 1] < 0.1
    assert young[0, 0] > 1.0


def test_paths_that_differ_by_a_turn_and_a_shift_cost_nothing() -> None:
    path = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    turned = np.stack([5.0 - path[:, 1], path[:, 0] - 2.0], axis=-1)  # by 90 degrees
    cost = compare_paths(path[None], np.ones((1, 3), bool), turned[None])
    assert cost[0, 0] == pytest.approx(0.0, abs=1e-9)


def test_a_mirrored_path_costs_something() -> None:
    path = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    cost = compare_paths(path[None], np.ones((1, 3), bool), (path * [1.0, -1.0])[None])
    assert cost[0, 0] > 0.05


def test_courses_are_compared_across_plus_and_minus_pi() -> None:
    west = np.stack([-np.arange(20.0), np.zeros(20)], axis=-1)  # course pi
    heading = np.full((1, 20), -np.pi + 0.1)
    cost = compare_courses(west[None], np.ones((1, 20), bool), heading, np.ones((1, 20), bool))
    assert cost[0, 0] == pytest.approx(20 * 0.1 / 40)


def test_an_unknown_cost_counts_as_the_mean_of_its_part() -> None:
    parts = np.array([[[1.0, np.nan, 3.0]], [[0.0, 1.0, 0.0]]])
    assert combine(parts, (1.0, 10.0)).tolist() == [[1.0, 12.0, 3.0]]


def test_without_ranging_the_other_parts_decide(area, walkers) -> None:
    candidates = walkers()
    candidates.ftm_mask[:] = False
    assert assign(VifiBipartite(area).cost(candidates)).tolist() == [1, 0]
