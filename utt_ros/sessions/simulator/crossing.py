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

"""Simulated people who walk through a building of several areas; docs/simulator.md, section 8.

Rooms lie side by side along y of `map`; every other camera looks the other way. A person is
measured by all areas whose room is within REACH_M.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from utt_ros.map_pose import MapPose
from utt_ros.sessions.simulator.ap_placement import ap_address
from utt_ros.sessions.simulator.imu import simulate_imu
from utt_ros.sessions.simulator.magnetic_field import SimulatedField
from utt_ros.sessions.simulator.trajectories import (
    GRID_HZ,
    ROOM_CORNERS_M,
    SimulatedWalk,
    mask_at,
    simulate_route,
)
from utt_ros.sessions.simulator.world import (
    MIN_SESSION_PEOPLE,
    TRUTH_HZ,
    RandomPurpose,
    SessionPlan,
    SimulatedArea,
    camera_frames,
    plan_sessions,
    rangings,
    walker_name,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, GroundTruth, MaskArray, PhoneStreams, Session

REACH_M = 3.0  # of the sensors of an area beyond its room
WALL_M = 1.0  # between a place and the walls of its room
MAX_CROSSING_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class CrossingPlan:
    """Plan of one session of all areas of a building, at the same time."""

    sessions: tuple[SessionPlan, ...]  # one per area
    field: SimulatedField  # in `map`

    @property
    def name(self) -> str:
        return self.sessions[0].name

    def company(self) -> list[int]:
        """Draw the people of this session."""
        rng = self.sessions[0].random(RandomPurpose.COMPANY, 1)
        size = rng.integers(MIN_SESSION_PEOPLE, MAX_CROSSING_PEOPLE + 1)
        everybody = len(self.sessions[0].area.people)
        return sorted(rng.choice(everybody, size, replace=False).tolist())


@dataclass(frozen=True, slots=True)
class Crossing:
    """One session of each area, and true positions of everybody in `map`."""

    sessions: tuple[Session, ...]
    truth: Mapping[str, GroundTruth]


def plan_crossings(
    areas: int, minutes: float, seed: int, without_camera: Collection[str] = (),
    access_points: int | Sequence[int] = 1,
) -> list[CrossingPlan]:
    """Plan sessions of a building, with the arguments of `plan_sessions`. Raises SettingsError.

    Its areas have the poses and the magnetic field of the building, also for `simulate_session`.
    """
    plans = plan_sessions(areas, minutes, seed, without_camera, access_points)
    magnetic_yaw = plans[0].area.settings.magnetic_yaw
    placed = {plan.area.index: _placed(plan.area, magnetic_yaw) for plan in plans}
    field = _building_field(list(placed.values()), plans[0].area.field)
    areas_in_field = {index: replace(area, field=_field_in(field, area.settings.pose_in_map))
                      for index, area in placed.items()}
    return [
        CrossingPlan(tuple(replace(plan, area=areas_in_field[plan.area.index]) for plan in plans
                           if plan.number == number), field)
        for number in range(plans[0].count)]


def simulate_crossing(plan: CrossingPlan) -> Crossing:
    """Simulate one session of all areas; the same plan gives the same sessions, bit by bit."""
    first = plan.sessions[0]
    people, company = first.area.people, plan.company()
    poses = [each.area.settings.pose_in_map for each in plan.sessions]
    walks = {who: _walk(first, who, poses) for who in company}
    imu = {who: simulate_imu(first.random(RandomPurpose.IMU, who), people[who], walks[who],
                             plan.field) for who in company}
    return Crossing(
        tuple(_session(each, walks, imu, first) for each in plan.sessions),
        {walker_name(who): _truth(first, walk, np.ones(len(walk.times_s), bool))
         for who, walk in walks.items()})


def crossing_pose(index: int) -> MapPose:
    """Return the pose of an area: rooms side by side, every other one turned round."""
    low, high = ROOM_CORNERS_M
    y = index * float(high[1] - low[1])
    return MapPose(float(low[0] + high[0]), y, 0.0, np.pi) if index % 2 else MapPose(0.0, y)


def room_corners(area: AreaSettings) -> Array:
    """Return the corners (2, 2) in `map` of a simulated area, which is not turned obliquely."""
    corners = area.pose_in_map.to_map(ROOM_CORNERS_M)
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def _placed(area: SimulatedArea, magnetic_yaw: float) -> SimulatedArea:
    pose = crossing_pose(area.index)
    turned = float(np.angle(np.exp(1j * (magnetic_yaw + pose.yaw))))
    return replace(area, settings=replace(
        area.settings, map_pose=(pose.x, pose.y, pose.yaw), magnetic_yaw=turned))


def _building_field(areas: list[SimulatedArea], of_first: SimulatedField) -> SimulatedField:
    """Join the disturbances of all areas in `map`, whose axes are those of the first area."""
    return SimulatedField(
        earth_t=of_first.earth_t,
        centres_m=np.concatenate([
            area.settings.pose_in_map.to_map(area.field.centres_m) for area in areas]),
        widths_m=np.concatenate([area.field.widths_m for area in areas]),
        strengths_t=np.concatenate([area.field.strengths_t for area in areas]))


def _field_in(field: SimulatedField, pose: MapPose) -> SimulatedField:
    """Transform a field from `map` to the frame of an area."""
    to_area = pose.inverse()
    turn = np.eye(3)
    turn[:2, :2] = to_area.rotation()
    return SimulatedField(
        earth_t=turn @ field.earth_t, centres_m=to_area.to_map(field.centres_m),
        widths_m=field.widths_m, strengths_t=field.strengths_t @ turn.T)


def _walk(plan: SessionPlan, who: int, poses: list[MapPose]) -> SimulatedWalk:
    """Walk from room to room, from one end of the building to the other and back; in `map`."""
    rng = plan.random(RandomPurpose.WALK, who, 1)
    return simulate_route(
        rng, plan.area.people[who].speed_mps, _places(rng, poses), plan.seconds)


def _places(rng: Generator, poses: list[MapPose]) -> Iterator[Array]:
    """Yield a random place of each room in turn."""
    order = [*range(len(poses)), *range(len(poses) - 2, 0, -1)]
    begin = 0 if rng.random() < 0.5 else len(poses) - 1  # at an end of the building
    order = order[begin:] + order[:begin]
    low, high = ROOM_CORNERS_M[0] + WALL_M, ROOM_CORNERS_M[1] - WALL_M
    while True:
        for index in order:
            yield poses[index].to_map(rng.uniform(low, high)[None])[0]


def _session(
    plan: SessionPlan, walks: Mapping[int, SimulatedWalk],
    imu: Mapping[int, tuple[Array, Array, Array, Array]], first: SessionPlan,
) -> Session:
    """Simulate what one area measures of walks in `map`."""
    area = plan.area
    to_area = area.settings.pose_in_map.inverse()
    local = {who: SimulatedWalk(walk.times_s, to_area.to_map(walk.position_m),
                                walk.heading_rad + to_area.yaw) for who, walk in walks.items()}
    near = {who: _is_near(walk.position_m) for who, walk in local.items()}
    present = [who for who in walks if near[who].any()]
    people = first.area.people
    building = replace(plan, area=replace(area, people=people))
    return Session(
        area=area.settings.area, name=plan.name, split=plan.split,
        frames=camera_frames(plan, local, near) if 'camera' in area.settings.modalities else None,
        phones={walker_name(who): _phone(building, who, local, (near[who], imu[who]))
                for who in present},
        truth={walker_name(who): _truth(plan, local[who], near[who]) for who in present})


def _is_near(position_m: Array) -> MaskArray:
    low, high = ROOM_CORNERS_M[0] - REACH_M, ROOM_CORNERS_M[1] + REACH_M
    return np.asarray(((position_m >= low) & (position_m <= high)).all(axis=1))


def _phone(
    plan: SessionPlan, who: int, walks: Mapping[int, SimulatedWalk],
    measured: tuple[MaskArray, tuple[Array, Array, Array, Array]],
) -> PhoneStreams:
    """Cut the streams of a phone to the times at which it is near an area."""
    near, (imu_times, imu, mag_times, mag) = measured
    others = [other for key, other in walks.items() if key != who]
    ftm_times, ftm, signal, numbers = rangings(plan, who, walks[who], others)
    ranged, moved, turned = (mask_at(near, times) for times in (ftm_times, imu_times, mag_times))
    addresses = [ap_address(plan.area.index, number) for number in numbers[ranged].tolist()]

    return PhoneStreams(
        ftm_stamps_ns=plan.stamps(ftm_times[ranged]),
        ftm=ftm[ranged].astype(np.float32),
        inertial_stamps_ns=plan.stamps(imu_times[moved]),
        inertial=imu[moved].astype(np.float32),
        magnetic_stamps_ns=plan.stamps(mag_times[turned]),
        magnetic=mag[turned].astype(np.float32),
        ftm_signal=signal[ranged].astype(np.float32),
        ap=addresses[0] if addresses else ap_address(plan.area.index, 0),
        ftm_aps=tuple(addresses) if len(set(addresses)) > 1 else None)


def _truth(plan: SessionPlan, walk: SimulatedWalk, near: MaskArray) -> GroundTruth:
    rows = np.arange(0, len(walk.times_s), round(GRID_HZ / TRUTH_HZ))
    rows = rows[near[rows]]
    return GroundTruth(
        stamps_ns=plan.stamps(walk.times_s[rows]),
        positions_m=walk.position_m[rows].copy(),
        headings_rad=np.angle(np.exp(1j * walk.heading_rad[rows])))
