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

"""Position errors and intervals, by numbers computed by hand."""

import numpy as np
import pytest

from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.evaluation.metrics.position import (
    camera_conditions,
    error_quantiles,
    interval_metrics,
    track_errors,
    track_likelihoods,
)


def off_by(walk: SubjectTrajectory, metres: float, deviation: float) -> TrackEstimate:
    position = (walk.truth_m() + np.array([metres, 0.0])).astype(np.float32)
    covariance = np.tile(deviation**2 * np.eye(2, dtype=np.float32), (len(position), 1, 1))
    return TrackEstimate(position, covariance)


def test_errors_and_their_quantiles(walk: SubjectTrajectory) -> None:
    error = track_errors(off_by(walk, 0.5, 1.0), walk)
    assert error_quantiles(error) == pytest.approx(
        {'mean_m': 0.5, 'median_m': 0.5, 'p90_m': 0.5}, abs=1e-4)
    assert np.isnan(error_quantiles(np.full(3, np.nan))['mean_m'])


def test_error_of_two_deviations_lies_inside_and_of_three_outside(
    walk: SubjectTrajectory,
) -> None:
    for metres, inside in ((2.0, 1.0), (3.0, 0.0)):
        found = interval_metrics(*track_likelihoods(off_by(walk, metres, 1.0), walk))
        assert found['coverage_90'] == inside
        assert found['nll'] == pytest.approx(np.log(2 * np.pi) + metres**2 / 2, abs=1e-3)


def test_normal_errors_have_a_coverage_of_90_percent(walk: SubjectTrajectory) -> None:
    rng = np.random.default_rng(3)
    track = off_by(walk, 0.0, 0.7)
    track.position[:] += 0.7 * rng.standard_normal(track.position.shape)
    found = interval_metrics(*track_likelihoods(track, walk))
    assert found['coverage_90'] == pytest.approx(0.9, abs=0.05)


def test_track_without_estimates_has_no_metrics(walk: SubjectTrajectory) -> None:
    track = off_by(walk, 0.0, 1.0)
    track.position[:] = np.nan
    assert np.isnan(track_likelihoods(track, walk)[0]).all()
    assert np.isnan(interval_metrics(*track_likelihoods(track, walk))['nll'])


def test_conditions_split_by_the_age_of_the_camera() -> None:
    found = camera_conditions(np.array([0.0, 0.5, 0.6, np.inf]))
    assert {name: rows.tolist() for name, rows in found.items()} == {
        'camera': [True, True, False, False], 'camera_gone': [False, False, True, False],
        'camera_never': [False, False, False, True], 'no_camera': [False, False, True, True]}
