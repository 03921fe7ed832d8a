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

"""Ensembles of all subjects of an area: their particles, and how an ensemble begins.

Arrays have a row for each subject that there can be.
"""

import numpy as np

from utt_ros.twin.ensemble import (
    effective_sample_size,
    ensemble_mean,
    mean_directions,
    position_covariance,
    systematic_resample,
)
from utt_ros.twin.ftm_model import FtmRangeModel
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import (
    STATE_SIZE,
    SubjectBelief,
    draw_ensemble,
    summarize_ensemble,
)
from utt_ros.twin.subject_slots import subject_generator
from utt_ros.twin.visibility import OCCLUSION_PROBABILITY
from utt_ros.types import Array, ComplexArray, FloatArray, Indices

# position [m], velocity [m/s], compass error [rad], bias of ranges to the first access point [m],
# probability of occlusion, biases of ranges to further access points [m]
X, Y, VX, VY, COMPASS, BIAS, OCCLUDED, FURTHER_BIAS = range(8)
NOISES = 3  # of a particle at a tick: compass, and both axes of the velocity
MIN_EFFECTIVE_PARTICLE_SHARE = 0.5  # of the particles; an ensemble with less is resampled
RING_STD_M = 0.5  # radial deviation of a new ensemble about its first range
SURE_VARIANCE_M2 = 9.0  # of x and y together: less is sure, and worth handing over


class SubjectEnsembles:
    """Particles of R subjects with P particles each, and ranges to A access points."""

    def __init__(self, settings: ParticleFilterSettings, access_points: int) -> None:
        rows, particles = settings.max_subjects, settings.particles
        self.settings = settings
        self.biases = (BIAS, *range(FURTHER_BIAS, FURTHER_BIAS + access_points - 1))
        self.states = np.zeros((rows, OCCLUDED + access_points, particles), np.float32)
        self.weights = np.full((rows, particles), 1 / particles, np.float32)
        self.bias_variance = np.zeros((rows, access_points), np.float32)  # [m^2]
        self.reference = np.zeros((rows, 3), np.float32)  # heading, velocity of the last prior
        self.known, self.guided = np.zeros(rows, bool), np.zeros(rows, bool)
        self.sure = np.zeros(rows, bool)
        self.contradictions = np.zeros(rows, np.intp)  # by boxes in a row
        self._random = [subject_generator('', row) for row in range(rows)]
        self._noise = np.empty((rows, NOISES, particles), np.float32)  # of the next tick
        self._is_drawn = np.zeros(rows, bool)  # of rows of `_noise`

    def reset(self, row: int, name: str, epoch: int) -> None:
        """Forget a subject: another one takes the row."""
        self._random[row], self._is_drawn[row] = subject_generator(name, epoch), False
        self.known[row] = self.guided[row] = self.sure[row] = False
        self.contradictions[row] = 0

    def draw_noise(self, rows: Indices) -> None:
        """Draw the normal numbers of the next tick, unless they are drawn.

        They are the first numbers of a subject at a tick, so drawing them early changes none.
        """
        for row in rows[~self._is_drawn[rows]].tolist():
            self._random[row].standard_normal(dtype=np.float32, out=self._noise[row])
        self._is_drawn[rows] = True

    def take_noise(self, rows: Indices) -> FloatArray:
        """Return the normal numbers (S, NOISES, P) of subjects for this tick."""
        self.draw_noise(rows)
        self._is_drawn[rows] = False
        return self._noise[rows]

    def moments(self, rows: Indices) -> tuple[FloatArray, FloatArray]:
        """Compute means (S, D) and covariances of positions (S, 2, 2)."""
        states, weights = self.states[rows], self.weights[rows]
        mean = ensemble_mean(states, weights)
        return mean, position_covariance(states, weights, mean)

    def courses(self, rows: Indices) -> ComplexArray:
        """Compute `mean_directions` (2, S) of subjects; 0 where the position is not known."""
        return self.known[rows] * mean_directions(
            self.states[rows, VX:VY + 1], self.weights[rows])

    def belief(self, row: int) -> SubjectBelief:
        """Summarize an ensemble, and the motion prior that moved it last."""
        return summarize_ensemble(
            self.states[row], self.weights[row],
            self.reference[row].astype(np.float64) if self.guided[row] else None)

    def multiply_weights(self, rows: Indices, likelihood: FloatArray) -> None:
        weights = self.weights[rows] * likelihood
        self.weights[rows] = weights / weights.sum(1, keepdims=True)

    def resample_depleted(self, rows: Indices) -> None:
        """Resample the ensembles in which few particles carry the weight."""
        size = effective_sample_size(self.weights[rows])
        rows = rows[size < MIN_EFFECTIVE_PARTICLE_SHARE * self.settings.particles]
        if rows.size:
            offsets = np.array([self._random[row].random() for row in rows])
            self.states[rows] = systematic_resample(
                self.states[rows], self.weights[rows], offsets)
            self.weights[rows] = 1 / self.settings.particles

    def place(self, row: int, centre: Array, covariance: Array) -> None:
        """Start an ensemble about a position (2,) [m]."""
        draw = self._draw(row)
        self.states[row, :2] = centre[:, None] + np.linalg.cholesky(covariance) @ draw[:2]

    def place_on_ring(
            self, row: int, number: int, model: FtmRangeModel, measured: float) -> None:
        """Start an ensemble on a ring about an access point: a range has no bearing."""
        draw, count = self._draw(row), self.settings.particles
        bias = self.settings.range_bias_std * draw[0]
        radius = model.floor_distance(measured - bias + RING_STD_M * draw[1])
        bearing = 2 * np.pi * (np.arange(count) + self._random[row].random()) / count
        ring = radius * np.stack([np.cos(bearing), np.sin(bearing)])
        self.states[row, :2] = model.position[:, None] + ring
        self.states[row, self.biases[number]] = bias
        self.bias_variance[row, number] = RING_STD_M**2

    def place_belief(self, row: int, belief: SubjectBelief) -> None:
        """Start an ensemble with a belief, and the motion prior that moved it last."""
        self._draw(row)
        self.states[row, :STATE_SIZE] = draw_ensemble(
            belief, self._random[row].standard_normal((STATE_SIZE, self.settings.particles)))
        if belief.motion is not None:
            self.reference[row], self.guided[row] = belief.motion, True

    def _draw(self, row: int) -> Array:
        """Draw all but the positions of an ensemble; return normal numbers (2, P) for those."""
        own = self.settings
        draw = self._random[row].standard_normal((5, own.particles))
        self.states[row, VX:VY + 1] = own.walk_std * draw[2:4]
        self.states[row, COMPASS] = own.heading_std * draw[4]
        self.states[row, self.biases] = 0.0
        self.states[row, OCCLUDED] = OCCLUSION_PROBABILITY
        self.bias_variance[row] = own.range_bias_std**2
        self.weights[row] = 1 / own.particles
        self.known[row], self.guided[row], self.contradictions[row] = True, False, 0
        return draw[:2]
