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

import numpy as np
import pytest

from utt_ros.sessions.simulator.trajectories import (
    GRID_HZ,
    ROOM_CORNERS_M,
    SimulatedWalk,
    random_positions,
    simulate_walk,
    smooth_noise,
)

DOORS = np.array([[16.0, 2.0], [5.0, -7.0]])


@pytest.fixture(scope='module')
def walks() -> list[SimulatedWalk]:
    return [simulate_walk(np.random.default_rng(i), 1.2, DOORS, 40.0) for i in range(30)]


def test_walks_stay_near_the_room_and_within_human_speed(walks: list[SimulatedWalk]) -> None:
    for walked in walks:
        moment = walked.at(walked.times_s)
        assert (moment.position_m > ROOM_CORNERS_M[0] - 1).all()
        assert (moment.position_m < ROOM_CORNERS_M[1] + 1).all()
        assert moment.speed_mps.max() < 2.2
        assert np.hypot(*moment.acceleration_mps2.T).max() < 4
    speeds = np.concatenate([walked.at(walked.times_s).speed_mps for walked in walks])
    assert 1.0 < np.median(speeds) < 1.35
    assert 0.02 < (speeds < 0.2).mean() < 0.3  # some stand


def test_heading_is_the_direction_of_walking(walks: list[SimulatedWalk]) -> None:
    errors = []
    for walked in walks:
        moment = walked.at(walked.times_s)
        fast = moment.speed_mps > 0.8
        course = np.arctan2(moment.velocity_mps[fast, 1], moment.velocity_mps[fast, 0])
        errors.append(np.angle(np.exp(1j * (course - moment.heading_rad[fast]))))
    assert np.percentile(np.abs(np.concatenate(errors)), 90) < np.deg2rad(10)


def test_some_walks_begin_or_end_at_a_door(walks: list[SimulatedWalk]) -> None:
    begins = np.array([walked.times_s[0] for walked in walks])
    ends = np.array([walked.times_s[-1] for walked in walks])
    assert (begins > 1).any()
    assert (ends < 39).any()
    assert ((begins == 0) & (ends == 40)).any()
    for walked in walks:
        from_door = np.linalg.norm(DOORS[:, None] - walked.position_m[[0, -1]], axis=2).min(axis=0)
        assert walked.times_s[0] < 1 or from_door[0] < 3.0
        assert walked.times_s[-1] > 39 or from_door[1] < 3.0


def test_a_walk_covers_its_own_times_only(walks: list[SimulatedWalk]) -> None:
    walked = next(walked for walked in walks if walked.times_s[0] > 1)
    assert walked.covers(np.array([0.0, walked.times_s[0], 50.0])).tolist() == [False, True, False]


def test_smooth_noise_has_unit_variance_everywhere(rng: np.random.Generator) -> None:
    noise = smooth_noise(rng, (2000, 400), 1.0)
    assert noise[[0, 1000, -1]].std(axis=1) == pytest.approx([1, 1, 1], abs=0.15)
    assert np.abs(np.diff(noise, axis=0)).max() * GRID_HZ < 10


def test_random_positions_are_in_the_room(rng: np.random.Generator) -> None:
    places = random_positions(rng, 500)
    assert (places >= ROOM_CORNERS_M[0]).all()
    assert (places <= ROOM_CORNERS_M[1]).all()
