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

"""PublishedPositions against a truth that walks at a constant pace."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.demo.position_scores import (
    PublishedPositions,
    concatenate_scores,
    score_positions,
    summarize_scores,
)
from utt_ros.evaluation.metrics.position import coverage_90
from utt_ros.types import Frames, GroundTruth, Session

S = 1_000_000_000
BEGIN_NS = 1_700_000_000 * S


def session(seen_s=()):
    stamps = BEGIN_NS + np.arange(101, dtype=np.int64) * S // 10
    positions = np.stack([np.arange(101) * 0.1, np.zeros(101)], axis=1)  # 1 m/s along x
    frames_ns = BEGIN_NS + (np.array(seen_s) * S).astype(np.int64)
    count = len(frames_ns)
    frames = Frames(
        frames_ns, np.arange(count + 1), np.zeros((count, 5), np.float32), ('ann',) * count,
        ('1',) * count)
    truth = GroundTruth(stamps, positions, stamps * 0.0)
    return Session('hall', 'one', 'test', frames, {}, {'ann': truth})


def predictions(seconds, positions, variance=1.0, received_ns=0):
    count = len(seconds)
    stamps_ns = BEGIN_NS + (np.array(seconds) * S).astype(np.int64)
    return PublishedPositions(
        np.array(['ann'] * count), stamps_ns, np.array(positions, float),
        np.broadcast_to(np.eye(2) * variance, (count, 2, 2)),
        np.broadcast_to(np.int64(received_ns), (count,)))


def test_error_is_the_distance_to_the_truth_between_its_samples():
    found = score_positions(predictions([2.05], [(2.05, 0.3)]), session(), use_camera=True)
    assert found.error_m == pytest.approx([0.3], abs=1e-6)


def test_predictions_outside_the_truth_are_not_scored():
    outside = predictions([-1.0, 20.0], [(0, 0), (0, 0)])
    found = score_positions(outside, session(), use_camera=True)
    assert len(found.error_m) == 0


def test_truth_is_not_interpolated_over_a_gap():
    whole = session()
    truth = whole.truth['ann']
    keep = np.r_[0:20, 60:101]
    holed = GroundTruth(truth.stamps_ns[keep], truth.positions_m[keep], truth.headings_rad[keep])
    found = score_positions(
        predictions([1.0, 4.0], [(1, 0), (4, 0)]), replace(whole, truth={'ann': holed}),
        use_camera=True)
    assert found.stamps_ns == [BEGIN_NS + S]


def test_camera_counts_as_gone_half_a_second_after_the_last_box():
    found = score_positions(
        predictions([1.0, 1.4, 1.6, 0.5], [(0, 0)] * 4), session(seen_s=[1.0]), use_camera=True)
    assert found.camera_age_s == pytest.approx([0.0, 0.4, 0.6, np.inf], abs=1e-6)
    summary = summarize_scores(found)
    assert summary['camera']['n'] == 2
    assert summary['no_camera']['n'] == 2


def test_area_without_camera_has_no_score_with_camera():
    found = score_positions(predictions([1.0], [(1, 0)]), session(seen_s=[1.0]), use_camera=False)
    assert summarize_scores(found)['camera'] is None


def test_share_inside_the_ellipse_of_90_percent_is_counted(rng):
    seconds = np.linspace(0.0, 9.9, 4000)
    truth = np.stack([seconds, np.zeros(4000)], axis=1)
    noisy = truth + rng.normal(0.0, 0.5, (4000, 2))
    right = score_positions(predictions(seconds, noisy, 0.25), session(), use_camera=True)
    narrow = score_positions(predictions(seconds, noisy, 0.0625), session(), use_camera=True)
    assert coverage_90(right.square) == pytest.approx(0.9, abs=0.02)
    assert coverage_90(narrow.square) < 0.6


def test_positions_of_unknown_subjects_give_an_empty_score():
    stranger = replace(predictions([1.0], [(0, 0)]), subjects=np.array(['bob']))
    found = concatenate_scores([score_positions(stranger, session(), use_camera=True)] * 2)
    assert summarize_scores(found) == {'camera': None, 'no_camera': None}
