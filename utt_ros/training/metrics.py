"""Errors of translated windows, relative to the variance or to the energy of the truth."""

import numpy as np

from utt_ros.types import Array, FloatArray, MaskArray


class RelativeError:
    """Sums over any number of batches of windows of one modality.

    `NMSE_var = sum (made - true)^2 / sum (true - training mean)^2` per channel, averaged over the
    channels: 1.0 is the mean predictor. `NMSE_energy = sum (made - true)^2 / sum true^2`.
    """

    def __init__(self, training_mean: Array) -> None:
        """`training_mean` (F,): see `channel_means`."""
        self._mean = training_mean
        self._error, self._spread, self._energy = np.zeros((3, len(training_mean)))

    def add(self, made: FloatArray, true: FloatArray, mask: MaskArray) -> None:
        """Count windows (N, T, F) where `mask` (N, T) holds."""
        truth = true[mask].astype(np.float64)
        self._error += ((made[mask] - truth) ** 2).sum(axis=0)
        self._spread += ((truth - self._mean) ** 2).sum(axis=0)
        self._energy += (truth**2).sum(axis=0)

    @property
    def nmse_var(self) -> float:
        """NaN when nothing was counted."""
        return _mean_ratio(self._error, self._spread)

    @property
    def nmse_var_of_channels(self) -> Array:
        """(F,), NaN where a channel never varied."""
        varying = self._spread > 0.0
        return np.where(varying, self._error / np.where(varying, self._spread, 1.0), np.nan)

    @property
    def nmse_energy(self) -> float:
        """NaN when nothing was counted."""
        return _mean_ratio(self._error, self._energy)


def channel_means(values: FloatArray, mask: MaskArray) -> Array:
    """Means (F,) over windows (N, T, F) where `mask` (N, T) holds; 0 where it holds nowhere."""
    weight = mask[..., None].astype(np.float64)
    return np.asarray((values * weight).sum(axis=(0, 1)) / max(weight.sum(), 1.0))


def _mean_ratio(error: Array, reference: Array) -> float:
    """Over the channels that vary at all."""
    varying = reference > 0.0
    return float(np.mean(error[varying] / reference[varying])) if varying.any() else float('nan')
