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

"""The walkers of the load: in view, at walking speed, with consistent measurements."""

import numpy as np

from utt_ros.evaluation.benchmarks.circling_walkers import LOOP_SEC, CirclingWalkers
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import compass_heading, wrap_angle
from utt_ros.settings import AreaSettings

AREA = AreaSettings(area='bench')


def test_walkers_stay_in_view_at_walking_speed() -> None:
    seconds = np.arange(0.0, LOOP_SEC, 0.1)
    positions = CirclingWalkers(20).positions(seconds)
    assert CameraModel(AREA).in_view(positions).all()
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1) / 0.1
    assert speed.min() > 0.9
    assert speed.max() < 1.5


def test_boxes_are_projections_of_the_positions() -> None:
    seconds = np.arange(0.0, LOOP_SEC, 0.5)
    walkers = CirclingWalkers(20)
    found = CameraModel(AREA).back_project(walkers.boxes(seconds, AREA))
    assert np.allclose(found, walkers.positions(seconds), atol=1e-9)


def test_compass_of_the_phones_points_in_walking_direction() -> None:
    walkers = CirclingWalkers(20)
    seconds = np.arange(0.0, 3.0, 0.02)
    imu = np.concatenate(
        [walkers.accelerations(seconds), walkers.rates(seconds), walkers.fields(seconds)], axis=-1)
    heading, valid = compass_heading(
        imu.transpose(1, 0, 2).astype(np.float32), np.ones((20, len(seconds)), bool), 0.02,
        AREA.magnetic_yaw)
    step = np.diff(walkers.positions(seconds[-2:]), axis=0)[0]
    assert valid.all()
    assert np.abs(wrap_angle(heading - np.arctan2(step[:, 1], step[:, 0]))).max() < 0.15


def test_specific_force_is_gravity_plus_a_gait() -> None:
    force = CirclingWalkers(20).accelerations(np.arange(0.0, LOOP_SEC, 0.01))
    assert np.allclose(force[..., 2].mean(axis=0), 9.81, atol=0.05)
    spectrum = np.abs(np.fft.rfft(force[..., 2] - 9.81, axis=0))
    step_hz = spectrum.argmax(axis=0) / LOOP_SEC
    assert step_hz.min() > 1.5
    assert step_hz.max() < 2.5
