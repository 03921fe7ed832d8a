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

from utt_ros.sessions.simulator.ftm_ranging import RangeBias, simulate_ranging
from utt_ros.sessions.simulator.trajectories import GRID_HZ, SimulatedWalk
from utt_ros.settings import AreaSettings

AREA = AreaSettings(area='area0')
NO_BIAS = RangeBias(0.0, 0.0)


def standing(x: float, heading_rad: float = np.pi, seconds: int = 900) -> SimulatedWalk:
    times = np.arange(seconds * int(GRID_HZ) + 1) / GRID_HZ
    position = np.tile([x, 0.0], (len(times), 1))
    return SimulatedWalk(times, position, np.full(len(times), heading_rad))


def slant(x: float) -> float:
    return float(np.hypot(x, AREA.ap_position[2] - AREA.phone_height))


def test_facing_the_access_point_ranges_are_about_right(rng: np.random.Generator) -> None:
    _, ftm, _ = simulate_ranging(rng, AREA, NO_BIAS, standing(8), [])
    assert np.median(ftm[:, 0]) == pytest.approx(slant(8), abs=0.3)
    assert 0.4 < ftm[:, 0].std() < 2


def test_a_body_in_the_way_makes_ranges_longer_and_signals_weaker(
        rng: np.random.Generator) -> None:
    _, facing, strong = simulate_ranging(rng, AREA, NO_BIAS, standing(10), [])
    _, away, weak = simulate_ranging(rng, AREA, NO_BIAS, standing(10, heading_rad=0.0), [])
    assert np.median(away[:, 0]) > np.median(facing[:, 0]) + 0.5
    assert np.median(weak[:, 0]) < np.median(strong[:, 0]) - 5
    assert weak[:, 2].mean() < strong[:, 2].mean()


def test_a_bystander_in_the_line_does_so_too(rng: np.random.Generator) -> None:
    _, clear, _ = simulate_ranging(rng, AREA, NO_BIAS, standing(10), [])
    _, hidden, _ = simulate_ranging(rng, AREA, NO_BIAS, standing(10), [standing(9)])
    overhead = [standing(3)]  # the line to the access point is above this person
    _, below, _ = simulate_ranging(rng, AREA, NO_BIAS, standing(10), overhead)
    assert np.median(hidden[:, 0]) > np.median(clear[:, 0]) + 0.5
    assert np.median(below[:, 0]) == pytest.approx(np.median(clear[:, 0]), abs=0.4)


def test_bias_is_an_offset_and_a_slope(rng: np.random.Generator) -> None:
    _, ftm, _ = simulate_ranging(rng, AREA, RangeBias(-0.8, 0.12), standing(12), [])
    assert np.median(ftm[:, 0]) == pytest.approx(slant(12) * 1.12 - 0.8, abs=0.4)


def test_errors_follow_one_another(rng: np.random.Generator) -> None:
    _, ftm, _ = simulate_ranging(rng, AREA, NO_BIAS, standing(8), [])
    errors = ftm[:, 0] - np.median(ftm[:, 0])
    errors = np.clip(errors, -2, 2)
    assert np.corrcoef(errors[:-1], errors[1:])[0, 1] > 0.5


def test_three_rangings_a_second_less_losses_and_bursts(rng: np.random.Generator) -> None:
    times, ftm, signal = simulate_ranging(rng, AREA, NO_BIAS, standing(8), [])
    assert (np.diff(times) > 0).all()
    assert 0.85 < len(times) / (900 * 3) < 0.95
    gaps = np.diff(times)
    assert 1.2 < gaps.max() < 6
    assert ftm.shape == (len(times), 2)
    assert ((signal[:, 2] >= 1) & (signal[:, 2] <= signal[:, 1])).all()
    assert np.array_equal(ftm, ftm.round(3))  # millimetres, as phones report
