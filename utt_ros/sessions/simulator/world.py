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

"""Simulated areas, their people and sessions: docs/simulator.md, section 1.

Random numbers are drawn from streams that are keyed by seed, area, session and purpose, so one
more area or session does not change the others.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from utt_ros.errors import SettingsError
from utt_ros.sessions.simulator import detections
from utt_ros.sessions.simulator.ap_placement import (
    MAX_SIMULATED_APS,
    ap_address,
    place_access_points,
)
from utt_ros.sessions.simulator.ftm_ranging import RangeBias, simulate_ranging
from utt_ros.sessions.simulator.imu import simulate_imu
from utt_ros.sessions.simulator.magnetic_field import SimulatedField, random_field
from utt_ros.sessions.simulator.people import SimulatedPerson, random_person
from utt_ros.sessions.simulator.trajectories import (
    GRID_HZ,
    ROOM_CORNERS_M,
    SimulatedWalk,
    mask_at,
    simulate_walk,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import (
    MODALITIES,
    Array,
    Frames,
    GroundTruth,
    Indices,
    MaskArray,
    PhoneStreams,
    Session,
)

START_NS = 1_735_725_600_000_000_000  # 2025-01-01 10:00 UTC: start of every area
GAP_S = 10.0
SESSION_S = 60.0
MIN_SESSION_S = 10.0
HELD_OUT_SHARE = 0.2  # of the sessions, for val and for test each
AREA_PEOPLE = 6
MIN_SESSION_PEOPLE = 3
DOORS = 3
TRUTH_HZ = 10.0
AP_OFFSET_STD_M = 0.3  # of access points of one model, against each other


class RandomPurpose(IntEnum):
    """Purpose of a stream of random numbers."""

    AREA = auto()
    PERSON = auto()
    COMPANY = auto()
    WALK = auto()
    IMU = auto()
    FTM = auto()
    CAMERA = auto()
    ACCESS_POINTS = auto()


@dataclass(frozen=True, slots=True)
class SimulatedArea:
    """An area with its people and the disturbances of their phones."""

    seed: int
    index: int
    settings: AreaSettings
    people: tuple[SimulatedPerson, ...]
    field: SimulatedField
    doors_m: Array  # (DOORS, 2)
    range_slope: float
    ap_offsets_m: tuple[float, ...] = (0.0,)  # of ranges to each access point


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """Plan of one simulated session."""

    area: SimulatedArea
    number: int
    count: int
    seconds: float
    start_ns: int = START_NS  # of the first session

    @property
    def name(self) -> str:
        return f'session{self.number:02d}'

    @property
    def split(self) -> str:
        """Split of the session: the last ones are for test, those before them for val."""
        held_out = max(1, round(HELD_OUT_SHARE * self.count))
        remaining = self.count - self.number
        if remaining <= held_out:
            return 'test'
        return 'val' if remaining <= 2 * held_out else 'train'

    def random(self, purpose: RandomPurpose, who: int = 0, *more: int) -> Generator:
        """Return the random stream of one purpose, and person, in this session."""
        return random_stream(self.area.seed, self.area.index, purpose, self.number, who, *more)

    def stamps(self, times_s: Array) -> npt.NDArray[np.int64]:
        """Convert times [s] since the start of the session to stamps [ns]."""
        start_ns = self.start_ns + round(self.number * (self.seconds + GAP_S) * 1e9)
        return np.asarray(start_ns + np.rint(times_s * 1e9).astype(np.int64))


def plan_sessions(
        areas: int, minutes: float, seed: int, without_camera: Collection[str] = (),
        access_points: int | Sequence[int] = 1,
) -> list[SessionPlan]:
    """Plan `minutes` in each of `areas` areas, in three or more sessions of about a minute.

    `access_points` is their number in each area, or a number for each. Raises SettingsError for
    numbers out of their limits and for unknown areas.
    """
    if areas < 1:
        raise SettingsError(f'areas is {areas}: it must be at least 1')
    if seed < 0:
        raise SettingsError(f'seed is {seed}: it must be at least 0')
    min_minutes = 3 * MIN_SESSION_S / 60
    if not min_minutes <= minutes < np.inf:
        raise SettingsError(
            f'minutes is {minutes}: it must be finite and at least {min_minutes:g}')
    counts = [access_points] * areas if isinstance(access_points, int) else [*access_points]
    if len(counts) != areas:
        raise SettingsError(f'numbers of access points of {len(counts)} areas: it must be one '
                            f'number, or {areas}')
    if wrong := [each for each in counts if not 1 <= each <= MAX_SIMULATED_APS]:
        raise SettingsError(
            f'there are {wrong[0]} access points: it must be 1 to {MAX_SIMULATED_APS}')
    names = [_name(index) for index in range(areas)]
    if unknown := sorted({*without_camera} - {*names}):
        raise SettingsError(f'without a camera: {unknown[0]!r}, but areas are {names[0]} to '
                            f'{names[-1]}')
    count = max(3, round(minutes * 60 / SESSION_S))
    return [
        SessionPlan(area, number, count, minutes * 60 / count)
        for area in (draw_area(seed, index, without_camera, number)
                     for index, number in enumerate(counts))
        for number in range(count)]


def simulate_session(plan: SessionPlan) -> Session:
    """Simulate one session; the same plan gives the same session, bit by bit."""
    area = plan.area
    rng = plan.random(RandomPurpose.COMPANY)
    size = rng.integers(MIN_SESSION_PEOPLE, AREA_PEOPLE + 1)
    company = sorted(rng.choice(AREA_PEOPLE, size, replace=False).tolist())
    walks = {
        who: simulate_walk(plan.random(RandomPurpose.WALK, who), area.people[who].speed_mps,
                           area.doors_m, plan.seconds)
        for who in company}
    return Session(
        area=area.settings.area,
        name=plan.name,
        split=plan.split,
        frames=camera_frames(plan, walks) if 'camera' in area.settings.modalities else None,
        phones={walker_name(who): _phone(plan, who, walks) for who in company},
        truth={walker_name(who): _truth(plan, walks[who]) for who in company})


def draw_area(
    seed: int, index: int, without_camera: Collection[str], access_points: int,
) -> SimulatedArea:
    rng = random_stream(seed, index, RandomPurpose.AREA)
    name, magnetic_yaw = _name(index), float(rng.uniform(-np.pi, np.pi))
    modalities = tuple(
        item for item in MODALITIES if item != 'camera' or name not in without_camera)
    low, high = ROOM_CORNERS_M
    doors = rng.uniform(low, high, (DOORS, 2))
    walls = rng.integers(0, 2, DOORS)  # 0: at an end of the room, 1: at a side
    doors[np.arange(DOORS), walls] = np.where(rng.random(DOORS) < 0.5, low[walls], high[walls])
    of_aps = random_stream(seed, index, RandomPurpose.ACCESS_POINTS)
    placed = place_access_points(of_aps, index, access_points) if access_points > 1 else ()
    return SimulatedArea(
        seed=seed,
        index=index,
        settings=AreaSettings(
            area=name, modalities=modalities, magnetic_yaw=magnetic_yaw, access_points=placed,
            map_pose=(0.0, index * float(high[1] - low[1]), 0.0)),  # side by side
        people=tuple(random_person(random_stream(seed, index, RandomPurpose.PERSON, who))
                     for who in range(AREA_PEOPLE)),
        field=random_field(rng, magnetic_yaw),
        doors_m=doors,
        range_slope=float(rng.normal(0.12, 0.03)),
        ap_offsets_m=(0.0, *of_aps.normal(0.0, AP_OFFSET_STD_M, access_points - 1).tolist()))


def camera_frames(
    plan: SessionPlan, walks: Mapping[int, SimulatedWalk],
    near: Mapping[int, MaskArray] | None = None,
) -> Frames:
    """Simulate the boxes of walkers, only where they are `near` on the grid, if that is given."""
    rng = plan.random(RandomPurpose.CAMERA)
    times = detections.frame_times(rng, plan.seconds)
    boxes, seen, tracks = detections.detect_people(
        rng, plan.area.settings, list(walks.values()), times)
    if near is not None:
        seen &= np.stack([mask_at(near[who], times) for who in walks], axis=1)
    names = [walker_name(who) for who in walks]
    return Frames(
        stamps_ns=plan.stamps(times),
        starts=np.cumsum([0, *seen.sum(axis=1)], dtype=np.int64),
        boxes=boxes[seen].astype(np.float32),
        subjects=tuple(names[column] for column in np.nonzero(seen)[1]),
        track_ids=tuple(f'track{number}' for number in tracks[seen]))


def _phone(plan: SessionPlan, who: int, walks: dict[int, SimulatedWalk]) -> PhoneStreams:
    area, owner = plan.area, plan.area.people[who]
    others = [other for key, other in walks.items() if key != who]
    imu_times, imu, mag_times, mag = simulate_imu(
        plan.random(RandomPurpose.IMU, who), owner, walks[who], area.field)
    ftm_times, ftm, signal, numbers = rangings(plan, who, walks[who], others)
    aps = tuple(ap_address(area.index, number) for number in numbers.tolist())
    return PhoneStreams(
        ftm_stamps_ns=plan.stamps(ftm_times),
        ftm=ftm.astype(np.float32),
        inertial_stamps_ns=plan.stamps(imu_times),
        inertial=imu.astype(np.float32),
        magnetic_stamps_ns=plan.stamps(mag_times),
        magnetic=mag.astype(np.float32),
        ftm_signal=signal.astype(np.float32),
        ap=ap_address(area.index, 0) if not aps else aps[0],
        ftm_aps=aps if len(set(aps)) > 1 else None)


def rangings(
    plan: SessionPlan, who: int, walk: SimulatedWalk, others: Sequence[SimulatedWalk],
) -> tuple[Array, Array, Array, Indices]:
    """Times, ranges and signals of all access points as `simulate_ranging`, and their numbers."""
    area, offset_m = plan.area, plan.area.people[who].range_offset_m
    parts = []
    for number, ap_offset_m in enumerate(area.ap_offsets_m):
        stream = (number,) if number else ()  # that of the first is the one of areas with one
        ranging = simulate_ranging(
            plan.random(RandomPurpose.FTM, who, *stream), area.settings,
            RangeBias(offset_m + ap_offset_m, area.range_slope), walk, others,
            access_point=number)
        parts.append((*ranging, np.full(len(ranging[0]), number)))
    times, ftm, signal, numbers = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(times, kind='stable')
    return times[order], ftm[order], signal[order], numbers[order]


def _truth(plan: SessionPlan, walked: SimulatedWalk) -> GroundTruth:
    every = slice(None, None, round(GRID_HZ / TRUTH_HZ))
    return GroundTruth(
        stamps_ns=plan.stamps(walked.times_s[every]),
        positions_m=walked.position_m[every].copy(),
        headings_rad=np.angle(np.exp(1j * walked.heading_rad[every])))


def random_stream(seed: int, *key: int) -> Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def _name(index: int) -> str:
    return f'area{index}'


def walker_name(who: int) -> str:
    return f'walker{who}'
