"""People walking from place to place in a room: docs/simulator.md, section 2."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from utt_ros.types import Array

Generator = np.random.Generator

RATE_HZ = 100.0  # of the grid on which a walk is known
ROOM_M = np.array([[-3.0, -7.0], [16.0, 7.0]])  # corners: behind the camera, in front of it
SPEEDS_MPS = (0.8, 1.6)
LEG_M = 4.0  # shortest way from one place to the next
TURN_RAD = np.deg2rad(110)  # sharpest turn, where there is a choice
CHOICES = 12
PAUSE_SHARE = 0.25  # of the places where somebody stops
PAUSE_S = (1.5, 5.0)
ROUNDING_S = 0.5  # standard deviation of the kernel that rounds corners and starts
TURNING_S = 0.25
MEANDER_M, MEANDER_S = 0.1, 1.0  # nobody walks along a ruler
STANDING_MPS = 0.2  # below it the heading is that of before
MARGIN_S = 3 * ROUNDING_S


class Moment(NamedTuple):
    """A walk at some times (N,)."""

    position_m: Array  # (N, 2) area frame
    velocity_mps: Array  # (N, 2)
    acceleration_mps2: Array  # (N, 2)
    heading_rad: Array  # (N,) unwrapped
    speed_mps: Array  # (N,)


@dataclass(frozen=True, slots=True)
class Walk:
    """One person's walk on a regular grid of times [s] since the session began."""

    times_s: Array  # (N,)
    position_m: Array  # (N, 2)
    heading_rad: Array  # (N,) unwrapped

    def at(self, times_s: Array) -> Moment:
        """The walk at any times within it, by linear interpolation of the grid."""
        velocity = np.gradient(self.position_m, 1 / RATE_HZ, axis=0)
        acceleration = np.gradient(velocity, 1 / RATE_HZ, axis=0)
        columns = np.concatenate(
            [self.position_m, velocity, acceleration, self.heading_rad[:, None]], axis=1)
        found = np.stack([np.interp(times_s, self.times_s, column) for column in columns.T], 1)
        return Moment(found[:, :2], found[:, 2:4], found[:, 4:6], found[:, 6],
                      np.hypot(found[:, 2], found[:, 3]))

    def covers(self, times_s: Array) -> npt.NDArray[np.bool_]:
        """At which times the person is there."""
        return np.asarray((times_s >= self.times_s[0]) & (times_s <= self.times_s[-1]))


def walk(rng: Generator, speed_mps: float, doors_m: Array, seconds: float) -> Walk:
    """Half of the people stay for the session; the others come in or leave through a door."""
    story = rng.choice(['stays', 'comes', 'leaves'], p=[0.5, 0.25, 0.25])
    begin = rng.uniform(0.1, 0.5) * seconds if story == 'comes' else 0.0
    end = rng.uniform(0.5, 0.9) * seconds if story == 'leaves' else seconds
    first, last = int(np.ceil(begin * RATE_HZ)), int(end * RATE_HZ)
    margin = round(MARGIN_S * RATE_HZ)
    start = somewhere(rng, 1)[0] if story == 'stays' else rng.choice(doors_m)
    path = _path(rng, speed_mps, start, last - first + 1 + 2 * margin)
    path = path[::-1] if story == 'leaves' else path
    path = gaussian_filter1d(path, ROUNDING_S * RATE_HZ, axis=0, mode='nearest')
    path = path + MEANDER_M * smooth_noise(rng, path.shape, MEANDER_S)
    inside = slice(margin, len(path) - margin)
    return Walk(np.arange(first, last + 1) / RATE_HZ, path[inside], _heading(path)[inside])


def somewhere(rng: Generator, count: int) -> Array:
    """Places (count, 2) in the room."""
    low, high = ROOM_M
    return np.asarray(rng.uniform(low, high, (count, 2)))


def smooth_noise(rng: Generator, shape: tuple[int, ...], span_s: float) -> Array:
    """Gaussian noise of variance 1 on the grid (first axis), smoothed over `span_s`."""
    width = span_s * RATE_HZ
    noise = gaussian_filter1d(rng.normal(size=shape), width, axis=0, mode='wrap')
    return np.asarray(noise * np.sqrt(2 * np.sqrt(np.pi) * width))


def _path(rng: Generator, speed_mps: float, start: Array, count: int) -> Array:
    """Straight legs and pauses (count, 2) on the grid."""
    times, places, direction = [0.0], [start], rng.uniform(-np.pi, np.pi)
    while times[-1] * RATE_HZ < count:
        place, direction = _next_place(rng, places[-1], direction)
        speed = np.clip(speed_mps * rng.normal(1, 0.08), *SPEEDS_MPS)
        times.append(times[-1] + float(np.linalg.norm(place - places[-1])) / speed)
        places.append(place)
        if rng.random() < PAUSE_SHARE:
            times.append(times[-1] + rng.uniform(*PAUSE_S))
            places.append(place)
    grid = np.arange(count) / RATE_HZ
    return np.stack([np.interp(grid, times, axis) for axis in np.transpose(places)], axis=1)


def _next_place(rng: Generator, here: Array, direction: float) -> tuple[Array, float]:
    """The first place drawn that is far enough and not behind, else the one least behind."""
    places = somewhere(rng, CHOICES)
    way = places - here
    directions = np.arctan2(way[:, 1], way[:, 0])
    turns = np.abs((directions - direction + np.pi) % (2 * np.pi) - np.pi)
    turns[np.linalg.norm(way, axis=1) < LEG_M] += np.pi
    chosen = int(np.argmax(turns < TURN_RAD)) if (turns < TURN_RAD).any() else int(turns.argmin())
    return places[chosen], float(directions[chosen])


def _heading(path: Array) -> Array:
    """Direction of walking, kept while standing, smooth, unwrapped."""
    velocity = np.gradient(path, 1 / RATE_HZ, axis=0)
    walking = np.flatnonzero(np.hypot(*velocity.T) > STANDING_MPS)
    before = np.searchsorted(walking, np.arange(len(path)), side='right') - 1
    known = velocity[walking[np.maximum(before, 0)]]
    heading = np.unwrap(np.arctan2(known[:, 1], known[:, 0]))
    return np.asarray(gaussian_filter1d(heading, TURNING_S * RATE_HZ, mode='nearest'))
