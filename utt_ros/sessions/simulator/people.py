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

"""Simulated people and their phones, drawn once per area; docs/simulator.md, sections 3 and 4."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from utt_ros.types import Array


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """Gait of a person, pose of the phone in the hand, and errors of the phone."""

    speed_mps: float
    cadence_hz: float  # steps per second at 1 m/s
    leg_m: float
    arm_gain: float  # vertical motion of the hand relative to that of the body
    harmonics: Array  # (3,) phases of vertical, forward and sideways acceleration [rad]
    tilts: Array  # (3,) mean yaw offset, pitch, roll of the phone [rad]
    swings: Array  # (3,) amplitudes of yaw, pitch, roll within a stride [rad]
    imu_hz: float
    accel_bias: Array  # (3,) [m/s^2]
    gyro_bias: Array  # (3,) [rad/s]
    soft_iron: Array  # (3, 3)
    hard_iron: Array  # (3,) [T]
    range_offset_m: float


def random_person(rng: Generator) -> SimulatedPerson:
    return SimulatedPerson(
        speed_mps=float(np.clip(rng.normal(1.2, 0.15), 0.85, 1.5)),
        cadence_hz=float(rng.normal(1.57, 0.06)),
        leg_m=float(rng.normal(0.9, 0.04)),
        arm_gain=float(np.clip(rng.normal(1.8, 0.25), 1, 2.5)),
        harmonics=rng.uniform(-0.5, 0.5, 3),
        tilts=np.deg2rad(rng.normal([0, 5, 0], [7, 6, 3])),
        swings=np.abs(rng.normal([0.05, 0.07, 0.05], [0.015, 0.02, 0.015])),
        imu_hz=float(rng.choice([50, 100]) * rng.normal(1, 0.003)),
        accel_bias=rng.normal(0, 0.05, 3),
        gyro_bias=rng.normal(0, np.deg2rad(0.1), 3),
        soft_iron=np.eye(3) + rng.normal(0, 0.02, (3, 3)),
        hard_iron=rng.normal(0, 1.5e-6, 3),
        range_offset_m=float(rng.normal(-0.8, 0.3)))
