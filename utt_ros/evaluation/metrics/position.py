"""Positions, futures and intervals against the truth."""

import numpy as np
from scipy.stats import chi2

from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.types import Array, MaskArray

GONE_S = 0.5  # since when a camera that saw somebody counts as gone
INTERVAL = 0.9
MIN_VARIANCE_M2 = 1e-6  # a covariance that is singular in float32 counts as this wide


def conditions(age_s: Array) -> dict[str, MaskArray]:
    """Which ticks (T,) belong to each condition, by the time since the camera saw the subject."""
    return {
        'camera': age_s <= GONE_S,
        'camera_gone': (age_s > GONE_S) & np.isfinite(age_s),
        'camera_never': ~np.isfinite(age_s),
        'no_camera': age_s > GONE_S}


def errors_m(track: Track, walk: Walk) -> Array:
    """2-D position errors (T,); NaN where nothing was said or the truth is unknown."""
    error: Array = np.linalg.norm(track.position - walk.truth_m(), axis=1)
    return error


def surprise(track: Track, walk: Walk) -> tuple[Array, Array]:
    """Squared Mahalanobis distances (T,) of the truth and negative log likelihoods (T,) [nats].

    Of a normal distribution with the published mean and covariance. NaN where there is none.
    """
    error = track.position.astype(np.float64) - walk.truth_m()
    covariance = track.covariance.astype(np.float64) + MIN_VARIANCE_M2 * np.eye(2)
    known = np.isfinite(error).all(1) & np.isfinite(covariance).all((1, 2))
    square, likelihood = np.full((2, len(error)), np.nan)
    solved = np.linalg.solve(covariance[known], error[known, :, None])[..., 0]
    square[known] = (error[known] * solved).sum(1)
    _, volume = np.linalg.slogdet(2 * np.pi * covariance[known])
    likelihood[known] = 0.5 * (square[known] + volume)
    return square, likelihood


def position_metrics(error: Array) -> dict[str, float]:
    """Mean, median and 90th percentile [m] of errors (N,), NaN left out."""
    known = error[np.isfinite(error)]
    if not len(known):
        return dict.fromkeys(('mean_m', 'median_m', 'p90_m'), float('nan'))
    median, p90 = np.quantile(known, (0.5, 0.9))
    return {'mean_m': float(known.mean()), 'median_m': float(median),
            'p90_m': float(p90)}


def interval_metrics(square: Array, likelihood: Array) -> dict[str, float]:
    """Share of the truth inside the 90 % ellipses, and mean negative log likelihood."""
    known = np.isfinite(square)
    if not known.any():
        return {'coverage_90': float('nan'), 'nll': float('nan')}
    inside = square[known] <= chi2.ppf(INTERVAL, 2)
    return {'coverage_90': float(inside.mean()), 'nll': float(likelihood[known].mean())}

