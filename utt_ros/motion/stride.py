"""How a phone swings with its owner's stride, found in what it measured [D].

A stride is two steps. Accelerations and rates of turn are taken as a constant, sines at multiples
of the stride's frequency, and a rest.
"""

from dataclasses import dataclass

import numpy as np

from utt_ros.motion.gait import BAND_HZ, cadence, magnitude
from utt_ros.types import Array, FloatArray, MaskArray

HARMONICS = 4  # of a stride: half, one, one and a half and two times the frequency of steps
SWINGING = 6  # channels: the first of IMU_CHANNELS
SPAN_S = 0.75  # to either side of an instant
MIN_MEASURED_SHARE = 0.8  # of the rows in it that were measured
STEPPING_MPS2 = 1.0  # deviation of acceleration above which somebody steps, so that it has a pace
FAINTEST = 1e-3  # [m/s^2, rad/s]: what swings less counts as that
RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Stride:
    """How N phones swing about an instant."""

    cadence: FloatArray  # (N,) of steps [Hz]
    cadence_valid: MaskArray  # (N,) false for those who stand
    swing: FloatArray  # (N, 6, HARMONICS + 1) log of the RMS of harmonics and rest [m/s^2, rad/s]
    swing_valid: MaskArray  # (N,)


def find_stride(imu: FloatArray, mask: MaskArray, row: int, row_period_s: float) -> Stride:
    """Of windows (N, R, 9) with mask (N, R), about one of their rows.

    A window that holds a broken row tells nothing.
    """
    reach = round(SPAN_S / row_period_s)
    near = slice(max(row - reach, 0), row + reach + 1)
    whole = np.asarray(np.isfinite(imu).all((1, 2)))
    felt, there = np.where(whole[:, None, None], imu[:, near], 0.0), mask[:, near]
    strength = magnitude(felt[..., :3], there)
    pace = cadence(strength, there, row_period_s)
    known = whole & (there.mean(axis=1) >= MIN_MEASURED_SHARE)
    count = np.maximum(there.sum(axis=1, keepdims=True), 1)
    apart = (strength - strength.sum(axis=1, keepdims=True) / count) * there
    stepping = (apart**2).sum(axis=1) > count[:, 0] * STEPPING_MPS2**2
    assumed = np.where(pace > 0, pace, sum(BAND_HZ) / 2)  # of what does not move at all
    swing = _swing(felt[..., :SWINGING], there, assumed, row_period_s)
    return Stride(pace.astype(np.float32), known & stepping,
                  np.where(known[:, None, None], swing, 0.0).astype(np.float32), known)


def _swing(felt: FloatArray, mask: MaskArray, pace: FloatArray, row_period_s: float) -> Array:
    """Logarithms (N, 6, HARMONICS + 1) of (N, R, 6), by least squares over measured rows."""
    seconds = row_period_s * np.arange(felt.shape[1], dtype=np.float64)
    angles = np.pi * pace[:, None, None] * seconds[:, None] * np.arange(1, HARMONICS + 1)
    waves = np.concatenate(
        [np.ones((*mask.shape, 1)), np.cos(angles), np.sin(angles)], axis=2)  # (N, R, 1 + 2 K)
    measured = (waves * mask[..., None]).swapaxes(1, 2)
    fit = np.linalg.solve(measured @ waves + RIDGE * np.eye(waves.shape[2]), measured @ felt)
    left = ((felt - waves @ fit) * mask[..., None])**2
    rest = left.sum(axis=1, keepdims=True) / np.maximum(mask.sum(1), 1)[:, None, None]
    power = (fit[:, 1:HARMONICS + 1]**2 + fit[:, HARMONICS + 1:]**2) / 2
    power = np.concatenate([power, rest], axis=1).swapaxes(1, 2)
    return np.asarray(np.log(power + FAINTEST**2) / 2)
