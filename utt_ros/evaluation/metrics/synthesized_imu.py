"""Synthesized IMU: the floor that differentiates a path, and how good what was made is."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.motion.gait import BAND_HZ
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import GRAVITY_MPS2, IMU_CHANNELS, Array, FloatArray, MaskArray

SMOOTH_TICKS = 5  # over which a path is differentiated
STEP_SPAN_S = 5.0  # over which the frequency of steps is told
FLAT_MPS2 = 1e-3
STEPPING_MPS2 = 0.6  # standard deviation of acceleration above which somebody steps


def differentiated(
    track: Track, area: AreaSettings, window: WindowSettings, field_t: tuple[float, float],
) -> FloatArray:
    """What a phone that lies flat, its y axis ahead, would feel (T, C, 9) [IMU_CHANNELS] [D].

    Acceleration and turning are those of the path at the track's own velocity (its first
    displacement over a period); `field_t` is the field of the earth, horizontal and up. NaN
    where the track says nothing.
    """
    if track.ahead is None:
        raise ValueError('a track without predictions has no velocity')
    velocity = track.ahead[:, 0].astype(np.float64) / window.period
    heading = np.arctan2(velocity[:, 1], velocity[:, 0])
    known = np.isfinite(heading)
    if known.sum() < 2:
        return np.full((len(heading), window.imu_rows, 9), np.nan, np.float32)
    heading[known] = np.unwrap(heading[known])
    speed = np.linalg.norm(velocity, axis=1)
    turning = _slope(heading, window.period)
    north = np.pi / 2 - area.magnetic_yaw - heading
    across, up = field_t
    zero = np.zeros_like(speed)
    felt = np.stack([
        -speed * turning, _slope(speed, window.period), zero + GRAVITY_MPS2,
        zero, zero, turning,
        -across * np.sin(north), across * np.cos(north), zero + up], axis=1)
    felt[~known] = np.nan
    return np.repeat(felt[:, None], window.imu_rows, axis=1).astype(np.float32)


def fields(walks: Sequence[Walk]) -> tuple[float, float]:
    """Mean horizontal and upward field [T] that phones lying about flat measured."""
    magnetic = np.concatenate([walk.imu[walk.imu_mask][:, 6:] for walk in walks])
    return (float(np.hypot(magnetic[:, 0], magnetic[:, 1]).mean()), float(magnetic[:, 2].mean()))


def sourced(walk: Walk, window: WindowSettings) -> MaskArray:
    """Rows of IMU (T, C) that were measured, at ticks whose window holds a box or a range.

    Without any of both the live graph makes the IMU from itself, which counts for nothing here.
    """
    there = np.pad(walk.camera_mask | walk.ftm_mask, (window.ticks - 1, 0))
    lately = np.asarray(sliding_window_view(there, window.ticks).any(1))
    return walk.imu_mask & lately[:, None]


def likeness(made: Array, real: Array) -> dict[str, float]:
    """RMSE and Pearson's r of each channel, of rows (N, 9) that are all known."""
    found: dict[str, float] = {}
    for channel, name in enumerate(IMU_CHANNELS):
        a, b = made[:, channel].astype(np.float64), real[:, channel].astype(np.float64)
        varies = len(a) > 1 and a.std() > 1e-9 and b.std() > 1e-9
        found[f'rmse_{name}'] = float(np.sqrt(np.mean((a - b)**2))) if len(a) else float('nan')
        found[f'pearson_{name}'] = float(np.corrcoef(a, b)[0, 1]) if varies else float('nan')
    return found


def step_frequency_errors(
    made: FloatArray, real: FloatArray, known: MaskArray, window: WindowSettings,
) -> Array:
    """|frequency made - real| [Hz] of stretches of STEP_SPAN_S in which somebody steps (N,).

    made, real (T, C, 9) and known (T, C) of one walk; stretches that are not all known are left
    out. What does not move at all has a frequency of 0.
    """
    rate = window.imu_rows / window.period
    span = round(STEP_SPAN_S * rate)
    rows = known.ravel() & np.isfinite(made).all(2).ravel()
    strength = np.stack([np.linalg.norm(values[..., :3], axis=2).ravel()
                         for values in (made, real)]).astype(np.float64)
    count = len(rows) // span
    whole = rows[:count * span].reshape(count, span).all(1)
    pieces = strength[:, :count * span].reshape(2, count, span)[:, whole]
    pieces = pieces - pieces.mean(2, keepdims=True)
    stepping = pieces[1].std(1) > STEPPING_MPS2
    pieces = pieces[:, stepping]
    frequency = np.fft.rfftfreq(4 * span, 1 / rate)  # padded, so that the peak is found finely
    power = np.abs(np.fft.rfft(pieces * np.hanning(span), 4 * span))
    band = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    peak = frequency[band][power[..., band].argmax(2)] * (pieces.std(2) > FLAT_MPS2)
    return np.asarray(np.abs(peak[0] - peak[1]))


def _slope(values: Array, period: float) -> Array:
    """Central differences (T,) over SMOOTH_TICKS to either side, NaN kept where they are."""
    padded = np.pad(values, SMOOTH_TICKS, mode='edge')
    change = padded[2 * SMOOTH_TICKS:] - padded[:-2 * SMOOTH_TICKS]
    slope = change / (2 * SMOOTH_TICKS * period)
    return np.where(np.isfinite(slope), slope, 0.0)
