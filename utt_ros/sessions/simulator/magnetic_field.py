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

"""Simulated magnetic field in a building: docs/simulator.md, section 4."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from utt_ros.sessions.simulator.trajectories import random_positions
from utt_ros.types import Array

EARTH_FIELD_T = 48e-6
DIP_RAD = np.deg2rad(60)
BUMPS = 20
BUMP_T = 3.5e-6
BUMP_M = (1.0, 2.5)


@dataclass(frozen=True, slots=True)
class SimulatedField:
    """Earth's field plus smooth bumps at fixed positions."""

    earth_t: Array  # (3,) area frame
    centres_m: Array  # (K, 2)
    widths_m: Array  # (K,)
    strengths_t: Array  # (K, 3)

    def at(self, position_m: Array) -> Array:
        """Evaluate the field (N, 3) [T] in the area frame at positions (N, 2)."""
        distance = np.linalg.norm(position_m[:, None] - self.centres_m, axis=2)
        return np.asarray(
            self.earth_t + np.exp(-0.5 * (distance / self.widths_m)**2) @ self.strengths_t)


def random_field(rng: Generator, magnetic_yaw: float) -> SimulatedField:
    """Draw the field of an area whose x axis is `magnetic_yaw` from magnetic east."""
    north = np.pi / 2 - magnetic_yaw
    earth = EARTH_FIELD_T * np.array([
        np.cos(DIP_RAD) * np.cos(north), np.cos(DIP_RAD) * np.sin(north), -np.sin(DIP_RAD)])
    return SimulatedField(
        earth_t=earth,
        centres_m=random_positions(rng, BUMPS),
        widths_m=rng.uniform(*BUMP_M, BUMPS),
        strengths_t=rng.normal(0, BUMP_T, (BUMPS, 3)))
