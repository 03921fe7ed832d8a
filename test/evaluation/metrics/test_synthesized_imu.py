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

"""Similarity of synthesized IMU, and the baseline that differentiates a path."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.evaluation.baselines.kalman import kalman_track
from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.evaluation.metrics.synthesized_imu import (
    differentiate_path,
    has_source,
    imu_similarity,
    mean_magnetic_field,
    step_frequency_errors,
)
from utt_ros.settings import AreaSettings, WindowSettings

WINDOW = WindowSettings()


def test_differentiated_circle_has_its_turn_rate_and_field(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    track = kalman_track(
        area, walk, WINDOW, BaselineSettings(acceleration=1.0), ranges=False)
    made = differentiate_path(track, area, WINDOW, mean_magnetic_field([walk]))[60:-10]
    real = walk.imu[60:-10]
    assert made[..., 5] == pytest.approx(real[..., 5], abs=0.15)  # 0.48 rad/s
    assert made[..., 2].mean() == pytest.approx(9.80665, abs=0.01)
    assert np.abs(made[..., 6:] - real[..., 6:]).max() < 1.2e-5  # of 2.5e-5 tesla
    assert made[..., 0].mean() == pytest.approx(-1.2**2 / 2.5, abs=0.2)  # to the left


def test_similarity_measures_error_and_correlation() -> None:
    rng = np.random.default_rng(0)
    real = rng.standard_normal((500, 9))
    found = imu_similarity(real + 2.0, real)
    assert found['rmse_gyro_z_radps'] == pytest.approx(2.0)
    assert found['pearson_gyro_z_radps'] == pytest.approx(1.0)
    assert np.isnan(imu_similarity(np.zeros((500, 9)), real)['pearson_mag_x_t'])


def test_step_frequencies_are_compared(walk: SubjectTrajectory) -> None:
    seconds = (np.arange(1500) / 50).reshape(300, 5)
    slower = walk.imu.copy()
    slower[..., 2] = 9.8 + np.sin(2 * np.pi * 1.6 * seconds)
    known = np.ones((300, 5), bool)
    assert step_frequency_errors(walk.imu, walk.imu, known, WINDOW).max() == 0.0
    found = step_frequency_errors(slower, walk.imu, known, WINDOW)
    assert len(found) == 6
    assert found == pytest.approx(np.full(6, 0.4), abs=0.06)


def test_rows_without_a_source_in_their_window_are_not_evaluated(walk: SubjectTrajectory) -> None:
    seen = np.zeros(300, bool)
    seen[100] = True
    lonely = replace(walk, camera_mask=seen, ftm_mask=np.zeros(300, bool))
    known = has_source(lonely, WINDOW).all(1)
    assert np.flatnonzero(known).tolist() == list(range(100, 130))
