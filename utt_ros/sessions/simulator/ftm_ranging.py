"""What ranging between a phone and the access point measures: docs/simulator.md, section 6."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit, ndtr

from utt_ros.sessions.simulator.trajectories import Walk
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

Generator = np.random.Generator

PERIOD_S, JITTER_S = 1 / 3, 0.03
LOST = 0.08
BURST_SHARE, BURST_S = 0.02, (1.0, 3.0)
BODY_ANGLE_RAD, BODY_WIDTH_RAD = np.deg2rad([120, 10])
SHADOWED = (0.02, 0.93)  # probability facing the access point, and what the body adds
STATE_S, ERROR_S = 1.5, 2.0  # time constants
BYSTANDER_M = 0.3
CLEAR_STD_M = (0.45, 0.03)  # at no distance, and per metre
EXCESS_M = (0.4, 0.05)  # median detour of a shadowed signal: at no distance, and per metre
EXCESS_SPREAD = 0.6
FAR, FAR_M = 0.01, (3.0, 10.0)
FRAMES = 8
RSSI_DBM, EXPONENT, SHADOW_DB, FADING_DB = -45.0, 1.8, 8.0, 3.0


class Bias(NamedTuple):
    """By how much ranges are too long."""

    offset_m: float  # of a phone
    slope: float  # per metre, of an area


def ranging(
        rng: Generator, area: AreaSettings, bias: Bias, walk: Walk, others: Sequence[Walk],
) -> tuple[Array, Array, Array]:
    """Times (A,) [s], range and std (A, 2) [m], RSSI [dBm] and frame counts (A, 3)."""
    times = _times(rng, walk)
    moment = walk.at(times)
    phone = np.column_stack([moment.position_m, np.full(len(times), area.phone_height)])
    to_ap = np.asarray(area.ap_position) - phone
    distance = np.linalg.norm(to_ap, axis=1)
    angle = np.arctan2(to_ap[:, 1], to_ap[:, 0]) - moment.heading_rad
    shadowed = _shadowed(rng, np.abs((angle + np.pi) % (2 * np.pi) - np.pi))
    for other in others:
        shadowed |= _in_line(area, moment.position_m, other, times)
    ranges = (1 + bias.slope) * distance + bias.offset_m + _errors(rng, distance, shadowed)
    spread = np.clip((0.35 + 0.1 * shadowed) * np.exp(0.35 * rng.normal(size=len(times))), 0.05, 2)
    counts = np.maximum(rng.binomial(FRAMES, np.where(shadowed, 0.85, 0.95)), 1)
    rssi = RSSI_DBM - 10 * EXPONENT * np.log10(np.maximum(distance, 0.5)) - SHADOW_DB * shadowed
    rssi = np.round(rssi + FADING_DB * rng.normal(size=len(times)))
    kept = _kept(rng, walk, times)
    ftm = np.round(np.stack([ranges, spread], axis=1), 3)
    signal = np.stack([rssi, np.full(len(times), FRAMES), counts], axis=1)
    return times[kept], ftm[kept], signal[kept]


def _times(rng: Generator, walk: Walk) -> Array:
    regular = np.arange(walk.times_s[0] + rng.random() * PERIOD_S, walk.times_s[-1], PERIOD_S)
    jitter = np.clip(rng.normal(0, JITTER_S, len(regular)), -0.1, 0.1)
    return np.clip(regular + jitter, walk.times_s[0], walk.times_s[-1])


def _wandering(rng: Generator, count: int, span_s: float) -> Array:
    """AR(1) of variance 1 (count,) with time constant `span_s`, one value per ranging."""
    keep = np.exp(-PERIOD_S / span_s)
    noise = rng.normal(size=count) * np.sqrt(1 - keep**2)
    noise[:1] /= np.sqrt(1 - keep**2)
    return np.asarray(lfilter([1], [1, -keep], noise))


def _shadowed(rng: Generator, angle_rad: Array) -> MaskArray:
    """Whether the owner's body stands in the way, given the angle from heading to access point."""
    facing, added = SHADOWED
    probability = facing + added * expit((angle_rad - BODY_ANGLE_RAD) / BODY_WIDTH_RAD)
    return np.asarray(ndtr(_wandering(rng, len(angle_rad), STATE_S)) < probability)


def _in_line(area: AreaSettings, phone_m: Array, other: Walk, times_s: Array) -> MaskArray:
    """Whether another person stands where the line from phone to access point is below a head."""
    access_point = np.asarray(area.ap_position)
    line = access_point[:2] - phone_m
    between = other.at(times_s).position_m - phone_m
    length = np.maximum(np.sum(line**2, axis=1), 1e-6)
    share = np.sum(between * line, axis=1) / length
    aside = np.abs(line[:, 0] * between[:, 1] - line[:, 1] * between[:, 0]) / np.sqrt(length)
    height = area.phone_height + share * (access_point[2] - area.phone_height)
    return np.asarray(other.covers(times_s) & (share > 0) & (share < 1) & (aside < BYSTANDER_M)
                      & (height < area.person_height))


def _errors(rng: Generator, distance_m: Array, shadowed: MaskArray) -> Array:
    """Errors (A,) [m] beyond offset and slope: correlated in time, longer when shadowed."""
    count = len(distance_m)
    clear = (CLEAR_STD_M[0] + CLEAR_STD_M[1] * distance_m) * _wandering(rng, count, ERROR_S)
    detour = EXCESS_M[0] + EXCESS_M[1] * distance_m
    excess = detour * np.exp(EXCESS_SPREAD * _wandering(rng, count, ERROR_S))
    far = (rng.random(count) < FAR) * rng.uniform(*FAR_M, count)
    return np.asarray(clear + shadowed * excess + far)


def _kept(rng: Generator, walk: Walk, times_s: Array) -> MaskArray:
    """Which rangings get an answer: single losses and bursts of loss."""
    begin, end = walk.times_s[0], walk.times_s[-1]
    kept = rng.random(len(times_s)) >= LOST
    for _ in range(rng.poisson(BURST_SHARE * (end - begin) / np.mean(BURST_S))):
        start, length = rng.uniform(begin, end), rng.uniform(*BURST_S)
        kept &= (times_s < start) | (times_s > start + length)
    return np.asarray(kept)
