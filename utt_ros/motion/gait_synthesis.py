"""Lets synthesized phones swing: the stride of every subject, continued from tick to tick [D].

Rows are those of a tick; the last one is the newest.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from utt_ros.motion.stride import HARMONICS, SWINGING
from utt_ros.settings import WindowSettings
from utt_ros.types import Array, FloatArray

MEMORY_S = 0.056  # after which the rest has forgotten itself to 1/e; chosen on validation


@dataclass(frozen=True, slots=True)
class Gait:
    """Where somebody is in his stride."""

    stamp_ns: int
    phase: float  # of the stride [rad]
    rms: FloatArray  # (6, HARMONICS + 1) of harmonics and rest [m/s^2, rad/s]
    rest: Array  # (6,) of unit variance
    rng: np.random.Generator  # his own, so that nobody else matters


def sines(phase: Array, cadence: FloatArray, rows: int, row_s: float) -> Array:
    """Harmonics (S, C, K) of strides, with an RMS of 1, which end at `phase` (S,) [rad].

    `cadence` (S,) is that of steps [Hz]; a stride is two.
    """
    behind = row_s * np.arange(rows)[::-1]
    angles = phase[:, None] - np.pi * cadence[:, None] * behind
    return np.asarray(np.sqrt(2.0) * np.cos(angles[..., None] * np.arange(1, HARMONICS + 1)))


def wander(last: Array, draw: Array, row_s: float) -> Array:
    """Go on (S, C, 6) from `last` (S, 6) with normal numbers (S, C, 6): first-order, variance 1.

    Phones do not only swing: what learned from sines alone takes all others for a stranger.
    """
    rows = draw.shape[1]
    keep = np.exp(-row_s / MEMORY_S)
    since = np.arange(rows)[:, None] - np.arange(rows)  # (C, C) rows since each draw
    mix = np.where(since >= 0, np.sqrt(1.0 - keep**2) * keep**np.maximum(since, 0), 0.0)
    return np.asarray(keep**np.arange(1, rows + 1)[:, None] * last[:, None] + mix @ draw)


class Swings:
    """The gaits of an area's subjects, each of which depends on nobody else."""

    def __init__(self, window: WindowSettings) -> None:
        self._rows, self._period = window.imu_rows, window.period
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._known: dict[str, Gait] = {}

    def push(
        self, stamp_ns: int, subjects: tuple[str, ...], cadence: FloatArray, rms: FloatArray,
    ) -> FloatArray:
        """Rows (S, C, 6) to add at a tick; who was not at the one before begins anew.

        `cadence` (S,) [Hz] holds since then, and strengths grow to `rms` (S, 6, HARMONICS + 1).
        """
        rows, row_s = self._rows, self._period / self._rows
        before = [self._known.get(name) or self._begin(stamp_ns, name, rms[row])
                  for row, name in enumerate(subjects)]
        elapsed_s = np.array([stamp_ns - gait.stamp_ns for gait in before]) / 1e9
        phase = np.array([gait.phase for gait in before]) + np.pi * cadence * elapsed_s
        phase %= 2 * np.pi
        draw = np.array([gait.rng.standard_normal((rows, SWINGING)) for gait in before])
        rest = wander(np.array([gait.rest for gait in before]), draw, row_s)
        waves = sines(phase, cadence, rows, row_s)
        faded, grown = (waves @ strength[..., :-1].swapaxes(1, 2) + strength[:, None, :, -1] * rest
                        for strength in (np.array([gait.rms for gait in before]), rms))
        share = (np.arange(1, rows + 1) / rows)[:, None]
        swung = (1.0 - share) * faded + share * grown
        self._known = {name: Gait(stamp_ns, float(phase[row]), rms[row], rest[row, -1],
                                  before[row].rng)
                       for row, name in enumerate(subjects)}
        return np.asarray(swung, np.float32)

    def _begin(self, stamp_ns: int, name: str, rms: FloatArray) -> Gait:
        """Where in his stride somebody begins depends on his name: people do not march."""
        name_number = crc32(name.encode())
        return Gait(stamp_ns - round(1e9 * self._period), 2 * np.pi * name_number / 2**32, rms,
                    np.zeros(SWINGING), np.random.default_rng((name_number, abs(stamp_ns))))
