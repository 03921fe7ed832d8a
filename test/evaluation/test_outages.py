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

"""Simulated camera outages."""

from dataclasses import replace

import numpy as np

from utt_ros.access_point_list import AccessPoint
from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.evaluation.outages import (
    in_outage,
    keep_access_points,
    mask_trajectory_camera,
    outage_mask,
)
from utt_ros.settings import AreaSettings
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import Session, SyncedBatch


def test_outages_have_their_interval_and_length() -> None:
    off = outage_mask(np.arange(400, dtype=np.int64) * 100_000_000, 5.0)
    begin, end = np.flatnonzero(np.diff(off.astype(int)) > 0), np.flatnonzero(
        np.diff(off.astype(int)) < 0)
    assert (begin + 1).tolist() == [100, 250]
    assert (end - begin == 50).all()
    assert outage_mask(np.arange(5, dtype=np.int64), np.inf).all()


def test_masked_trajectory_has_no_boxes_in_outages(walk: SubjectTrajectory) -> None:
    off = outage_mask(walk.stamps_ns, 5.0)
    masked = mask_trajectory_camera(walk, off)
    assert not (masked.camera_mask & off).any()
    assert (masked.camera_mask == ~off).all()


def test_access_points_after_the_first_ones_are_removed_with_their_ranges() -> None:
    area = AreaSettings(access_points=tuple(
        AccessPoint(name, (float(x), 0.0, 2.5)) for x, name in enumerate('abc')))
    batch = SyncedBatch(
        1, 0, 0, True, ('p',), ('',), np.ones(1, np.float32), np.zeros((1, 5), np.float32),
        np.zeros(1, bool), np.full((1, 2), 3, np.float32), np.zeros(1, np.float32),
        np.ones(1, bool), np.zeros((1, 5, 9), np.float32), np.zeros((1, 5), bool),
        np.arange(4, dtype=np.float32).reshape(1, 2, 2), np.zeros((1, 2), np.float32),
        np.ones((1, 2), bool))
    whole = RecordedSequence(area, 'one', 'test', (batch,), Session('a', 'one', '', None, {}, {}))
    two, one = keep_access_points(whole, 2), keep_access_points(whole, 1)
    assert two.area.ap_addresses == ('a', 'b')
    assert two.batches[0].further_ftm.tolist() == [[[0, 1]]]
    assert one.area.ap_positions == ((0.0, 0.0, 2.5),)
    assert one.batches[0].further_ftm_mask.shape == (1, 0)
    assert one.batches[0].ftm.tolist() == [[3, 3]]
    assert keep_access_points(whole, 3) is whole


def test_only_outages_of_subjects_in_view_are_selected(walk: SubjectTrajectory) -> None:
    off = outage_mask(walk.stamps_ns, 5.0)  # from tick 100 and from tick 250 on
    unseen = walk.camera_mask & ((np.arange(300) < 60) | (np.arange(300) >= 150))
    selected = in_outage(replace(walk, camera_mask=unseen & ~off), off)
    assert not selected[100:150].any()
    assert selected[250:300].all()
    assert not (selected & ~off).any()
