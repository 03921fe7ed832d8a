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

"""Axis of steps: how a phone is held, from the accelerations of its carrier."""

import numpy as np
import pytest

from utt_ros.motion.step_axis import estimate_step_axis
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session

PERIOD_S = 0.02


def walk(
    held_rad: float, *, seconds: float = 20.0, phase_rad: float = np.pi / 2,
) -> np.ndarray:
    """A level phone, its y axis `held_rad` to the left of the course of a steady walk."""
    step = 2 * np.pi * 1.8 * np.arange(0, seconds, PERIOD_S)
    push, sway = 0.5 * np.cos(step - phase_rad), 0.4 * np.sin(step / 2)
    inertial = np.zeros((len(step), 6), np.float32)
    # axes of the phone: x to the right of y
    inertial[:, 1] = push * np.cos(held_rad) + sway * np.sin(held_rad)
    inertial[:, 0] = push * np.sin(held_rad) - sway * np.cos(held_rad)
    inertial[:, 2] = 9.80665 + 3.0 * np.cos(step)
    return inertial


@pytest.mark.parametrize('held_rad', [-0.6, 0.0, 0.2, 1.2])
def test_axis_is_that_of_the_course_in_the_phone(held_rad: float) -> None:
    axis = estimate_step_axis(walk(held_rad), PERIOD_S)
    assert -np.angle(axis) / 2 == pytest.approx(held_rad, abs=0.02)
    assert abs(axis) == pytest.approx(20.0, abs=1.0)


@pytest.mark.parametrize('inertial', [
    walk(0.2, seconds=8.0), np.tile(np.float32([0, 0, 9.8, 0, 0, 0]), (2000, 1)),
    walk(0.2, phase_rad=0.3)], ids=['short', 'standing', 'of an arm'])
def test_there_is_no_axis_without_steps_of_the_body(inertial: np.ndarray) -> None:
    assert estimate_step_axis(inertial, PERIOD_S) == 0j


def test_simulated_phones_are_held_as_the_simulator_has_it() -> None:
    plan = plan_sessions(1, 1.5, 5)[0]
    for name, phone in simulate_session(plan).phones.items():
        times = np.arange(phone.inertial_stamps_ns[0], phone.inertial_stamps_ns[-1], 2e7)
        inertial = np.stack([np.interp(times, phone.inertial_stamps_ns, axis)
                             for axis in phone.inertial.T], axis=1)
        axis = estimate_step_axis(inertial, PERIOD_S)
        true = plan.area.people[int(name.removeprefix('walker'))].tilts[0]
        assert np.degrees(-np.angle(axis) / 2 - true) == pytest.approx(0.0, abs=6.0)
