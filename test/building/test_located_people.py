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

"""People of a building: one entry per phone, from area to area, and hostile input refused."""

from collections.abc import Sequence
from math import inf, nan, pi
from typing import Any

import numpy as np
import pytest

from utt_ros.building import located_people as module
from utt_ros.building.located_people import BuildingPeople, BuildingPerson
from utt_ros.errors import MeasurementError
from utt_ros.map_pose import MapPose

S = 1_000_000_000
T0 = 1000 * S
SURE = 0.04 * np.eye(2)


def building(**poses: MapPose) -> BuildingPeople:
    """A building with areas at these poses; hall and stairs side by side by default."""
    made = BuildingPeople()
    for name, pose in (poses or {'hall': MapPose(), 'stairs': MapPose(x=10.0)}).items():
        made.update_area(name, pose, {'ann': f'camera of {name}'}, T0)
    return made


def locate(
    people: BuildingPeople, area: str, position: Sequence[float], now_ns: int = T0, *,
    covariance: Any = SURE, subject: str = 'ann', stamp_ns: int = 7,
) -> None:
    people.update_position(area, subject, np.array(position, float), np.array(covariance),
                           stamp_ns=stamp_ns, now_ns=now_ns)


def only(people: BuildingPeople, now_ns: int = T0) -> BuildingPerson:
    (person,) = people.people(now_ns)
    return person


def test_position_of_an_area_is_in_the_frame_of_the_building() -> None:
    people = building(loft=MapPose(10.0, 0.0, 3.0, pi / 2))
    locate(people, 'loft', (2.0, 1.0), covariance=[[4.0, 0.0], [0.0, 1.0]])
    person = only(people)
    assert (person.subject, person.area, person.areas) == ('ann', 'loft', ('loft',))
    assert person.sources == ('camera of loft',)
    assert person.position_m == pytest.approx((9.0, 2.0, 3.0))
    np.testing.assert_allclose(person.covariance, [[1.0, 0.0], [0.0, 4.0]], atol=1e-3)


def test_somebody_in_two_areas_is_one_person_between_both_estimates() -> None:
    people = building()
    locate(people, 'hall', (11.0, 0.0))
    locate(people, 'stairs', (1.4, 0.0))
    person = only(people)
    assert person.areas == ('hall', 'stairs')
    assert person.sources == ('camera of hall', 'camera of stairs')
    assert person.position_m == pytest.approx((11.2, 0.0, 0.0))
    assert np.trace(person.covariance) == pytest.approx(np.trace(SURE), rel=0.01)


def test_the_surer_area_is_that_of_the_person_and_counts_more() -> None:
    people = building()
    locate(people, 'hall', (11.0, 0.0), covariance=4.0 * np.eye(2))
    locate(people, 'stairs', (1.4, 0.0), stamp_ns=8)
    person = only(people)
    assert (person.area, person.stamp_ns) == ('stairs', 8)
    assert person.position_m[0] == pytest.approx(11.4, abs=0.01)


def test_the_area_changes_when_another_is_surer_by_far_only() -> None:
    people = building()
    locate(people, 'hall', (11.0, 0.0))
    assert only(people).area == 'hall'
    locate(people, 'stairs', (1.0, 0.0), covariance=0.8 * SURE)
    assert only(people).area == 'hall'
    locate(people, 'stairs', (1.0, 0.0), covariance=0.5 * SURE)
    assert only(people).area == 'stairs'
    locate(people, 'stairs', (1.0, 0.0), covariance=1.2 * SURE)
    assert only(people).area == 'stairs'


def walk(people: BuildingPeople, *, overlap_m: float) -> list[tuple[BuildingPerson, ...]]:
    """Somebody walks at 1 m/s from hall to stairs, whose border is at x = 10."""
    seen = []
    for tick in range(200):
        now_ns, x = T0 + tick * S // 10, 0.1 * tick
        for name in ('hall', 'stairs'):
            people.update_area(name, people_pose(name), {}, now_ns)
        if x <= 10.0 + overlap_m / 2:
            locate(people, 'hall', (x, 0.0), now_ns)
        if x >= 10.0 - overlap_m / 2:
            locate(people, 'stairs', (x - 10.0, 0.0), now_ns)
        seen.append(people.people(now_ns))
    return seen


def people_pose(name: str) -> MapPose:
    return MapPose(x=10.0 if name == 'stairs' else 0.0)


@pytest.mark.parametrize('overlap_m', [4.0, 0.0, -2.0])
def test_a_walk_through_two_areas_is_that_of_one_person(overlap_m: float) -> None:
    seen = walk(building(), overlap_m=overlap_m)
    assert {len(people) for people in seen} == {1}
    assert {people[0].subject for people in seen} == {'ann'}
    assert [people[0].area for people in (seen[0], seen[-1])] == ['hall', 'stairs']
    positions = np.array([people[0].position_m[0] for people in seen])
    errors = np.abs(positions - 0.1 * np.arange(200))
    assert errors.max() < (0.25 if overlap_m >= 0 else 2.1)
    assert np.diff(positions).min() > -0.3  # nobody jumps back at the border


def test_estimate_becomes_unsure_with_its_age_and_is_dropped() -> None:
    people = building()
    locate(people, 'hall', (1.0, 0.0))
    person = only(people, T0 + 2 * S)
    assert person.age_s == 2.0
    assert person.covariance[0, 0] == pytest.approx(0.04 + 4.0, abs=0.01)
    assert people.people(T0 + 4 * S) == ()
    assert not people._estimates
    assert not people._surest


def test_a_phone_that_returns_is_the_same_person() -> None:
    people = building()
    locate(people, 'hall', (1.0, 0.0))
    assert people.people(T0 + 100 * S) == ()
    people.update_area('hall', MapPose(), {}, T0 + 200 * S)
    locate(people, 'hall', (2.0, 0.0), T0 + 200 * S)
    assert only(people, T0 + 200 * S).subject == 'ann'


def test_areas_that_vanish_take_their_estimates_with_them() -> None:
    people = building()
    people.update_area('stairs', MapPose(x=10.0), {}, T0 + 9 * S)
    locate(people, 'hall', (1.0, 0.0), T0 + 9 * S)
    locate(people, 'stairs', (1.0, 0.0), T0 + 9 * S, subject='ben')
    assert people.areas == ('hall', 'stairs')
    assert [each.subject for each in people.people(T0 + 11 * S)] == ['ben']
    assert people.areas == ('stairs',)
    with pytest.raises(MeasurementError, match="area 'hall' has not told its pose yet"):
        locate(people, 'hall', (1.0, 0.0), T0 + 11 * S)


def test_areas_that_contradict_each_other_give_one_person_and_a_sentence() -> None:
    people = building()
    for tick in range(70):
        now_ns = T0 + tick * S // 10
        locate(people, 'hall', (1.0, 0.0), now_ns)
        locate(people, 'stairs', (8.0, 0.0), now_ns, covariance=0.8 * SURE)
        person = only(people, now_ns)
        assert person.areas == ('stairs',)
        assert person.position_m[0] == pytest.approx(18.0)
        assert bool(people.contradictions) == (tick >= 50)
    assert people.contradictions == (
        'ann is in stairs and in hall, 17.0 m apart: two phones of one name, or a wrong map_pose',)
    locate(people, 'hall', (18.0, 0.0), now_ns)
    assert only(people, now_ns).areas == ('hall', 'stairs')
    assert not people.contradictions


def test_floors_above_each_other_are_no_overlap() -> None:
    people = building(hall=MapPose(), loft=MapPose(z=3.0))
    locate(people, 'hall', (1.0, 0.0), covariance=2.0 * SURE)
    locate(people, 'loft', (1.0, 0.0))
    person = only(people)
    assert (person.areas, person.position_m[2]) == (('loft',), 3.0)


def test_people_are_sorted_and_counted_once_each() -> None:
    people = building()
    for subject in ('eve', 'bob', 'ann'):
        for area in ('hall', 'stairs'):
            locate(people, area, (5.0, 0.0), subject=subject)
    assert [each.subject for each in people.people(T0)] == ['ann', 'bob', 'eve']


@pytest.mark.parametrize(('change', 'complaint'), [
    ({'position': (nan, 0.0)}, 'two numbers within 100000'),
    ({'position': (inf, 0.0)}, 'two numbers within 100000'),
    ({'position': (0.0, 1e9)}, 'two numbers within 100000'),
    ({'position': (0.0,)}, 'two numbers within 100000'),
    ({'covariance': [[nan, 0.0], [0.0, 1.0]]}, 'a covariance is'),
    ({'covariance': [[-1.0, 0.0], [0.0, 1.0]]}, 'a covariance is'),
    ({'covariance': [[1.0, 2.0], [2.0, 1.0]]}, 'a covariance is'),
    ({'covariance': [[1e12, 0.0], [0.0, 1.0]]}, 'a covariance is'),
    ({'covariance': [1.0, 1.0]}, 'a covariance is'),
    ({'subject': 'ann/../ben'}, 'not the name of a subject'),
    ({'subject': ''}, 'not the name of a subject'),
    ({'stamp_ns': 0}, 'the stamp of a position is 0 ns'),
    ({'stamp_ns': 2**62}, 'the stamp of a position is'),
    ({'area': 'yard'}, "area 'yard' has not told its pose")])
def test_hostile_estimates_are_refused_and_change_nothing(
    change: dict[str, Any], complaint: str,
) -> None:
    people = building()
    with pytest.raises(MeasurementError, match=complaint):
        locate(people, **{'area': 'hall', 'position': (1.0, 0.0), **change})
    assert people.people(T0) == ()
    assert not people._estimates


@pytest.mark.parametrize('covariance', [
    np.zeros((2, 2)), np.ones((2, 2)), np.ones((2, 2)) * 1e8, np.diag([1e8, 0.0]),
    np.array([[1.0, 1.0005], [1.0005, 1.0]])])
def test_covariances_at_the_limits_give_finite_positions(covariance: np.ndarray) -> None:
    people = building()
    locate(people, 'hall', (11.0, 0.0), covariance=covariance)
    locate(people, 'stairs', (1.0, 0.0), covariance=covariance)
    person = only(people)
    assert np.isfinite(person.position_m).all()
    assert np.linalg.eigvalsh(person.covariance).min() > 0.0


@pytest.mark.parametrize('pose', [MapPose(x=nan), MapPose(yaw=inf), MapPose(z=1e9)])
def test_poses_that_are_none_are_refused(pose: MapPose) -> None:
    people = building()
    with pytest.raises(MeasurementError, match="the pose of area 'hall' is"):
        people.update_area('hall', pose, {}, T0)
    locate(people, 'hall', (1.0, 0.0))
    assert only(people).position_m == pytest.approx((1.0, 0.0, 0.0))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'MAX_POSITIONS', 3)
    monkeypatch.setattr(module, 'MAX_BUILDING_AREAS', 2)
    people = building()
    with pytest.raises(MeasurementError, match='is one too many: at most 2'):
        people.update_area('yard', MapPose(), {}, T0)
    for number in range(3):
        locate(people, 'hall', (1.0, 0.0), subject=f'p{number}')
    with pytest.raises(MeasurementError, match="'p3' is one too many: at most 3 positions"):
        locate(people, 'hall', (1.0, 0.0), subject='p3')
    locate(people, 'hall', (2.0, 0.0), T0 + S, subject='p0')
    assert len(people.people(T0 + S * 7 // 2)) == 1
    locate(people, 'hall', (1.0, 0.0), T0 + 4 * S, subject='p3')
