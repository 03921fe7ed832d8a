"""Areas, their people and their sessions: docs/simulator.md, section 1.

Everything is drawn from streams of random numbers that are keyed by seed, area, session and
purpose, so one more area or one more session changes nothing of the others.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
import numpy.typing as npt

from utt_ros.errors import SettingsError
from utt_ros.sessions.simulator import detections
from utt_ros.sessions.simulator.ftm_ranging import RangeBias, ranging
from utt_ros.sessions.simulator.imu import inertial
from utt_ros.sessions.simulator.magnetic_field import SimulatedField, field
from utt_ros.sessions.simulator.people import SimulatedPerson, person
from utt_ros.sessions.simulator.trajectories import RATE_HZ, ROOM_M, SimulatedWalk, walk
from utt_ros.settings import AreaSettings
from utt_ros.types import MODALITIES, Array, Frames, GroundTruth, PhoneStreams, Session

Generator = np.random.Generator

START_NS = 1_735_725_600_000_000_000  # 2025-01-01 10:00 UTC: first session of every area
GAP_S = 10.0
SESSION_S = 60.0
MIN_SECONDS = 10.0
HELD_OUT = 0.2  # share of the sessions for val, and for test
PEOPLE = 6
COMPANY = (3, PEOPLE)
DOORS = 3
TRUTH_HZ = 10.0


class RandomPurpose(IntEnum):
    """What a stream of random numbers is for."""

    AREA = auto()
    PERSON = auto()
    COMPANY = auto()
    WALK = auto()
    IMU = auto()
    FTM = auto()
    CAMERA = auto()


@dataclass(frozen=True, slots=True)
class SimulatedArea:
    """An area, who walks there, and what disturbs their phones."""

    seed: int
    index: int
    settings: AreaSettings
    people: tuple[SimulatedPerson, ...]
    field: SimulatedField
    doors_m: Array  # (DOORS, 2)
    range_slope: float


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """One session to be simulated."""

    area: SimulatedArea
    number: int
    count: int
    seconds: float

    @property
    def name(self) -> str:
        """Name of the session."""
        return f'session{self.number:02d}'

    @property
    def split(self) -> str:
        """Whole sessions are held out: the last ones for test, those before for val."""
        held_out = max(1, round(HELD_OUT * self.count))
        left = self.count - self.number
        return 'test' if left <= held_out else 'val' if left <= 2 * held_out else 'train'

    def stream(self, purpose: RandomPurpose, who: int = 0) -> Generator:
        """Random numbers for one purpose in this session."""
        return _stream(self.area.seed, self.area.index, purpose, self.number, who)

    def stamps(self, times_s: Array) -> npt.NDArray[np.int64]:
        """Stamps [ns] of times since the session began."""
        start_ns = START_NS + round(self.number * (self.seconds + GAP_S) * 1e9)
        return np.asarray(start_ns + np.rint(times_s * 1e9).astype(np.int64))


def plan_sessions(
        areas: int, minutes: float, seed: int, without_camera: Collection[str] = (),
) -> list[SessionPlan]:
    """Sessions of `areas` areas, `minutes` in each, in sessions of about a minute, three or more.

    Raises SettingsError for numbers out of their limits and areas that do not exist.
    """
    if areas < 1:
        raise SettingsError(f'areas is {areas}: it must be at least 1')
    if seed < 0:
        raise SettingsError(f'seed is {seed}: it must be at least 0')
    least = 3 * MIN_SECONDS / 60
    if not least <= minutes < np.inf:
        raise SettingsError(f'minutes is {minutes}: it must be finite and at least {least:g}')
    unknown = sorted(set(without_camera) - {_name(index) for index in range(areas)})
    if unknown:
        raise SettingsError(f'without a camera: {unknown[0]!r}, but areas are '
                            f'{_name(0)} to {_name(areas - 1)}')
    count = max(3, round(minutes * 60 / SESSION_S))
    return [
        SessionPlan(area, number, count, minutes * 60 / count)
        for area in (_area(seed, index, without_camera) for index in range(areas))
        for number in range(count)]


def simulate_session(planned: SessionPlan) -> Session:
    """One session. The same plan gives the same session, bit by bit."""
    area = planned.area
    crowd = planned.stream(RandomPurpose.COMPANY)
    size = crowd.integers(COMPANY[0], COMPANY[1] + 1)
    company = sorted(crowd.choice(PEOPLE, size, replace=False).tolist())
    walks = {
        who: walk(planned.stream(RandomPurpose.WALK, who), area.people[who].speed_mps, area.doors_m,
                  planned.seconds)
        for who in company}
    return Session(
        area=area.settings.area,
        name=planned.name,
        split=planned.split,
        frames=_frames(planned, walks) if 'camera' in area.settings.modalities else None,
        phones={_walker(who): _phone(planned, who, walks) for who in company},
        truth={_walker(who): _truth(planned, walks[who]) for who in company})


def _area(seed: int, index: int, without_camera: Collection[str]) -> SimulatedArea:
    rng = _stream(seed, index, RandomPurpose.AREA)
    name, magnetic_yaw = _name(index), float(rng.uniform(-np.pi, np.pi))
    has = tuple(item for item in MODALITIES if item != 'camera' or name not in without_camera)
    low, high = ROOM_M
    doors = rng.uniform(low, high, (DOORS, 2))
    walls = rng.integers(0, 2, DOORS)  # 0: at an end of the room, 1: at a side
    doors[np.arange(DOORS), walls] = np.where(rng.random(DOORS) < 0.5, low[walls], high[walls])
    return SimulatedArea(
        seed=seed,
        index=index,
        settings=AreaSettings(area=name, modalities=has, magnetic_yaw=magnetic_yaw),
        people=tuple(person(_stream(seed, index, RandomPurpose.PERSON, who)) for who in range(PEOPLE)),
        field=field(rng, magnetic_yaw),
        doors_m=doors,
        range_slope=float(rng.normal(0.12, 0.03)))


def _frames(planned: SessionPlan, walks: dict[int, SimulatedWalk]) -> Frames:
    rng = planned.stream(RandomPurpose.CAMERA)
    times = detections.times(rng, planned.seconds)
    boxes, seen, tracks = detections.observe(
        rng, planned.area.settings, list(walks.values()), times)
    names = [_walker(who) for who in walks]
    return Frames(
        stamps_ns=planned.stamps(times),
        starts=np.cumsum([0, *seen.sum(axis=1)], dtype=np.int64),
        boxes=boxes[seen].astype(np.float32),
        subjects=tuple(names[column] for column in np.nonzero(seen)[1]),
        track_ids=tuple(f'track{number}' for number in tracks[seen]))


def _phone(planned: SessionPlan, who: int, walks: dict[int, SimulatedWalk]) -> PhoneStreams:
    area, owner = planned.area, planned.area.people[who]
    others = [other for key, other in walks.items() if key != who]
    imu_times, imu, mag_times, mag = inertial(
        planned.stream(RandomPurpose.IMU, who), owner, walks[who], area.field)
    ftm_times, ftm, signal = ranging(
        planned.stream(RandomPurpose.FTM, who), area.settings,
        RangeBias(owner.range_offset_m, area.range_slope), walks[who], others)
    return PhoneStreams(
        ftm_stamps_ns=planned.stamps(ftm_times),
        ftm=ftm.astype(np.float32),
        inertial_stamps_ns=planned.stamps(imu_times),
        inertial=imu.astype(np.float32),
        magnetic_stamps_ns=planned.stamps(mag_times),
        magnetic=mag.astype(np.float32),
        ftm_signal=signal.astype(np.float32),
        ap=f'02:00:00:00:00:{area.index % 256:02x}')


def _truth(planned: SessionPlan, walked: SimulatedWalk) -> GroundTruth:
    every = slice(None, None, round(RATE_HZ / TRUTH_HZ))
    return GroundTruth(
        stamps_ns=planned.stamps(walked.times_s[every]),
        positions_m=walked.position_m[every].copy(),
        headings_rad=np.angle(np.exp(1j * walked.heading_rad[every])))


def _stream(seed: int, *key: int) -> Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def _name(index: int) -> str:
    return f'area{index}'


def _walker(who: int) -> str:
    return f'walker{who}'
