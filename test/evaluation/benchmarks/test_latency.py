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

"""Figures from canned measurements."""

import numpy as np
import pytest

from utt_ros.evaluation.benchmarks import latency
from utt_ros.types import Stamps

MS = 1_000_000
TICKS = np.array([0, 100, 200], np.int64) * MS


def records(*rows: tuple[int, int, float, float]) -> Stamps:
    """Phone, output, tick [ms], arrival [ms]."""
    return np.array([(phone, output, tick * MS, at * MS) for phone, output, tick, at in rows],
                    np.int64).reshape(-1, 4)


def test_prediction_arrives_with_its_last_output() -> None:
    arrived = latency.last_arrivals(
        records((0, 0, 100, 103), (0, 1, 100, 107), (0, 2, 100, 105)), TICKS, 1, 3)
    assert arrived[:, 0].tolist() == [latency.PENDING, 107 * MS, latency.PENDING]
    published = np.broadcast_to(TICKS[:, None], (3, 1))
    assert latency.latencies_ms(arrived, published).tolist() == [7.0]


def test_prediction_without_one_output_is_pending() -> None:
    arrived = latency.last_arrivals(records((0, 0, 0, 3), (0, 1, 0, 3)), TICKS, 1, 3)
    assert (arrived == latency.PENDING).all()


def test_outputs_of_other_ticks_are_ignored() -> None:
    other = records((0, 0, 50, 53), (0, 0, 300, 303), (1, 0, 200, 204))
    arrived = latency.last_arrivals(other, TICKS, 2, 1)
    assert arrived.tolist() == [[-1, -1], [-1, -1], [-1, 204 * MS]]


def test_only_the_newest_imu_row_of_a_tick_counts() -> None:
    rows = records((0, 0, -0.1, 104), (0, 0, 20, 105), (0, 0, 40, 106), (0, 0, 60, 107),
                   (0, 0, 80, 108))
    assert latency.last_arrivals(rows, TICKS, 1, 1)[:, 0].tolist() == [-1, 108 * MS, -1]


def test_no_records_are_no_arrivals() -> None:
    assert (latency.last_arrivals(records(), TICKS, 2, 3) == latency.PENDING).all()
    assert latency.last_arrivals(records((0, 0, 0, 1)), TICKS[:0], 2, 3).shape == (0, 2)


def test_newest_inputs_are_found_by_phone_and_tick() -> None:
    joined = np.array([(1, 100 * MS, 130 * MS), (0, 0, 20 * MS)], np.int64)
    newest = latency.newest_inputs(joined, TICKS, 2)
    assert newest.tolist() == [[20 * MS, -1], [-1, 130 * MS], [-1, -1]]
    arrived = latency.last_arrivals(records((1, 0, 100, 138), (1, 0, 200, 201)), TICKS, 2, 1)
    assert latency.latencies_ms(arrived, newest).tolist() == [8.0]


def test_percentiles_are_named() -> None:
    found = latency.latency_percentiles(np.arange(101.0))
    assert found == {'p50': 50.0, 'p90': 90.0, 'p99': 99.0, 'max': 100.0}


def test_percentiles_without_values_are_nan() -> None:
    assert all(np.isnan(value) for value in latency.latency_percentiles(np.empty(0)).values())


def test_rate_is_computed_within_the_interval() -> None:
    history = [(second * 10**9, 50.0 * second) for second in range(10)]
    assert latency.counter_rate(history, 2 * 10**9, 8 * 10**9) == pytest.approx(50.0)
    assert latency.counter_rate(history[:1], 0, 10**10) == 0.0
    assert latency.counter_rate([], 0, 10**10) == 0.0
