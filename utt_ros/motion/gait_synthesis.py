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

"""Synthesis of periodic IMU: gait harmonics for synthesized phones, continued between ticks [D].

Rows are those of a tick; the last one is the newest.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from utt_ros.motion.gait import HARMONICS, INERTIAL_CHANNELS
from utt_ros.settings import WindowSettings
from utt_ros.types import Array, FloatArray

NOISE_CORRELATION_S = 0.056  # the residual's autocorrelation falls to 1/e; chosen on validation


@dataclass(frozen=True, slots=True)
class GaitState:
    """State of a subject's gait at a tick."""

    stamp_ns: int
    phase: float  # of the stride [rad]
    rms: FloatArray  # (6, HARMONICS + 1) of harmonics and residual [m/s^2, rad/s]
    residual: Array  # (6,) of unit variance
    rng: np.random.Generator  # per subject, so that subjects do not affect each other


def harmonics(phase: Array, cadence: FloatArray, rows: int, row_s: float) -> Array:
    """Compute stride harmonics (S, C, K) of unit RMS that end at `phase` (S,) [rad].

    `cadence` (S,) is the step frequency [Hz]; a stride is two steps.
    """
    age_s = row_s * np.arange(rows)[::-1]
    angles = phase[:, None] - np.pi * cadence[:, None] * age_s
    return np.asarray(np.sqrt(2.0) * np.cos(angles[..., None] * np.arange(1, HARMONICS + 1)))


def ar1_noise(last: Array, draw: Array, row_s: float) -> Array:
    """Continue AR(1) noise of unit variance from `last` (S, 6) by normal draws (S, C, 6).

    Association models trained on pure sinusoids would reject measured phones, so noise is added.
    """
    rows = draw.shape[1]
    keep = np.exp(-row_s / NOISE_CORRELATION_S)
    since = np.arange(rows)[:, None] - np.arange(rows)  # (C, C) rows since each draw
    mix = np.where(since >= 0, np.sqrt(1.0 - keep**2) * keep**np.maximum(since, 0), 0.0)
    return np.asarray(keep**np.arange(1, rows + 1)[:, None] * last[:, None] + mix @ draw)


class GaitSynthesizer:
    """Gaits of an area's subjects, independent of each other."""

    def __init__(self, window: WindowSettings) -> None:
        self._rows, self._period = window.imu_rows, window.period
        self.reset()

    def reset(self) -> None:
        """Forget all gaits."""
        self._gaits: dict[str, GaitState] = {}

    def synthesize(
        self, stamp_ns: int, subjects: tuple[str, ...], cadence: FloatArray, rms: FloatArray,
    ) -> FloatArray:
        """Synthesize rows (S, C, 6) to add at a tick; a subject absent from the last one restarts.

        `cadence` (S,) [Hz] applies since then, and strengths change linearly to `rms`
        (S, 6, HARMONICS + 1).
        """
        rows, row_s = self._rows, self._period / self._rows
        before = [self._gaits.get(name) or self._initial_gait(stamp_ns, name, rms[row])
                  for row, name in enumerate(subjects)]
        elapsed_s = np.array([stamp_ns - gait.stamp_ns for gait in before]) / 1e9
        phase = np.array([gait.phase for gait in before]) + np.pi * cadence * elapsed_s
        phase %= 2 * np.pi
        draw = np.array([gait.rng.standard_normal((rows, INERTIAL_CHANNELS)) for gait in before])
        residual = ar1_noise(np.array([gait.residual for gait in before]), draw, row_s)
        waves = harmonics(phase, cadence, rows, row_s)
        faded, grown = (
            waves @ strength[..., :-1].swapaxes(1, 2) + strength[:, None, :, -1] * residual
            for strength in (np.array([gait.rms for gait in before]), rms))
        share = (np.arange(1, rows + 1) / rows)[:, None]
        synthesized = (1.0 - share) * faded + share * grown
        self._gaits = {
            name: GaitState(stamp_ns, float(phase[row]), rms[row], residual[row, -1],
                            before[row].rng)
            for row, name in enumerate(subjects)}
        return np.asarray(synthesized, np.float32)

    def _initial_gait(self, stamp_ns: int, name: str, rms: FloatArray) -> GaitState:
        """Return a gait whose phase depends on the name: people do not march in step."""
        name_number = crc32(name.encode())
        return GaitState(
            stamp_ns - round(1e9 * self._period), 2 * np.pi * name_number / 2**32, rms,
            np.zeros(INERTIAL_CHANNELS), np.random.default_rng((name_number, abs(stamp_ns))))
