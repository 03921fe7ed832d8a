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

"""Geometric baselines with exact measurements."""

from dataclasses import replace

import numpy as np

from utt_ros.evaluation.baselines.bearing import back_projection, bearing_and_range
from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.evaluation.metrics.position import track_errors
from utt_ros.settings import AreaSettings

EXACT = BaselineSettings(range_offset=0.0, range_slope=0.0, range_std=0.3)


def without_camera_from(walk: SubjectTrajectory, tick: int) -> SubjectTrajectory:
    return replace(walk, camera_mask=np.arange(len(walk.stamps_ns)) < tick)


def test_exact_boxes_are_back_projected_to_the_true_positions(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    track = back_projection(area, without_camera_from(walk, 50))
    assert track_errors(track, walk)[:50].max() < 0.01
    assert np.isnan(track.position[50:]).all()


def test_last_bearing_with_exact_ranges_errs_only_across_the_bearing(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    track = bearing_and_range(area, without_camera_from(walk, 50), EXACT)
    assert track_errors(track, walk)[:50].max() < 0.4  # a range may be two ticks old
    far = np.linalg.norm(track.position, axis=1) - np.linalg.norm(walk.truth_m(), axis=1)
    assert np.abs(far).max() < 0.4
    assert track_errors(track, walk)[50:].max() > 1.0


def test_bearing_baseline_has_no_estimate_before_the_first_range(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    late = replace(walk, ftm_mask=walk.ftm_mask & (np.arange(len(walk.stamps_ns)) > 9))
    track = bearing_and_range(area, late, EXACT)
    assert np.isnan(track.position[:10]).all()
    assert np.isfinite(track.position[12:]).all()


def test_access_point_may_stand_away_from_the_camera(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    aside = replace(area, ap_position=(2.0, 3.0, 2.5))
    slant = np.linalg.norm(walk.truth_m() - [2.0, 3.0], axis=1)
    ranges = np.stack([np.hypot(slant, 1.3), np.ones(len(slant))], axis=1).astype(np.float32)
    moved = replace(walk, ftm=ranges, ftm_mask=np.ones(len(slant), bool))
    assert np.nanmax(track_errors(bearing_and_range(aside, moved, EXACT), walk)) < 0.05
