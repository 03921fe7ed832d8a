"""Predicted paths: made longer, sampled, and measured."""

from collections.abc import Sequence

import numpy as np

from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.geometry.compass import rotate
from utt_ros.types import Array, FloatArray, MaskArray

HORIZONS_S = (1, 3, 5)
SAMPLES = 20
MIN_DISPLACEMENT_M = 0.3  # predicted displacement below which a path has no direction of its own
FRESH_S = 0.05  # what is seen at this very tick


def horizons(period: float) -> dict[str, int]:
    """Ticks of each horizon that is judged, by name."""
    return {f'{seconds}s': round(seconds / period) for seconds in HORIZONS_S}


def lengthen(ahead: FloatArray, ticks: int) -> FloatArray:
    """Displacements (N, H, 2) as (N, `ticks`, 2): goes on at the mean velocity of all H ticks.

    The model predicts `horizon` ticks. Beyond them nothing is learned, and the mean over all of
    them is steadier than the last [R].
    """
    horizon = ahead.shape[1]
    if ticks <= horizon:
        return ahead[:, :ticks]
    further = np.arange(1, ticks - horizon + 1)[:, None] * (ahead[:, -1:] / horizon)
    return np.concatenate([ahead, ahead[:, -1:] + further], axis=1).astype(np.float32)


def judged(track: Track, walk: Walk, future: Array) -> MaskArray:
    """Ticks (T,) at which paths are judged: the camera sees now, the `future` is known."""
    if track.ahead is None:
        return np.zeros(len(future), bool)
    said = np.isfinite(track.ahead).all((1, 2)) & np.isfinite(track.position).all(1)
    return np.asarray(said & np.isfinite(future).all((1, 2)) & (walk.camera_age_s() <= FRESH_S))


def paths(track: Track, ticks: int) -> Array:
    """Predicted positions (T, `ticks`, 2) [m] of a track that predicts."""
    if track.ahead is None:
        raise ValueError('a track without predictions has no paths')
    made: Array = track.position[:, None].astype(np.float64) + lengthen(track.ahead, ticks)
    return made


def deviations(start: Array, predicted: Array, true: Array) -> Array:
    """How paths (N, K, 2) went otherwise: (N, K, 2) along and across what was predicted [m]."""
    turned: Array = rotate(true - predicted, -_direction(start, predicted))
    return turned


def best_of_samples(
    start: Array, predicted: Array, true: Array, bank: Array, seed: int,
) -> Array:
    """Distances (N, K) of that of 20 samples whose mean distance is least.

    A sample is the predicted path plus a deviation drawn from the `bank` (B, K, 2), which holds
    those of other people (another split), turned into the direction of the path [R]. The
    first sample is the prediction itself.
    """
    rng = np.random.default_rng(seed)
    turn = _direction(start, predicted)
    best: Array = np.linalg.norm(predicted - true, axis=2)
    for _ in range(SAMPLES - 1 if len(bank) else 0):
        drawn = bank[rng.integers(0, len(bank), len(predicted))]
        distance = np.linalg.norm(predicted + rotate(drawn, turn) - true, axis=2)
        better = distance.mean(1) < best.mean(1)
        best[better] = distance[better]
    return best


def collect(pieces: Sequence[Array], ticks: int) -> Array:
    """Joined (N, `ticks`, 2), also of no piece at all."""
    return np.concatenate([np.zeros((0, ticks, 2)), *pieces])


def _direction(start: Array, predicted: Array) -> Array:
    """Direction (N, 1) [rad] of each path; 0 of one that hardly leaves its start (N, 2)."""
    reach = predicted[:, -1] - start
    angle = np.arctan2(reach[:, 1], reach[:, 0])
    moves = np.linalg.norm(reach, axis=1) > MIN_DISPLACEMENT_M
    return np.asarray(np.where(moves, angle, 0.0)[:, None])
