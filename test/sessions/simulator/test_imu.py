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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.geometry.compass import compass_heading
from utt_ros.sessions.simulator.imu import simulate_imu, to_phone_frame
from utt_ros.sessions.simulator.magnetic_field import SimulatedField, random_field
from utt_ros.sessions.simulator.people import SimulatedPerson, random_person
from utt_ros.sessions.simulator.trajectories import GRID_HZ, SimulatedWalk, simulate_walk
from utt_ros.types import GRAVITY_MPS2

YAW = 0.8  # magnetic_yaw


@pytest.fixture
def walker(rng: np.random.Generator) -> SimulatedPerson:
    """Somebody whose phone has no lasting errors and points ahead."""
    return replace(
        random_person(rng), tilts=np.zeros(3), accel_bias=np.zeros(3), gyro_bias=np.zeros(3),
        soft_iron=np.eye(3), hard_iron=np.zeros(3), imu_hz=100.0)


@pytest.fixture
def earth(rng: np.random.Generator) -> SimulatedField:
    return replace(random_field(rng, YAW), strengths_t=np.zeros((20, 3)))


def straight(speed_mps: float, heading_rad: float, seconds: float = 20.0) -> SimulatedWalk:
    times = np.arange(round(seconds * GRID_HZ) + 1) / GRID_HZ
    direction = np.array([np.cos(heading_rad), np.sin(heading_rad)])
    position = speed_mps * times[:, None] * direction
    return SimulatedWalk(times, position, np.full(len(times), heading_rad))


def test_a_phone_at_rest_measures_gravity_upwards_and_no_rotation(
        rng: np.random.Generator, walker: SimulatedPerson, earth: SimulatedField) -> None:
    _, imu, _, _ = simulate_imu(rng, walker, straight(0, 0.3), earth)
    assert imu[:, :3].mean(axis=0) == pytest.approx([0, 0, GRAVITY_MPS2], abs=0.3)
    assert np.linalg.norm(imu[:, :3], axis=1).std() < 0.05
    assert np.abs(imu[:, 3:]).max() < 0.15


@pytest.mark.parametrize('speed_mps', [0.9, 1.5])
def test_step_frequency_is_the_cadence_of_the_speed(
        speed_mps: float, rng: np.random.Generator, walker: SimulatedPerson,
        earth: SimulatedField) -> None:
    times, imu, _, _ = simulate_imu(rng, walker, straight(speed_mps, 0, 60.0), earth)
    norm = np.linalg.norm(imu[:, :3], axis=1)
    spectrum = np.abs(np.fft.rfft(norm - norm.mean(), 1 << 15))
    found = np.fft.rfftfreq(1 << 15, np.diff(times).mean())[spectrum.argmax()]
    assert found == pytest.approx(walker.cadence_hz * speed_mps**0.58, rel=0.05)


def test_faster_walking_bounces_more(
        rng: np.random.Generator, walker: SimulatedPerson, earth: SimulatedField) -> None:
    bounce = [simulate_imu(rng, walker, straight(speed, 0), earth)[1][:, 2].std()
              for speed in (0.8, 1.1, 1.4)]
    assert bounce == sorted(bounce)
    assert 1 < bounce[0] < bounce[2] < 7


def test_angular_velocity_about_the_vertical_integrates_to_the_turns_of_the_walk(
        rng: np.random.Generator, walker: SimulatedPerson, earth: SimulatedField) -> None:
    for seed in range(5):
        walked = simulate_walk(np.random.default_rng(seed), 1.2, np.array([[16.0, 0.0]]), 40.0)
        times, imu, _, _ = simulate_imu(rng, walker, walked, earth)
        up = imu[:, :3] / np.linalg.norm(imu[:, :3], axis=1)[:, None]
        smooth = np.stack([np.convolve(axis, np.ones(101) / 101, 'same') for axis in up.T], 1)
        smooth /= np.linalg.norm(smooth, axis=1)[:, None]
        turned = np.cumsum((imu[:, 3:] * smooth).sum(axis=1) * np.gradient(times))
        expected = walked.at(times).heading_rad
        error = (turned - turned[200]) - (expected - expected[200])
        assert np.abs(error[200:-200]).max() < np.deg2rad(20)


@pytest.mark.parametrize('heading_rad', [-2.5, 0.0, 1.0, 3.0])
def test_the_compass_of_a_straight_walk_shows_its_heading(
        heading_rad: float, rng: np.random.Generator, walker: SimulatedPerson,
        earth: SimulatedField) -> None:
    walked = straight(1.2, heading_rad)
    times, imu, mag_times, mag = simulate_imu(rng, walker, walked, earth)
    rows = 5 + np.arange(150) / 50
    columns = [np.interp(rows, times, axis) for axis in imu.T]
    columns += [np.interp(rows, mag_times, axis) for axis in mag.T]
    window = np.stack(columns, axis=1)[None].astype(np.float32)
    found, valid = compass_heading(window, np.ones((1, 150), bool), 0.02, YAW)
    assert valid.all()
    assert abs(np.angle(np.exp(1j * (found[0] - heading_rad)))) < np.deg2rad(10)


def test_rotation_to_the_phone_frame_keeps_lengths_and_maps_the_heading_to_y() -> None:
    angles = np.array([[0.7, 0.0, 0.0], [0.7, 0.3, -0.2]])
    ahead = np.array([[np.cos(0.7), np.sin(0.7), 0.0]] * 2)
    turned = to_phone_frame(angles, ahead)
    assert turned[0] == pytest.approx([0, 1, 0], abs=1e-12)
    assert np.linalg.norm(turned, axis=1) == pytest.approx([1, 1])
    up = to_phone_frame(angles, np.array([[0.0, 0.0, 1.0]] * 2))
    assert up[0] == pytest.approx([0, 0, 1], abs=1e-12)
    assert up[1, 1] == pytest.approx(np.sin(0.3))  # pitched up: y rises


def test_samples_jitter_but_never_go_back(
        rng: np.random.Generator, walker: SimulatedPerson, earth: SimulatedField) -> None:
    times, _, mag_times, _ = simulate_imu(rng, walker, straight(1.2, 0), earth)
    for stamps, rate in ((times, 100), (mag_times, 50)):
        steps = np.diff(stamps)
        assert steps.min() > 0.3 / rate
        assert steps.mean() == pytest.approx(1 / rate, rel=0.01)
        assert 0.0005 < steps.std() < 0.003
