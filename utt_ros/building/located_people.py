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

"""People of a building: positions of all areas in `map`, one entry per person.

A phone has one name in all areas, so it is one person, whatever number of areas estimate its
position. Stamps are no measure of age here: areas may replay recordings of different days. So an
estimate is as old as the time since it arrived, on one steady clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from utt_ros.building.position_fusion import agreement, intersect_covariances
from utt_ros.errors import MeasurementError
from utt_ros.map_pose import MAX_MAP_COORDINATE_M, MapPose
from utt_ros.sensor_limits import is_name, is_ros_stamp
from utt_ros.types import NS_PER_S, Array

MAX_POSITION_AGE_NS = 3 * NS_PER_S  # of an estimate; a person without a newer one has left
MAX_AREA_SILENCE_NS = 10 * NS_PER_S  # of the status of an area
MAX_BUILDING_AREAS = 256
MAX_POSITIONS = 8192  # of all phones, in all areas
MAX_VARIANCE_M2 = 1e8
MIN_VARIANCE_M2 = 1e-4
ROUNDING = 1e-3  # of a correlation of 1, in single precision
WALK_STD_MPS = 1.0  # growth of the uncertainty of an estimate with its age
SURER = 1.5  # ratio of variances at which another area becomes the surest
SAME_FLOOR_M = 1.5
CONTRADICTION_NS = 5 * NS_PER_S  # after which contradicting areas are reported


@dataclass(frozen=True, slots=True)
class BuildingPerson:
    """Position of one person in `map`."""

    subject: str
    area: str  # the surest one
    areas: tuple[str, ...]  # whose estimates agree and are fused, sorted
    sources: tuple[str, ...]  # of these estimates; empty texts while unknown
    position_m: tuple[float, float, float]  # z: floor of the surest area
    covariance: Array  # (2, 2) [m^2]
    stamp_ns: int  # of the surest area's estimate, on its clock
    age_s: float  # of the newest estimate


@dataclass(frozen=True, slots=True)
class _Estimate:
    position: Array  # (2,) [m] in `map`
    covariance: Array  # (2, 2) [m^2]
    stamp_ns: int  # on the clock of the area
    received_ns: int


@dataclass(slots=True)
class _Area:
    pose: MapPose
    sources: Mapping[str, str]
    heard_ns: int


class BuildingPeople:
    """Newest estimate of each person by each area. Times are of one steady clock [ns]."""

    def __init__(self) -> None:
        self._areas: dict[str, _Area] = {}
        self._estimates: dict[str, dict[str, _Estimate]] = {}  # by subject, then area
        self._count = 0  # of all estimates
        self._surest: dict[str, str] = {}  # area by subject
        self._contradicted_ns: dict[str, int] = {}  # by subject, since when
        self._contradictions: dict[str, str] = {}

    @property
    def areas(self) -> tuple[str, ...]:
        """Names of the areas whose status is recent, sorted."""
        return tuple(sorted(self._areas))

    @property
    def contradictions(self) -> tuple[str, ...]:
        """Sentences about phones that two areas locate at different places at once."""
        return tuple(self._contradictions.values())

    def update_area(
        self, area: str, pose: MapPose, sources: Mapping[str, str], now_ns: int,
    ) -> None:
        """Set the pose of an area and the sources of its estimates by subject.

        Raises MeasurementError for one area too many, or for a pose that is not one.
        """
        if not np.isfinite(pose).all() or max(map(abs, pose)) > MAX_MAP_COORDINATE_M:
            raise MeasurementError(f'the pose of area {area!r:.80} is {tuple(pose)}: it must be '
                                   f'finite and within {MAX_MAP_COORDINATE_M:g} m')
        if area not in self._areas and len(self._areas) >= MAX_BUILDING_AREAS:
            raise MeasurementError(f'area {area!r:.80} is one too many: at most '
                                   f'{MAX_BUILDING_AREAS}')
        self._areas[area] = _Area(pose, sources, now_ns)

    def update_position(
        self, area: str, subject: str, position: Array, covariance: Array, *, stamp_ns: int,
        now_ns: int,
    ) -> None:
        """Set the newest estimate of an area: position (2,) [m], covariance (2, 2) [m^2].

        Both are in the frame of the area, and `stamp_ns` on its clock. Raises MeasurementError for
        an area without a pose, a name that is none, a stamp or numbers out of their limits, and
        one person too many.
        """
        known = self._areas.get(area)
        if known is None:
            raise MeasurementError(f'area {area!r:.80} has not told its pose yet')
        if not is_name(subject):
            raise MeasurementError(f'{subject!r:.80} is not the name of a subject')
        if not is_ros_stamp(stamp_ns):
            raise MeasurementError(f'the stamp of a position is {stamp_ns} ns: it must be after 0')
        _check_position(position)
        covariance = _checked_covariance(covariance)
        of_subject = self._estimates.get(subject, {})
        if area not in of_subject:
            if self._count >= MAX_POSITIONS:
                raise MeasurementError(f'{subject!r} is one too many: at most {MAX_POSITIONS} '
                                       'positions at a time')
            self._count += 1
        self._estimates.setdefault(subject, of_subject)[area] = _Estimate(
            known.pose.to_map(position[None])[0],
            known.pose.rotate_covariances(covariance), stamp_ns, now_ns)

    def people(self, now_ns: int) -> tuple[BuildingPerson, ...]:
        """Return everybody who has a recent estimate, sorted by name; forget the others."""
        self._forget(now_ns)
        people = tuple(
            self._person(subject, estimates, now_ns)
            for subject, estimates in sorted(self._estimates.items()))
        for kept in (self._surest, self._contradicted_ns, self._contradictions):
            for subject in kept.keys() - self._estimates.keys():
                del kept[subject]
        return people

    def _forget(self, now_ns: int) -> None:
        self._areas = {name: area for name, area in self._areas.items()
                       if 0 <= now_ns - area.heard_ns <= MAX_AREA_SILENCE_NS}
        recent = {
            subject: {area: estimate for area, estimate in estimates.items()
                      if area in self._areas
                      and 0 <= now_ns - estimate.received_ns <= MAX_POSITION_AGE_NS}
            for subject, estimates in self._estimates.items()}
        self._estimates = {subject: found for subject, found in recent.items() if found}
        self._count = sum(map(len, self._estimates.values()))

    def _person(
        self, subject: str, estimates: Mapping[str, _Estimate], now_ns: int,
    ) -> BuildingPerson:
        names = sorted(estimates)
        ages_s = np.array([now_ns - estimates[name].received_ns for name in names]) / NS_PER_S
        positions = np.stack([estimates[name].position for name in names])
        covariances = np.stack([estimates[name].covariance for name in names])
        covariances += (WALK_STD_MPS * ages_s[:, None, None])**2 * np.eye(2)
        row = self._surest_row(subject, names, covariances)
        agrees = agreement(positions, covariances, row)
        agrees &= [abs(self._areas[name].pose.z - self._areas[names[row]].pose.z) <= SAME_FLOOR_M
                   for name in names]
        apart = ''
        if not agrees.all():
            other = int(agrees.argmin())
            apart_m = float(np.linalg.norm(positions[other] - positions[row]))
            apart = f'{names[row]} and in {names[other]}, {apart_m:.1f} m apart'
        self._note_contradiction(subject, apart, now_ns)
        position, covariance = intersect_covariances(positions[agrees], covariances[agrees])
        fused = tuple(name for name, agreed in zip(names, agrees, strict=True) if agreed)
        return BuildingPerson(
            subject, names[row], fused,
            tuple(self._areas[name].sources.get(subject, '') for name in fused),
            (float(position[0]), float(position[1]), self._areas[names[row]].pose.z),
            covariance, estimates[names[row]].stamp_ns, float(ages_s[agrees].min()))

    def _surest_row(self, subject: str, names: list[str], covariances: Array) -> int:
        """Return the surest area; the former one unless another is surer by far."""
        variances = np.trace(covariances, axis1=1, axis2=2)
        row = int(variances.argmin())
        former = self._surest.get(subject)
        if former in names and variances[names.index(former)] < SURER * variances[row]:
            row = names.index(former)
        self._surest[subject] = names[row]
        return row

    def _note_contradiction(self, subject: str, apart: str, now_ns: int) -> None:
        """Report areas that are `apart`, empty for none, once they have been so for a while."""
        if not apart:
            self._contradicted_ns.pop(subject, None)
            self._contradictions.pop(subject, None)
        elif now_ns - self._contradicted_ns.setdefault(subject, now_ns) >= CONTRADICTION_NS:
            self._contradictions[subject] = (
                f'{subject} is in {apart}: two phones of one name, or a wrong map_pose')


def _check_position(position: Array) -> None:
    if position.shape != (2,) or not (np.abs(position) <= MAX_MAP_COORDINATE_M).all():
        raise MeasurementError(f'a position is {position.tolist()} m: it must be two numbers '
                               f'within {MAX_MAP_COORDINATE_M:g}')


def _checked_covariance(covariance: Array) -> Array:
    """Return a covariance as symmetric and positive definite. Raises MeasurementError."""
    if covariance.shape == (2, 2) and (np.abs(covariance) <= MAX_VARIANCE_M2).all():
        (xx, xy), (yx, yy) = covariance.tolist()
        bound = sqrt(max(xx, 0.0) * max(yy, 0.0))
        xy = (xy + yx) / 2
        if min(xx, yy) >= 0.0 and abs(xy) <= bound * (1 + ROUNDING):
            xy = min(max(xy, -bound), bound)
            return np.array([[xx + MIN_VARIANCE_M2, xy], [xy, yy + MIN_VARIANCE_M2]])
    raise MeasurementError(f'a covariance is {covariance.tolist()} m^2: it must be positive and '
                           f'at most {MAX_VARIANCE_M2:g}')
