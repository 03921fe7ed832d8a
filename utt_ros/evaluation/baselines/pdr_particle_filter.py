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

"""Particle filter of pedestrian dead reckoning (steps and headings) and FTM ranges.

An independent implementation beside the live `twin.particle_filter`: one subject at a time.
"""

from hashlib import sha256

import numpy as np

from utt_ros.association.dead_reckoning import count_steps_causal
from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import causal_tick_headings
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import Array

JITTER_M, JITTER_SHARE = 0.2, 0.2  # after resampling: of positions; of heading and step errors
MIN_EFFECTIVE_SHARE = 0.5  # share of effective particles below which they are resampled


def pdr_track(
    area: AreaSettings, walk: SubjectTrajectory, window: WindowSettings,
    settings: BaselineSettings, *, resets: bool = True,
) -> TrackEstimate:
    """Estimate positions from steps along the compass, weighted by FTM ranges.

    [S: Arulampalam et al. 2002]. Starts at the first box; with `resets` it restarts at every box.
    Each particle has an own error of the compass and of the step length.
    """
    imu_hz = window.imu_rows / window.period
    steps = count_steps_causal(walk.imu, imu_hz)
    heading, valid = causal_tick_headings(
        walk.imu, walk.imu_mask, window.ticks, 1 / imu_hz, area.magnetic_yaw)
    with np.errstate(invalid='ignore', divide='ignore'):
        measured, noise = CameraModel(area).locate(walk.camera)
    usable = walk.camera_mask & np.isfinite(measured).all(1)
    particles: _Particles | None = None
    position = np.full((len(steps), 2), np.nan, np.float32)
    covariance = np.full((len(steps), 2, 2), np.nan, np.float32)
    for row in range(len(steps)):
        if particles is None and usable[row]:
            particles = _Particles(area, settings, walk.subject)
            particles.restart(measured[row], noise[row])
        elif particles is not None:
            if valid[row]:
                particles.predict(float(steps[row]), float(heading[row]))
            if usable[row] and resets:
                particles.restart(measured[row], noise[row])
            elif walk.ftm_mask[row]:
                particles.update_range(float(walk.ftm[row, 0]))
        if particles is not None:
            position[row], covariance[row] = particles.estimate()
    return TrackEstimate(position, covariance)


class _Particles:
    """Positions and errors of particles, with a seed from the name of the subject."""

    def __init__(self, area: AreaSettings, settings: BaselineSettings, name: str) -> None:
        self._settings, count = settings, settings.particles
        seed = int.from_bytes(sha256(name.encode()).digest()[:8], 'big')
        self._random = np.random.default_rng(seed)
        self._ap = np.asarray(area.ap_position[:2])
        self._rise = area.ap_position[2] - area.phone_height
        self._at: Array = np.zeros((count, 2))
        self._turn: Array = np.zeros(count)
        self._stretch: Array = np.ones(count)
        self._weights: Array = np.full(count, 1 / count)

    def restart(self, centre: Array, covariance: Array) -> None:
        settings, count = self._settings, len(self._at)
        self._at = self._random.multivariate_normal(centre, covariance, count)
        self._turn = settings.heading_std * self._random.standard_normal(count)
        self._stretch = 1 + settings.step_noise * self._random.standard_normal(count)
        self._weights[:] = 1 / count

    def predict(self, steps: float, heading: float) -> None:
        if not steps:
            return
        settings = self._settings
        noise = self._random.standard_normal((2, len(self._at)))
        angle = heading + self._turn + 0.5 * settings.heading_std * noise[0]
        length = steps * settings.step_length * (self._stretch + settings.step_noise * noise[1])
        self._at += length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def update_range(self, measured: float) -> None:
        settings = self._settings
        slant = np.sqrt(((self._at - self._ap)**2).sum(1) + self._rise**2)
        error = measured - settings.range_offset - (1 + settings.range_slope) * slant
        # Student's t with 4 degrees of freedom
        self._weights *= 1 / (1 + (error / settings.range_std)**2 / 4)**2.5
        self._weights /= self._weights.sum()
        if 1 / (self._weights**2).sum() < MIN_EFFECTIVE_SHARE * len(self._weights):
            self._resample()

    def estimate(self) -> tuple[Array, Array]:
        mean = self._weights @ self._at
        off = self._at - mean
        return mean, (off * self._weights[:, None]).T @ off

    def _resample(self) -> None:
        count = len(self._weights)
        at = (np.arange(count) + self._random.random()) / count
        chosen = np.searchsorted(np.cumsum(self._weights), at).clip(max=count - 1)
        self._at = self._at[chosen] + JITTER_M * self._random.standard_normal((count, 2))
        shake = JITTER_SHARE * self._random.standard_normal((2, count))
        self._turn = self._turn[chosen] + self._settings.heading_std * shake[0]
        self._stretch = self._stretch[chosen] + self._settings.step_noise * shake[1]
        self._weights[:] = 1 / count
