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

from utt_ros.association.dead_reckoning import (
    count_steps,
    count_steps_causal,
    dead_reckon,
    window_headings,
)


def test_window_headings_are_those_of_the_phones(walkers) -> None:
    angles, valid = window_headings(walkers(), magnetic_yaw=0.0)
    assert valid.all()
    assert angles[0] == pytest.approx(np.pi / 2, abs=0.02)
    assert angles[1] == pytest.approx(0.0, abs=0.02)


def test_each_period_of_the_acceleration_is_a_step(walkers) -> None:
    assert count_steps(walkers(ticks=50)).sum(1).tolist() == [10, 10]


def test_a_phone_at_rest_counts_no_step(walkers) -> None:
    candidates = walkers()
    candidates.imu[:, :, 2] = 9.81
    assert not count_steps(candidates).any()


def test_dead_reckoning_follows_the_heading(walkers) -> None:
    end = dead_reckon(walkers(ticks=50), 0.0, step_m=0.6)[:, -1]
    assert end[0] == pytest.approx([0.0, 6.0], abs=0.2)
    assert end[1] == pytest.approx([6.0, 0.0], abs=0.2)


def test_causal_steps_do_not_depend_on_later_samples(walkers) -> None:
    imu = walkers(ticks=60).imu[0].reshape(60, 5, 9)
    counted = count_steps_causal(imu, rate_hz=50.0)
    assert counted.sum() == pytest.approx(12, abs=2)
    np.testing.assert_array_equal(count_steps_causal(imu[:40], rate_hz=50.0)[:38], counted[:38])
