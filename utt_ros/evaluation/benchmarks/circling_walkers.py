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

"""Walkers on circles in view of a camera, and the measurements of their phones.

The simulator is not used here: its people leave the view and its sessions end, whereas a load
needs a prediction per phone and tick, and repeats after LOOP_SEC. Measurements are plausible
rather than realistic: encoders, compass and particle filter have their usual work.
"""

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import GRAVITY_MPS2, Array

_Seconds = npt.NDArray[np.floating]  # (K,)

LOOP_SEC = 12
LAPS = (1, 2)  # circles per loop
SPEED_MPS = (1.0, 1.4)
STEPS = (21, 25)  # per loop: 1.75 to 2.1 Hz
FIELD_T = (22e-6, -42e-6)  # horizontal to magnetic north, vertical
FIRST_ROW_M, ROW_M, SIDE_M = 6.0, 1.2, 1.2
PER_ROW = 4


class CirclingWalkers:
    """One person per phone; each phone lies flat in the hand, y axis forward, z axis up."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)
        number = np.arange(count)
        self._turns = np.where(number % 2, 1, -1) * np.take(LAPS, number // 2 % 2)
        self._speed = self._rng.uniform(*SPEED_MPS, count)
        self._radius = self._speed / np.abs(self._rate())
        self._centre = np.stack([
            FIRST_ROW_M + ROW_M * (number // PER_ROW),
            SIDE_M * (number % PER_ROW - (PER_ROW - 1) / 2)], axis=1)
        self._begin = self._rng.uniform(-np.pi, np.pi, count)
        self._steps = self._rng.integers(*STEPS, count)

    def positions(self, seconds: _Seconds) -> Array:
        """Positions (K, P, 2) [m] in the area frame."""
        angle = self._angle(seconds)[..., None]
        circle = np.concatenate([np.cos(angle), np.sin(angle)], axis=-1)
        return np.asarray(self._centre + self._radius[:, None] * circle)

    def boxes(self, seconds: _Seconds, area: AreaSettings) -> Array:
        """Boxes (K, P, 5) [CAMERA_CHANNELS]."""
        return CameraModel(area).project(self.positions(seconds))

    def ranges(self, seconds: _Seconds, area: AreaSettings) -> Array:
        """Ranges (K, P) [m] from phone to access point, with 0.3 m of noise."""
        offset = self.positions(seconds) - np.array(area.ap_position[:2])
        height = area.ap_position[2] - area.phone_height
        distance = np.sqrt((offset**2).sum(-1) + height**2)
        return np.asarray(distance + self._rng.normal(0.0, 0.3, distance.shape))

    def accelerations(self, seconds: _Seconds) -> Array:
        """Specific force (K, P, 3) [m/s^2] in the phone frame: bounce, sway and centripetal."""
        step = 2 * np.pi * self._steps * seconds[:, None] / LOOP_SEC
        left = self._speed * self._rate()
        force = np.stack([
            0.4 * np.sin(step / 2) - left,
            1.0 * np.sin(step + 1.0),
            GRAVITY_MPS2 + 2.5 * np.sin(step) + 0.8 * np.sin(2 * step)], axis=-1)
        return np.asarray(force + self._rng.normal(0.0, 0.05, force.shape))

    def rates(self, seconds: _Seconds) -> Array:
        """Angular velocity (K, P, 3) [rad/s] in the phone frame."""
        rate = self._rng.normal(0.0, 0.01, (len(seconds), len(self._turns), 3))
        rate[..., 2] += self._rate()
        return rate

    def fields(self, seconds: _Seconds) -> Array:
        """Magnetic field (K, P, 3) [T] in the phone frame; the area's x axis points east."""
        heading = self._angle(seconds) + np.sign(self._turns) * np.pi / 2
        flat, vertical = FIELD_T
        field = np.stack(
            [-flat * np.cos(heading), flat * np.sin(heading), np.full(heading.shape, vertical)],
            axis=-1)
        return np.asarray(field + self._rng.normal(0.0, 0.5e-6, field.shape))

    def _rate(self) -> Array:
        return np.asarray(2 * np.pi * self._turns / LOOP_SEC)

    def _angle(self, seconds: _Seconds) -> Array:
        return np.asarray(self._begin + self._rate() * seconds[:, None])
