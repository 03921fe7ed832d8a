"""Walking or standing, told from the IMU: train on synthesized, test on real."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from utt_ros.evaluation.ground_truth import Walk
from utt_ros.types import Array, FloatArray, MaskArray

Labels = npt.NDArray[np.bool_]

SPAN_TICKS = 20
WALKING_MPS = 0.6  # mean speed of somebody who walks
STANDING_MPS = 0.3  # and of somebody who stands; between them a stretch counts as neither
SHRINKAGE = 0.1


def examples(
    walk: Walk, imu: FloatArray, known: MaskArray,
) -> tuple[Array, Labels]:
    """Features (N, F) of stretches of SPAN_TICKS of imu (T, C, 9), and whether he walks (N,).

    The label is from the truth. Mean, logarithm of the deviation and of the mean change from row
    to row, of the magnitudes of acceleration and turning, and of each of their axes.
    """
    count = len(imu) // SPAN_TICKS
    cut = slice(0, count * SPAN_TICKS)
    rows = imu[cut, :, :6].reshape(count, -1, 6).astype(np.float64)
    there = known[cut].reshape(count, -1).all(1) & np.isfinite(rows).all((1, 2))
    truth = walk.truth_m()[cut].reshape(count, SPAN_TICKS, 2)
    seconds = (walk.stamps_ns[cut].reshape(count, SPAN_TICKS)[:, [0, -1]] @ [-1, 1]) / 1e9
    path = np.linalg.norm(truth[:, -1] - truth[:, 0], axis=1)
    speed = path / np.maximum(seconds, 1e-3)
    walks, stands = speed >= WALKING_MPS, speed <= STANDING_MPS
    use = there & (walks | stands)
    return _features(rows[use]), walks[use]


def join(pieces: Sequence[tuple[Array, Labels]]) -> tuple[Array, Labels]:
    """Examples of many walks; one piece at least."""
    features, labels = zip(*pieces, strict=True)
    return np.concatenate(features), np.concatenate(labels)


def balanced_accuracy(train: tuple[Array, Labels], test: tuple[Array, Labels]) -> float:
    """Of a linear discriminant with shrinkage [S: Friedman 1989]; NaN without both classes.

    Mean over the classes, so 0.5 is what guessing gets.
    """
    features, walks = train
    if not (walks.any() and (~walks).any() and test[1].any() and (~test[1]).any()):
        return float('nan')
    centre, spread = features.mean(0), features.std(0) + 1e-6
    scaled = (features - centre) / spread
    means = [scaled[walks == label].mean(0) for label in (False, True)]
    within = np.concatenate(
        [scaled[walks == label] - means[label] for label in (False, True)])
    covariance = within.T @ within / len(within)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(centre))
    normal = np.linalg.solve(covariance, means[1] - means[0])
    says = ((test[0] - centre) / spread - (means[0] + means[1]) / 2) @ normal > 0
    return float(np.mean([(says[test[1] == label] == label).mean() for label in (False, True)]))


def _features(rows: Array) -> Array:
    """(N, R, 6) -> (N, 24)."""
    magnitudes = np.stack([np.linalg.norm(rows[..., :3], axis=2),
                           np.linalg.norm(rows[..., 3:], axis=2)], axis=2)
    signals = np.concatenate([rows, magnitudes], axis=2)
    change = np.abs(np.diff(signals, axis=1)).mean(1)
    return np.concatenate(
        [signals.mean(1), np.log(signals.std(1) + 1e-3), np.log(change + 1e-3)], axis=1)
