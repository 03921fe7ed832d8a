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

"""Simulated IMU of a phone in the hand of a walker: docs/simulator.md, sections 3 and 4.

The phone lies roughly flat in the hand, y ahead, x to the right, z up. Its axes in the area frame
are R = Rz(yaw - 90 deg) Rx(pitch) Ry(roll), and all measurements follow from R: the accelerometer
measures R^T (a + g up), the gyroscope the rates of R, the magnetometer R^T field. So the three are
consistent with each other and with the walk.
"""

import numpy as np
from numpy.random import Generator

from utt_ros.sessions.simulator.magnetic_field import SimulatedField
from utt_ros.sessions.simulator.people import SimulatedPerson
from utt_ros.sessions.simulator.trajectories import (
    GRID_HZ,
    SimulatedWalk,
    WalkSamples,
    smooth_noise,
)
from utt_ros.types import GRAVITY_MPS2, Array

CADENCE_EXPONENT = 0.58
STEP_CORRECTION = 1.25
CADENCE_NOISE, CADENCE_NOISE_S = 0.03, 1.0
BOUNCE = (1.0, 0.35, 0.15)  # harmonics of the step in vertical acceleration
FORWARD, SIDEWAYS = 0.15, 0.12  # of the vertical amplitude
DRIFT_RAD, DRIFT_S = np.deg2rad(2.5), 3.0  # of the hand
SAMPLE_JITTER_S = 0.001
MAG_HZ = 50.0
ACCEL_DENSITY = 180e-6 * GRAVITY_MPS2  # [m/s^2/sqrt(Hz)]
GYRO_DENSITY = np.deg2rad(0.007)  # [rad/s/sqrt(Hz)]
ACCEL_WALK, GYRO_WALK = 1e-3, np.deg2rad(0.003)  # per sqrt(s)
MAG_NOISE_T = 0.5e-6


def simulate_imu(
        rng: Generator, person: SimulatedPerson, walk: SimulatedWalk, field: SimulatedField,
) -> tuple[Array, Array, Array, Array]:
    """Return times (B,) [s], accel and gyro (B, 6), times (C,), mag (C, 3) with all errors.

    Phone frame; m/s^2, rad/s, T.
    """
    samples = walk.at(walk.times_s)
    phase, lift = _step_cycle(rng, person, samples)
    angles = _angles(rng, person, samples, phase)
    accel, gyro = _true_imu(person, samples, phase, lift, angles)
    mag = to_phone_frame(angles, field.at(samples.position_m))
    times = _times(rng, walk, person.imu_hz)
    mag_times = _times(rng, walk, MAG_HZ)
    clean = np.concatenate([accel, gyro], axis=1)
    measured = _resample(walk.times_s, clean, times) + _errors(rng, person, len(times))
    magnetic = _resample(walk.times_s, mag, mag_times) @ person.soft_iron.T + person.hard_iron
    return times, measured, mag_times, magnetic + rng.normal(0, MAG_NOISE_T, magnetic.shape)


def to_phone_frame(angles: Array, vectors: Array) -> Array:
    """Rotate vectors (N, 3) of the area frame to that of a phone with angles (N, 3): R^T v."""
    yaw, pitch, roll = angles.T
    x, y, z = vectors.T
    x, y = x * np.sin(yaw) - y * np.cos(yaw), x * np.cos(yaw) + y * np.sin(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    x, z = x * np.cos(roll) - z * np.sin(roll), z * np.cos(roll) + x * np.sin(roll)
    return np.stack([x, y, z], axis=1)


def _step_cycle(
    rng: Generator, person: SimulatedPerson, samples: WalkSamples,
) -> tuple[Array, Array]:
    """Phase of the step [rad] and vertical acceleration amplitude [m/s^2], both (N,).

    Cadence = c v^0.58; the body rises h = l - sqrt(l^2 - (s / 2.5)^2) per step of length s.
    """
    speed = samples.speed_mps
    steadiness = 1 + CADENCE_NOISE * smooth_noise(rng, speed.shape, CADENCE_NOISE_S)
    cadence = person.cadence_hz * speed**CADENCE_EXPONENT
    phase = 2 * np.pi * (rng.random() + np.cumsum(cadence * steadiness) / GRID_HZ)
    step = np.divide(speed, cadence, out=np.zeros_like(speed), where=cadence > 0)
    half = step / (2 * STEP_CORRECTION)
    rise = person.leg_m - np.sqrt(person.leg_m**2 - half**2)
    return phase, person.arm_gain * rise / 2 * (2 * np.pi * cadence)**2


def _angles(rng: Generator, person: SimulatedPerson, samples: WalkSamples, phase: Array) -> Array:
    """Yaw, pitch and roll of the phone (N, 3) [rad]: heading, habit, swing, drift."""
    swing = np.stack([np.sin(phase / 2), np.sin(phase + 1), np.cos(phase / 2)], axis=1)
    strength = np.minimum(samples.speed_mps, 1)[:, None]
    drift = DRIFT_RAD * smooth_noise(rng, swing.shape, DRIFT_S)
    angles = person.tilts + person.swings * swing * strength + drift
    angles[:, 0] += samples.heading_rad
    return np.asarray(angles)


def _true_imu(
        person: SimulatedPerson, samples: WalkSamples, phase: Array, lift: Array, angles: Array,
) -> tuple[Array, Array]:
    """Specific force (N, 3) and angular velocity (N, 3) in the phone frame, without errors."""
    up, forward, sideways = person.harmonics
    bounce = sum(size * np.cos(k * phase + up * (k - 1))
                 for k, size in enumerate(BOUNCE, start=1))
    push = FORWARD * (np.sin(phase + forward) + 0.5 * np.sin(2 * phase))
    sway = SIDEWAYS * (np.sin(phase / 2 + sideways) + 0.5 * np.sin(1.5 * phase))
    cos, sin = np.cos(samples.heading_rad), np.sin(samples.heading_rad)
    force = np.stack([
        samples.acceleration_mps2[:, 0] + lift * (push * cos - sway * sin),
        samples.acceleration_mps2[:, 1] + lift * (push * sin + sway * cos),
        GRAVITY_MPS2 + lift * bounce], axis=1)
    yaw_rate, pitch_rate, roll_rate = np.gradient(angles, 1 / GRID_HZ, axis=0).T
    _, pitch, roll = angles.T
    gyro = np.stack([
        pitch_rate * np.cos(roll) - yaw_rate * np.cos(pitch) * np.sin(roll),
        roll_rate + yaw_rate * np.sin(pitch),
        pitch_rate * np.sin(roll) + yaw_rate * np.cos(pitch) * np.cos(roll)], axis=1)
    return to_phone_frame(angles, force), gyro


def _times(rng: Generator, walk: SimulatedWalk, rate_hz: float) -> Array:
    """Increasing sampling times (N,) [s] within the walk, with jitter."""
    regular = np.arange(walk.times_s[0] + rng.random() / rate_hz, walk.times_s[-1], 1 / rate_hz)
    limit = 0.3 / rate_hz
    jitter = np.clip(rng.normal(0, SAMPLE_JITTER_S, len(regular)), -limit, limit)
    return np.clip(regular + jitter, walk.times_s[0], walk.times_s[-1])


def _resample(grid_s: Array, values: Array, times_s: Array) -> Array:
    return np.stack([np.interp(times_s, grid_s, column) for column in values.T], axis=1)


def _errors(rng: Generator, person: SimulatedPerson, count: int) -> Array:
    """Bias, its random walk and white noise of accelerometer and gyroscope (N, 6)."""
    white = np.repeat([ACCEL_DENSITY, GYRO_DENSITY], 3) * np.sqrt(person.imu_hz / 2)
    random_walk = np.repeat([ACCEL_WALK, GYRO_WALK], 3) / np.sqrt(person.imu_hz)
    bias = np.concatenate([person.accel_bias, person.gyro_bias])
    steps = rng.normal(size=(2, count, 6))
    return np.asarray(bias + np.cumsum(random_walk * steps[0], axis=0) + white * steps[1])
