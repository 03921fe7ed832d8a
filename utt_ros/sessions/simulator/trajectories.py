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

"""Simulated walks from place to place in a room: docs/simulator.md, section 2."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.ndimage import gaussian_filter1d

from utt_ros.types import Array, MaskArray

GRID_HZ = 100.0  # of the grid of a walk
ROOM_CORNERS_M = np.array([[-3.0, -7.0], [16.0, 7.0]])  # behind the camera, in front of it
SPEEDS_MPS = (0.8, 1.6)
MIN_LEG_M = 4.0  # to the next place
MAX_TURN_RAD = np.deg2rad(110)  # if any of the choices is within
CHOICES = 12
PAUSE_SHARE = 0.25  # of the places
PAUSE_S = (1.5, 5.0)
ROUNDING_S = 0.5  # standard deviation of the kernel that rounds corners and starts
TURNING_S = 0.25
MEANDER_M, MEANDER_S = 0.1, 1.0  # amplitude and time constant
STANDING_SPEED_MPS = 0.2  # below it the heading is kept
MARGIN_S = 3 * ROUNDING_S


class WalkSamples(NamedTuple):
    """Samples of a walk at N times."""

    position_m: Array  # (N, 2) area frame
    velocity_mps: Array  # (N, 2)
    acceleration_mps2: Array  # (N, 2)
    heading_rad: Array  # (N,) unwrapped
    speed_mps: Array  # (N,)


@dataclass(frozen=True, slots=True)
class SimulatedWalk:
    """Walk of one person on a regular grid of times [s] since the start of the session."""

    times_s: Array  # (N,)
    position_m: Array  # (N, 2)
    heading_rad: Array  # (N,) unwrapped

    def at(self, times_s: Array) -> WalkSamples:
        """Sample the walk at times within it, by linear interpolation of the grid."""
        velocity = np.gradient(self.position_m, 1 / GRID_HZ, axis=0)
        acceleration = np.gradient(velocity, 1 / GRID_HZ, axis=0)
        columns = np.concatenate(
            [self.position_m, velocity, acceleration, self.heading_rad[:, None]], axis=1)
        rows = np.stack([np.interp(times_s, self.times_s, column) for column in columns.T], 1)
        return WalkSamples(
            rows[:, :2], rows[:, 2:4], rows[:, 4:6], rows[:, 6], np.hypot(rows[:, 2], rows[:, 3]))

    def covers(self, times_s: Array) -> MaskArray:
        """Mask of the times within the walk."""
        return np.asarray((times_s >= self.times_s[0]) & (times_s <= self.times_s[-1]))


def mask_at(mask: MaskArray, times_s: Array) -> MaskArray:
    """Sample a mask of the grid at times."""
    return np.asarray(mask[np.clip(np.rint(times_s * GRID_HZ).astype(int), 0, len(mask) - 1)])


def simulate_walk(
    rng: Generator, speed_mps: float, doors_m: Array, seconds: float,
) -> SimulatedWalk:
    """Simulate a walk: half of the people stay, the others enter or leave through a door."""
    story = rng.choice(['stays', 'comes', 'leaves'], p=[0.5, 0.25, 0.25])
    begin = rng.uniform(0.1, 0.5) * seconds if story == 'comes' else 0.0
    end = rng.uniform(0.5, 0.9) * seconds if story == 'leaves' else seconds
    first, last = int(np.ceil(begin * GRID_HZ)), int(end * GRID_HZ)
    margin = round(MARGIN_S * GRID_HZ)
    start = random_positions(rng, 1)[0] if story == 'stays' else rng.choice(doors_m)
    path = _path(rng, speed_mps, start, last - first + 1 + 2 * margin, _next_place)
    path = path[::-1] if story == 'leaves' else path
    return _rounded_walk(rng, path, np.arange(first, last + 1) / GRID_HZ)


def simulate_route(
    rng: Generator, speed_mps: float, places_m: Iterator[Array], seconds: float,
) -> SimulatedWalk:
    """Simulate a walk of `seconds` along places (2,), of which there must be enough."""
    count = int(seconds * GRID_HZ) + 1
    start = next(places_m)

    def follow(_rng: Generator, _here: Array, direction: float) -> tuple[Array, float]:
        return next(places_m), direction

    path = _path(rng, speed_mps, start, count + 2 * round(MARGIN_S * GRID_HZ), follow)
    return _rounded_walk(rng, path, np.arange(count) / GRID_HZ)


def _rounded_walk(rng: Generator, path: Array, times_s: Array) -> SimulatedWalk:
    """Round the corners of a path, which is longer than the walk by MARGIN_S at both ends."""
    margin = round(MARGIN_S * GRID_HZ)
    path = gaussian_filter1d(path, ROUNDING_S * GRID_HZ, axis=0, mode='nearest')
    path = path + MEANDER_M * smooth_noise(rng, path.shape, MEANDER_S)
    inside = slice(margin, len(path) - margin)
    return SimulatedWalk(times_s, path[inside], _heading(path)[inside])


def random_positions(rng: Generator, count: int) -> Array:
    """Draw positions (count, 2) [m] in the room."""
    low, high = ROOM_CORNERS_M
    return np.asarray(rng.uniform(low, high, (count, 2)))


def smooth_noise(rng: Generator, shape: tuple[int, ...], span_s: float) -> Array:
    """Draw Gaussian noise of variance 1 on the grid (first axis), smoothed over `span_s`."""
    width = span_s * GRID_HZ
    noise = gaussian_filter1d(rng.normal(size=shape), width, axis=0, mode='wrap')
    return np.asarray(noise * np.sqrt(2 * np.sqrt(np.pi) * width))


def _path(
    rng: Generator, speed_mps: float, start: Array, count: int,
    next_place: Callable[[Generator, Array, float], tuple[Array, float]],
) -> Array:
    """Straight legs and pauses (count, 2) on the grid."""
    times, places, direction = [0.0], [start], rng.uniform(-np.pi, np.pi)
    while times[-1] * GRID_HZ < count:
        place, direction = next_place(rng, places[-1], direction)
        speed = np.clip(speed_mps * rng.normal(1, 0.08), *SPEEDS_MPS)
        times.append(times[-1] + float(np.linalg.norm(place - places[-1])) / speed)
        places.append(place)
        if rng.random() < PAUSE_SHARE:
            times.append(times[-1] + rng.uniform(*PAUSE_S))
            places.append(place)
    grid = np.arange(count) / GRID_HZ
    return np.stack([np.interp(grid, times, axis) for axis in np.transpose(places)], axis=1)


def _next_place(rng: Generator, here: Array, direction: float) -> tuple[Array, float]:
    """Draw places; return the first far enough and not behind, else the one least behind."""
    places = random_positions(rng, CHOICES)
    legs = places - here
    directions = np.arctan2(legs[:, 1], legs[:, 0])
    turns = np.abs((directions - direction + np.pi) % (2 * np.pi) - np.pi)
    turns[np.linalg.norm(legs, axis=1) < MIN_LEG_M] += np.pi
    allowed = turns < MAX_TURN_RAD
    chosen = int(np.argmax(allowed)) if allowed.any() else int(turns.argmin())
    return places[chosen], float(directions[chosen])


def _heading(path: Array) -> Array:
    """Direction of walking (N,) [rad], kept while standing, smoothed, unwrapped."""
    velocity = np.gradient(path, 1 / GRID_HZ, axis=0)
    walking = np.flatnonzero(np.hypot(*velocity.T) > STANDING_SPEED_MPS)
    before = np.searchsorted(walking, np.arange(len(path)), side='right') - 1
    known = velocity[walking[np.maximum(before, 0)]]
    heading = np.unwrap(np.arctan2(known[:, 1], known[:, 0]))
    return np.asarray(gaussian_filter1d(heading, TURNING_S * GRID_HZ, mode='nearest'))
