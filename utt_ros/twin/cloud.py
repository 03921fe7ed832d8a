"""Weighted clouds of particles, one per subject, all subjects at once.

`states` is float32 (S, D, P): D numbers for each of P particles, the first two of which are the
position. `weights` is float32 (S, P) and sums to 1 over the particles.
"""

import numpy as np

from utt_ros.types import Array, FloatArray


def mean_of(states: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted means (S, D)."""
    return np.asarray((states @ weights[..., None])[..., 0])


def position_covariance(states: FloatArray, weights: FloatArray, mean: FloatArray) -> FloatArray:
    """Weighted covariances (S, 2, 2) of the positions about `mean` (S, D)."""
    deviation = states[:, :2] - mean[:, :2, None]
    return np.asarray((deviation * weights[:, None]) @ deviation.transpose(0, 2, 1))


def assimilate(
        states: FloatArray, weights: FloatArray, measured: Array, noise: Array,
) -> tuple[FloatArray, Array]:
    """Clouds after positions (S, 2) were measured with covariances (S, 2, 2).

    Returns the moved particles (S, D, P) and the squared Mahalanobis distance (S,) between
    measurement and cloud. Mean and covariance become those of a Kalman filter; the particles are
    shifted and shrunk to have them, without random numbers: an ensemble square root filter [S:
    Andrews 1968; Whitaker and Hamill 2002]. So nothing degenerates, however good the measurement.

    With everything divided by the root of the noise, H the position and U s U' the eigenvectors
    and eigenvalues of the cloud's covariance of H x:  mean += P H' U (1 + s)^-1 U' innovation,
    deviation -= P H' U s^-1 (1 - (1 + s)^-1/2) U' H deviation.
    """
    mean = mean_of(states, weights)
    deviation = states - mean[..., None]
    cross = (deviation * weights[:, None]) @ deviation[:, :2].transpose(0, 2, 1)  # (S, D, 2)
    whiten = np.linalg.inv(np.linalg.cholesky(noise))  # (S, 2, 2)
    spread, axes = np.linalg.eigh(whiten @ cross[:, :2] @ whiten.transpose(0, 2, 1))
    spread = np.maximum(spread, 1e-9)
    project = axes.transpose(0, 2, 1) @ whiten  # position -> independent unit noises
    innovation = (project @ (measured - mean[:, :2])[..., None])[..., 0]  # (S, 2)
    gain = cross @ project.transpose(0, 2, 1)  # (S, D, 2)
    shift = ((gain / (1 + spread)[:, None]) @ innovation[..., None])[..., 0]
    shrink = (gain * ((1 - (1 + spread) ** -0.5) / spread)[:, None]) @ project
    moved = states + shift.astype(np.float32)[..., None]
    moved -= shrink.astype(np.float32) @ deviation[:, :2]
    return moved, (innovation**2 / (1 + spread)).sum(1)


def effective_size(weights: FloatArray) -> FloatArray:
    """How many equally weighted particles say as much (S,)."""
    return np.asarray(1 / np.einsum('sp,sp->s', weights, weights))


def resample(states: FloatArray, weights: FloatArray, offsets: Array) -> FloatArray:
    """Equally weighted particles (S, D, P); systematic resampling with offsets (S,) in [0, 1)."""
    subjects, _, count = states.shape
    total = np.cumsum(weights, axis=1, dtype=np.float64)
    upto = np.ceil(total * (count / total[:, -1:]) - offsets[:, None]).astype(np.intp)
    upto[:, -1] = count
    copies = np.diff(np.clip(upto, 0, count), axis=1, prepend=0)
    chosen = np.repeat(np.tile(np.arange(count), subjects), copies.ravel())
    return np.take_along_axis(states, chosen.reshape(subjects, 1, count), axis=2)
