# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Simulated Wi-Fi ranging (FTM) of a phone and the access point; docs/simulator.md, section 6."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.signal import lfilter
from scipy.special import expit, ndtr

from utt_ros.sessions.simulator.trajectories import SimulatedWalk
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

RANGING_PERIOD_S, RANGING_JITTER_S = 1 / 3, 0.03
LOSS_SHARE = 0.08
OUTAGE_SHARE, OUTAGE_S = 0.02, (1.0, 3.0)
BODY_ANGLE_RAD, BODY_WIDTH_RAD = np.deg2rad([120, 10])
SHADOWED = (0.02, 0.93)  # probability facing the access point, and increase by the body
STATE_S, ERROR_S = 1.5, 2.0  # time constants
MAX_BYSTANDER_M = 0.3  # from the line of sight
CLEAR_STD_M = (0.45, 0.03)  # at distance 0, and per metre
EXCESS_M = (0.4, 0.05)  # median detour of a shadowed signal: at distance 0, and per metre
EXCESS_LOG_STD = 0.6
OVERSHOOT_SHARE, OVERSHOOT_M = 0.01, (3.0, 10.0)
BURST_FRAMES = 8
RSSI_AT_1_M_DBM, PATH_LOSS_EXPONENT, SHADOW_DB, FADING_DB = -45.0, 1.8, 8.0, 3.0


class RangeBias(NamedTuple):
    """Bias of ranges."""

    offset_m: float  # of a phone and an access point
    slope: float  # per metre, of an area


def simulate_ranging(
        rng: Generator, area: AreaSettings, bias: RangeBias, walk: SimulatedWalk,
        others: Sequence[SimulatedWalk], *, access_point: int = 0,
) -> tuple[Array, Array, Array]:
    """Return times (A,) [s], range and std (A, 2) [m], RSSI [dBm] and frame counts (A, 3)."""
    times = _times(rng, walk)
    samples = walk.at(times)
    phone = np.column_stack([samples.position_m, np.full(len(times), area.phone_height)])
    ap_m = np.asarray(area.ap_positions[access_point])
    to_ap = ap_m - phone
    distance = np.linalg.norm(to_ap, axis=1)
    angle = np.arctan2(to_ap[:, 1], to_ap[:, 0]) - samples.heading_rad
    shadowed = _shadowed(rng, np.abs((angle + np.pi) % (2 * np.pi) - np.pi))
    for other in others:
        shadowed |= _is_between(area, ap_m, samples.position_m, other, times)
    ranges = (1 + bias.slope) * distance + bias.offset_m + _errors(rng, distance, shadowed)
    spread = np.clip((0.35 + 0.1 * shadowed) * np.exp(0.35 * rng.normal(size=len(times))), 0.05, 2)
    counts = np.maximum(rng.binomial(BURST_FRAMES, np.where(shadowed, 0.85, 0.95)), 1)
    path_loss = 10 * PATH_LOSS_EXPONENT * np.log10(np.maximum(distance, 0.5))
    rssi = RSSI_AT_1_M_DBM - path_loss - SHADOW_DB * shadowed
    rssi = np.round(rssi + FADING_DB * rng.normal(size=len(times)))
    kept = _kept(rng, walk, times)
    ftm = np.round(np.stack([ranges, spread], axis=1), 3)
    signal = np.stack([rssi, np.full(len(times), BURST_FRAMES), counts], axis=1)
    return times[kept], ftm[kept], signal[kept]


def _times(rng: Generator, walk: SimulatedWalk) -> Array:
    first = walk.times_s[0] + rng.random() * RANGING_PERIOD_S
    regular = np.arange(first, walk.times_s[-1], RANGING_PERIOD_S)
    jitter = np.clip(rng.normal(0, RANGING_JITTER_S, len(regular)), -0.1, 0.1)
    return np.clip(regular + jitter, walk.times_s[0], walk.times_s[-1])


def _ar1_noise(rng: Generator, count: int, span_s: float) -> Array:
    """Draw AR(1) noise (count,) of variance 1, time constant `span_s`, one value per ranging."""
    keep = np.exp(-RANGING_PERIOD_S / span_s)
    noise = rng.normal(size=count) * np.sqrt(1 - keep**2)
    noise[:1] /= np.sqrt(1 - keep**2)
    return np.asarray(lfilter([1], [1, -keep], noise))


def _shadowed(rng: Generator, angle_rad: Array) -> MaskArray:
    """Mask of rangings shadowed by the owner's body, from angles of heading to access point."""
    facing, added = SHADOWED
    probability = facing + added * expit((angle_rad - BODY_ANGLE_RAD) / BODY_WIDTH_RAD)
    return np.asarray(ndtr(_ar1_noise(rng, len(angle_rad), STATE_S)) < probability)


def _is_between(
    area: AreaSettings, ap_m: Array, phone_m: Array, other: SimulatedWalk, times_s: Array,
) -> MaskArray:
    """Mask of times when a person is where the line to the access point is below a head."""
    line = ap_m[:2] - phone_m
    between = other.at(times_s).position_m - phone_m
    length = np.maximum(np.sum(line**2, axis=1), 1e-6)
    share = np.sum(between * line, axis=1) / length
    offset = np.abs(line[:, 0] * between[:, 1] - line[:, 1] * between[:, 0]) / np.sqrt(length)
    height = area.phone_height + share * (ap_m[2] - area.phone_height)
    return np.asarray(
        other.covers(times_s) & (share > 0) & (share < 1) & (offset < MAX_BYSTANDER_M)
        & (height < area.person_height))


def _errors(rng: Generator, distance_m: Array, shadowed: MaskArray) -> Array:
    """Errors (A,) [m] beyond offset and slope: correlated in time, longer when shadowed."""
    count = len(distance_m)
    clear = (CLEAR_STD_M[0] + CLEAR_STD_M[1] * distance_m) * _ar1_noise(rng, count, ERROR_S)
    detour = EXCESS_M[0] + EXCESS_M[1] * distance_m
    excess = detour * np.exp(EXCESS_LOG_STD * _ar1_noise(rng, count, ERROR_S))
    far = (rng.random(count) < OVERSHOOT_SHARE) * rng.uniform(*OVERSHOOT_M, count)
    return np.asarray(clear + shadowed * excess + far)


def _kept(rng: Generator, walk: SimulatedWalk, times_s: Array) -> MaskArray:
    """Mask of successful rangings: single losses and outages."""
    begin, end = walk.times_s[0], walk.times_s[-1]
    kept = rng.random(len(times_s)) >= LOSS_SHARE
    for _ in range(rng.poisson(OUTAGE_SHARE * (end - begin) / np.mean(OUTAGE_S))):
        start, length = rng.uniform(begin, end), rng.uniform(*OUTAGE_S)
        kept &= (times_s < start) | (times_s > start + length)
    return np.asarray(kept)
