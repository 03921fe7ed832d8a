"""How a phone moves with its owner, in few numbers: the same in training and live."""

from functools import cache

import numpy as np
import numpy.typing as npt

from utt_ros.types import FloatArray, MaskArray

Frequencies = npt.NDArray[np.float64]
Waves = npt.NDArray[np.complex64]

TURNS_S = (0.2, 0.4, 0.7, 1.0, 2.0, 2.9)  # from so long ago up to the last row
STRENGTHS_S = (0.5, 1.0, 2.0)  # of the last so many seconds
SPIN_S = 0.5
CADENCE_S = 1.5
BAND_HZ = (1.0, 3.0)  # in which people step
FINENESS = 4  # of the spectrum, in its own resolution
GAIT = (*(f'turn_{span}_s_rad' for span in TURNS_S),
        *(f'strength_{span}_s_mps2' for span in STRENGTHS_S), 'spin_radps', 'cadence_hz')


def gait(imu: FloatArray, mask: MaskArray, turns: FloatArray, row_period_s: float) -> FloatArray:
    """What GAIT names (S, G) of windows (S, R, 9) with mask (S, R); zeros without any row [D].

    `turns` (S, R) are those of `heading.compass`. Strength is the standard deviation of the
    acceleration's magnitude, spin the mean rate of turn about any axis, cadence where the
    spectrum of the magnitude is largest in the band of steps. None of them depends on how the
    phone is held.
    """
    rows = imu.shape[1]
    back = [max(rows - 1 - round(span / row_period_s), 0) for span in TURNS_S]
    strength = magnitude(imu[..., :3], mask)
    deviations = [_deviation(strength, mask, round(span / row_period_s)) for span in STRENGTHS_S]
    lately = round(SPIN_S / row_period_s)
    spin = _mean(magnitude(imu[:, -lately:, 3:6], mask[:, -lately:]), mask[:, -lately:])
    made = np.column_stack([
        -turns[:, back], *deviations, spin, cadence(strength, mask, row_period_s)])
    felt = np.asarray(mask.any(axis=1))
    return np.where(felt[:, None], made, 0.0).astype(np.float32)


def magnitude(vectors: FloatArray, mask: MaskArray) -> FloatArray:
    """Lengths (N, R) of vectors (N, R, 3), 0 where they were not measured."""
    return np.asarray(np.sqrt(np.einsum('srk,srk->sr', vectors, vectors)) * mask)


def _mean(values: FloatArray, mask: MaskArray) -> FloatArray:
    return np.asarray(values.sum(1) / np.maximum(mask.sum(1), 1))


def _deviation(values: FloatArray, mask: MaskArray, last: int) -> FloatArray:
    values, mask = values[:, -last:], mask[:, -last:]
    apart = (values - _mean(values, mask)[:, None]) * mask
    return np.sqrt(_mean(apart * apart, mask))


def cadence(strength: FloatArray, mask: MaskArray, row_period_s: float) -> FloatArray:
    """Frequency of steps (N,) [Hz] in the last CADENCE_S of (N, R); 0 where nothing moves."""
    last = min(round(CADENCE_S / row_period_s), strength.shape[1])
    strength, mask = strength[:, -last:], mask[:, -last:]
    apart = (strength - _mean(strength, mask)[:, None]) * mask
    band, waves = _waves(last, row_period_s)
    power = np.abs(apart @ waves)
    return np.where(power.max(1) > 0, band[power.argmax(1)], 0.0)


@cache
def _waves(rows: int, row_period_s: float) -> tuple[Frequencies, Waves]:
    """The frequencies (K,) [Hz] of the band, and what finds each of them in rows (R, K)."""
    step_hz = 1.0 / (FINENESS * CADENCE_S)
    low, high = BAND_HZ
    band = np.arange(low, high + step_hz / 2, step_hz)
    seconds = row_period_s * np.arange(rows)
    waves = np.hanning(rows)[:, None] * np.exp(-2j * np.pi * seconds[:, None] * band)
    return np.asarray(band, np.float64), np.asarray(waves, np.complex64)

