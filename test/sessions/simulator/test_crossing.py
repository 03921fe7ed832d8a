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

"""People who walk through a building are measured consistently by all its areas."""

import numpy as np
import pytest

from utt_ros.geometry.compass import estimate_heading
from utt_ros.sessions.simulator.crossing import (
    REACH_M,
    Crossing,
    CrossingPlan,
    plan_crossings,
    simulate_crossing,
)
from utt_ros.sessions.simulator.trajectories import ROOM_CORNERS_M
from utt_ros.sessions.simulator.world import SessionPlan, simulate_session
from utt_ros.sync.offline_sync import synchronize
from utt_ros.types import Array, Session

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def plan() -> CrossingPlan:
    return plan_crossings(3, 2.0, seed=3, without_camera=['area2'], access_points=3)[0]


@pytest.fixture(scope='module')
def crossing(plan: CrossingPlan) -> Crossing:
    return simulate_crossing(plan)


def test_people_walk_through_all_areas_with_one_trajectory(
    plan: CrossingPlan, crossing: Crossing,
) -> None:
    assert len(crossing.truth) >= 3
    for name, true in crossing.truth.items():
        assert true.positions_m[:, 1].min() < 7.0
        assert true.positions_m[:, 1].max() > 21.0  # into the third room
        for of_area, session in zip(plan.sessions, crossing.sessions, strict=True):
            local = session.truth[name]
            rows = np.searchsorted(true.stamps_ns, local.stamps_ns)
            np.testing.assert_allclose(
                of_area.area.settings.pose_in_map.to_map(local.positions_m),
                true.positions_m[rows], atol=1e-9)
            low, high = ROOM_CORNERS_M[0] - REACH_M, ROOM_CORNERS_M[1] + REACH_M
            assert ((local.positions_m >= low) & (local.positions_m <= high)).all()


def test_two_cameras_see_a_person_at_once_and_a_phone_measures_the_same_in_two_areas(
    crossing: Crossing,
) -> None:
    first, second, third = crossing.sessions
    assert third.frames is None
    boxed = []
    for session in (first, second):
        assert session.frames is not None
        counts = np.diff(session.frames.starts)
        stamps = np.repeat(session.frames.stamps_ns, counts) // 10**8
        boxed.append(set(zip(stamps.tolist(), session.frames.subjects, strict=True)))
    assert boxed[0] & boxed[1]
    shared = 0
    for name in first.phones.keys() & second.phones.keys():
        one, two = first.phones[name], second.phones[name]
        same, rows, others = np.intersect1d(
            one.inertial_stamps_ns, two.inertial_stamps_ns, return_indices=True)
        np.testing.assert_array_equal(one.inertial[rows], two.inertial[others])
        shared += len(same)
    assert shared > 100


def compass_errors(planned: SessionPlan, session: Session) -> Array:
    area, errors = planned.area.settings, []
    for batch in synchronize(session, modalities=area.modalities,
                             access_points=area.ap_addresses):
        rows = batch.imu_mask.all(axis=1)
        found = estimate_heading(batch.imu, batch.imu_mask, 0.02, area.magnetic_yaw)
        for index in np.flatnonzero(rows & found.valid):
            true = session.truth[batch.subjects[index]]
            nearest = int(np.abs(true.stamps_ns - batch.stamp_ns).argmin())
            errors.append(found.heading[index] - true.headings_rad[nearest])
    return np.angle(np.exp(1j * np.array(errors)))


def test_the_compass_agrees_with_the_truth_in_every_area(
    plan: CrossingPlan, crossing: Crossing,
) -> None:
    for of_area, session in zip(plan.sessions, crossing.sessions, strict=True):
        errors = compass_errors(of_area, session)
        assert len(errors) > 100
        assert abs(np.median(errors)) < 0.2


def test_an_area_of_a_building_on_its_own_has_the_same_field(plan: CrossingPlan) -> None:
    turned = plan.sessions[1]
    errors = compass_errors(turned, simulate_session(turned))
    assert len(errors) > 100
    assert abs(np.median(errors)) < 0.2


def test_the_same_seed_gives_the_same_sessions(plan: CrossingPlan, crossing: Crossing) -> None:
    again = simulate_crossing(plan)
    for one, two in zip(crossing.sessions, again.sessions, strict=True):
        for name, phone in one.phones.items():
            np.testing.assert_array_equal(phone.ftm, two.phones[name].ftm)
