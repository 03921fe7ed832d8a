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

"""Kalman filters on exact measurements of a walk along a circle."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.evaluation.baselines.kalman import kalman_track
from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.evaluation.metrics.position import interval_metrics, track_errors, track_likelihoods
from utt_ros.evaluation.metrics.trajectory import evaluated_ticks, predicted_paths
from utt_ros.settings import AreaSettings, WindowSettings

WINDOW = WindowSettings()
EXACT = BaselineSettings(range_offset=0.0, range_slope=0.0, range_std=0.3)


def without_camera_from(walk: SubjectTrajectory, tick: int) -> SubjectTrajectory:
    return replace(walk, camera_mask=np.arange(len(walk.stamps_ns)) < tick)


@pytest.mark.parametrize('ranges', [False, True])
def test_kalman_filter_tracks_and_predicts(
    area: AreaSettings, walk: SubjectTrajectory, ranges: bool,
) -> None:
    track = kalman_track(area, walk, WINDOW, EXACT, ranges=ranges)
    assert track_errors(track, walk)[30:].max() < 0.3
    future = walk.future_m(0.1, 10)
    selected = evaluated_ticks(track, walk, future)
    distance = np.linalg.norm(predicted_paths(track, 10)[selected] - future[selected], axis=2)
    assert distance[30:, 0].max() < 0.3
    assert distance[30:, -1].mean() < 0.7  # the circle bends away from a line


def test_covariance_grows_without_a_camera(area: AreaSettings, walk: SubjectTrajectory) -> None:
    track = kalman_track(area, without_camera_from(walk, 100), WINDOW, EXACT, ranges=False)
    variance = np.trace(track.covariance, axis1=1, axis2=2)
    assert (np.diff(variance[100:]) > 0).all()
    square, likelihood = track_likelihoods(track, walk)
    assert interval_metrics(square[:100], likelihood[:100])['coverage_90'] > 0.9


def test_ranges_reduce_the_error_without_a_camera(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    gone = without_camera_from(walk, 100)
    camera, both = (track_errors(kalman_track(area, gone, WINDOW, EXACT, ranges=ranges), walk)[-1]
                    for ranges in (False, True))
    assert both < camera


def test_single_outlying_box_hardly_moves_the_estimate(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    boxes = walk.camera.copy()
    boxes[150, 2] += 6.0
    track = kalman_track(area, replace(walk, camera=boxes), WINDOW, EXACT, ranges=False)
    assert track_errors(track, walk)[150] < 1.0
