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

"""Trajectories of subjects and their ground truth."""

import numpy as np
import pytest

from utt_ros.evaluation.ground_truth import subject_trajectories, truth_at
from utt_ros.types import GroundTruth, SyncedBatch

PERIOD_NS = 100_000_000


def batch(tick: int, subjects: tuple[str, ...], seen: tuple[bool, ...]) -> SyncedBatch:
    count = len(subjects)
    return SyncedBatch(
        tick * PERIOD_NS, 0, tick, True, subjects, subjects, np.ones(count, np.float32),
        np.full((count, 5), float(tick), np.float32), np.array(seen),
        np.zeros((count, 2), np.float32), np.full(count, np.inf, np.float32),
        np.zeros(count, bool), np.zeros((count, 5, 9), np.float32), np.ones((count, 5), bool))


def straight(ticks: int) -> GroundTruth:
    stamps = np.arange(ticks, dtype=np.int64) * PERIOD_NS
    positions = np.stack([stamps / 1e9, np.zeros(ticks)], axis=1)
    return GroundTruth(stamps, positions, np.zeros(ticks))


def test_trajectory_has_only_the_rows_of_its_subject() -> None:
    batches = [batch(0, ('a', 'b'), (True, False)), batch(1, ('b',), (True,)),
               batch(2, ('a', 'b'), (False, True))]
    (walk,) = subject_trajectories(batches, {'a': straight(5), 'stranger': straight(5)})
    assert walk.subject == 'a'
    assert walk.ticks.tolist() == [0, 2]
    assert walk.camera_mask.tolist() == [True, False]
    assert walk.camera[:, 0].tolist() == [0.0, 2.0]


def test_camera_age_is_infinite_before_the_first_box() -> None:
    batches = [batch(tick, ('a',), (tick == 1,)) for tick in range(4)]
    (walk,) = subject_trajectories(batches, {'a': straight(5)})
    assert walk.camera_age_s() == pytest.approx([np.inf, 0.0, 0.1, 0.2])


def test_the_future_is_unknown_beyond_the_truth() -> None:
    batches = [batch(tick, ('a',), (True,)) for tick in range(4)]
    (walk,) = subject_trajectories(batches, {'a': straight(5)})
    future = walk.future_m(0.1, 2)
    assert future[0, :, 0] == pytest.approx([0.1, 0.2])
    assert np.isfinite(future[2]).all()
    assert np.isfinite(future[3, 0]).all()
    assert np.isnan(future[3, 1]).all()


def test_the_truth_is_not_interpolated_across_a_gap() -> None:
    truth = GroundTruth(np.array([0, 100, 1100, 1200]) * 1_000_000, np.zeros((4, 2)), np.zeros(4))
    found = truth_at(truth, np.array([50, 100, 600, 1150]) * 1_000_000)
    assert np.isfinite(found[:, 0]).tolist() == [True, True, False, True]
