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

from utt_ros.sessions.simulator.people import SimulatedPerson, random_person


@pytest.fixture(scope='module')
def people() -> list[SimulatedPerson]:
    return [random_person(np.random.default_rng(seed)) for seed in range(200)]


def test_people_walk_at_comfortable_speeds_and_cadences(people: list[SimulatedPerson]) -> None:
    speeds = np.array([person.speed_mps for person in people])
    assert 0.85 <= speeds.min() < speeds.max() <= 1.5
    assert speeds.mean() == pytest.approx(1.2, abs=0.05)
    assert np.mean([person.cadence_hz for person in people]) == pytest.approx(1.57, abs=0.02)


def test_half_of_the_phones_sample_at_50_hz_and_half_at_100_hz(
        people: list[SimulatedPerson]) -> None:
    rates = np.array([person.imu_hz for person in people])
    nominal = np.where(rates > 75, 100, 50)
    assert np.abs(rates / nominal - 1).max() < 0.015
    assert 0.35 < (nominal == 100).mean() < 0.65


def test_range_offsets_of_phones_differ_by_decimetres(people: list[SimulatedPerson]) -> None:
    offsets = np.array([person.range_offset_m for person in people])
    assert offsets.mean() == pytest.approx(-0.8, abs=0.1)
    assert offsets.std() == pytest.approx(0.3, abs=0.05)
