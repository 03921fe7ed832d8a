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

"""Trends of a soak; it runs in test_killed_nodes."""

import numpy as np
import pytest

from utt_ros.evaluation.benchmarks.soak import SoakReport, trend, warm_up_sec

TIMES_S = np.arange(0.0, 3600.0, 2.0)


def test_a_growing_series_has_a_slope_and_bounds_around_it(rng: np.random.Generator) -> None:
    values = 100.0 + 5.0 * TIMES_S / 3600.0 + rng.normal(0.0, 1.0, len(TIMES_S))
    found = trend(TIMES_S, values)
    assert found.low < 5.0 < found.high
    assert found.low > 3.0
    assert found.mean == pytest.approx(102.5, abs=0.1)


def test_noise_alone_is_no_growth() -> None:
    lows = []
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(0.0, 1.0, len(TIMES_S))
        lows.append(trend(TIMES_S, 100.0 + noise).low)
    assert np.mean(np.array(lows) > 0.0) <= 0.02  # the upper half of 1 %


def test_a_step_while_buffers_fill_is_no_growth_beyond_doubt() -> None:
    values = np.where(TIMES_S < 200.0, 90.0, 100.0)
    assert trend(TIMES_S, values).low < 1.0 < trend(TIMES_S, values).high


@pytest.mark.parametrize('count', [1, 2])
def test_few_samples_prove_nothing(count: int) -> None:
    found = trend(TIMES_S[:count], [1.0] * count)
    assert (found.slope, found.low, found.high) == (0.0, -np.inf, np.inf)


def test_processes_and_areas_beyond_doubt_are_named() -> None:
    flat, steep = trend(TIMES_S, np.full(len(TIMES_S), 5.0)), trend(TIMES_S, TIMES_S / 900.0)
    report = SoakReport(3600.0, {'a/twin': flat, 'a/sync': steep}, {'a': steep, 'b': flat}, (), 0)
    assert (report.growing(), report.slowing()) == (['a/sync'], ['a'])


def test_warm_up_is_a_quarter_and_at_most_ten_minutes() -> None:
    assert [warm_up_sec(seconds) for seconds in (60.0, 600.0, 36_000.0)] == [15.0, 150.0, 600.0]
