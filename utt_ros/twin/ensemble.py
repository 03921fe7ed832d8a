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

"""Weighted particle ensembles: moments, square root update and resampling of all subjects at once.

`states` is float32 (S, D, P): D numbers for each of P particles, the first two of which are the
position. `weights` is float32 (S, P) and sums to 1 over the particles.
"""

import numpy as np

from utt_ros.types import Array, ComplexArray, FloatArray

MIN_VARIANCE_RATIO = 1e-9  # of the ensemble to the noise, against division by 0


def ensemble_mean(states: FloatArray, weights: FloatArray) -> FloatArray:
    """Compute weighted means (S, D)."""
    return np.asarray((states @ weights[..., None])[..., 0])


def mean_directions(velocities: FloatArray, weights: FloatArray) -> ComplexArray:
    """Compute the means (2, S) of exp(i c) and exp(2 i c) over particles with courses c.

    Velocities are (S, 2, P), weights (S, P) with sum 1.
    """
    along = velocities[:, 0] + 1j * velocities[:, 1]
    along /= np.maximum(np.abs(along), 1e-9)
    return np.stack([(weights * along).sum(1), (weights * along**2).sum(1)]).astype(np.complex128)


def position_covariance(states: FloatArray, weights: FloatArray, mean: FloatArray) -> FloatArray:
    """Compute weighted covariances (S, 2, 2) of the positions about `mean` (S, D)."""
    deviation = states[:, :2] - mean[:, :2, None]
    return np.asarray((deviation * weights[:, None]) @ deviation.transpose(0, 2, 1))


def ensrf_update(
        states: FloatArray, weights: FloatArray, measured: Array, noise: Array,
) -> tuple[FloatArray, Array]:
    """Update ensembles with measured positions (S, 2) of covariances (S, 2, 2).

    Returns the moved particles (S, D, P) and the squared Mahalanobis distance (S,) between
    measurement and ensemble. Mean and covariance become those of a Kalman filter; the particles
    are shifted and shrunk to have them, without random numbers: an ensemble square root filter
    [S: Andrews 1968; Whitaker and Hamill 2002]. So no ensemble degenerates, however accurate the
    measurement.

    With everything divided by the root of the noise, H the position and U s U' the eigenvectors
    and eigenvalues of the ensemble's covariance of H x:  mean += P H' U (1 + s)^-1 U' innovation,
    deviation -= P H' U s^-1 (1 - (1 + s)^-1/2) U' H deviation.
    """
    mean = ensemble_mean(states, weights)
    deviation = states - mean[..., None]
    cross = (deviation * weights[:, None]) @ deviation[:, :2].transpose(0, 2, 1)  # (S, D, 2)
    whiten = np.linalg.inv(np.linalg.cholesky(noise))  # (S, 2, 2)
    ratio, axes = np.linalg.eigh(whiten @ cross[:, :2] @ whiten.transpose(0, 2, 1))
    ratio = np.maximum(ratio, MIN_VARIANCE_RATIO)
    project = axes.transpose(0, 2, 1) @ whiten  # position -> independent unit noises
    innovation = (project @ (measured - mean[:, :2])[..., None])[..., 0]  # (S, 2)
    gain = cross @ project.transpose(0, 2, 1)  # (S, D, 2)
    shift = ((gain / (1 + ratio)[:, None]) @ innovation[..., None])[..., 0]
    shrink = (gain * ((1 - (1 + ratio) ** -0.5) / ratio)[:, None]) @ project
    moved = states + shift.astype(np.float32)[..., None]
    moved -= shrink.astype(np.float32) @ deviation[:, :2]
    return moved, (innovation**2 / (1 + ratio)).sum(1)


def effective_sample_size(weights: FloatArray) -> FloatArray:
    """Compute the number (S,) of equally weighted particles of the same variance."""
    return np.asarray(1 / np.einsum('sp,sp->s', weights, weights))


def systematic_resample(states: FloatArray, weights: FloatArray, offsets: Array) -> FloatArray:
    """Return equally weighted particles (S, D, P), with offsets (S,) in [0, 1)."""
    subjects, _, count = states.shape
    total = np.cumsum(weights, axis=1, dtype=np.float64)
    ends = np.ceil(total * (count / total[:, -1:]) - offsets[:, None]).astype(np.intp)
    ends[:, -1] = count
    copies = np.diff(np.clip(ends, 0, count), axis=1, prepend=0)
    chosen = np.repeat(np.tile(np.arange(count), subjects), copies.ravel())
    return np.take_along_axis(states, chosen.reshape(subjects, 1, count), axis=2)
