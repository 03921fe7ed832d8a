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

"""Particle filter of dead reckoning on exact measurements of a walk along a circle."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.association.dead_reckoning import count_steps_causal
from utt_ros.evaluation.baselines.pdr_particle_filter import pdr_track
from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.evaluation.metrics.position import track_errors
from utt_ros.geometry.compass import causal_tick_headings
from utt_ros.settings import AreaSettings, WindowSettings

WINDOW = WindowSettings()
EXACT = BaselineSettings(range_offset=0.0, range_slope=0.0, range_std=0.3, step_length=0.6,
                         step_noise=0.05, heading_std=0.05)


def without_camera_from(walk: SubjectTrajectory, tick: int) -> SubjectTrajectory:
    return replace(walk, camera_mask=np.arange(len(walk.stamps_ns)) < tick)


def test_steps_and_headings_follow_the_true_walk(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    assert count_steps_causal(walk.imu, 50.0).sum() == pytest.approx(60, abs=3)
    heading, valid = causal_tick_headings(
        walk.imu, walk.imu_mask, WINDOW.ticks, WINDOW.period / WINDOW.imu_rows, area.magnetic_yaw)
    error = np.angle(np.exp(1j * (heading - np.interp(
        walk.stamps_ns, walk.truth.stamps_ns, walk.truth.headings_rad))))
    assert valid[30:].all()
    assert np.abs(error[30:]).max() < 0.1


def test_standing_subject_takes_no_step(walk: SubjectTrajectory) -> None:
    still = np.tile(walk.imu.mean((0, 1)), (100, 5, 1))
    assert not count_steps_causal(still, 50.0).any()


def test_particles_follow_the_walk_without_a_camera(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    track = pdr_track(area, without_camera_from(walk, 20), WINDOW, EXACT)
    assert track_errors(track, walk)[20:].mean() < 1.0
    never = pdr_track(area, without_camera_from(walk, 0), WINDOW, EXACT)
    assert np.isnan(never.position).all()


def test_known_start_is_used_once(area: AreaSettings, walk: SubjectTrajectory) -> None:
    repeated = pdr_track(area, walk, WINDOW, EXACT, resets=True)
    once = pdr_track(area, walk, WINDOW, EXACT, resets=False)
    assert track_errors(repeated, walk).max() < 0.3
    assert track_errors(once, walk)[-1] > track_errors(repeated, walk)[-1]
