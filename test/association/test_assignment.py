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

from utt_ros.association.assignment import UNASSIGNED, assign


def test_assignment_minimizes_the_total_cost_and_not_the_first() -> None:
    assert assign(np.array([[1.0, 2.0], [1.1, 9.0]])).tolist() == [1, 0]


def test_no_phone_is_assigned_twice() -> None:
    assert sorted(assign(np.array([[0.0], [1.0]])).tolist()) == [UNASSIGNED, 0]


def test_a_track_stays_without_a_phone_when_every_phone_costs_more() -> None:
    assigned = assign(np.array([[5.0, 6.0], [0.5, 9.0]]), no_phone_cost=2.0)
    assert assigned.tolist() == [UNASSIGNED, 0]


def test_an_unknown_cost_counts_as_the_mean_of_the_others() -> None:
    assert assign(np.array([[np.nan, 4.0], [1.0, 1.0]])).tolist() == [0, 1]


def test_assignment_without_tracks_or_phones_is_empty() -> None:
    assert assign(np.zeros((0, 3))).tolist() == []
    assert assign(np.zeros((2, 0))).tolist() == [UNASSIGNED, UNASSIGNED]
