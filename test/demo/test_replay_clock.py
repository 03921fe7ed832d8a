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

"""Replay clocks of two bags that are played one after the other."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.demo.replay_clock import (
    merge_segments,
    replay_latency_ms,
    select_segment,
    split_clock,
)

S = 1_000_000_000
BEGIN_NS = 1_700_000_000 * S


def predictions(seconds, positions):
    count = len(seconds)
    stamps_ns = BEGIN_NS + (np.array(seconds) * S).astype(np.int64)
    return PublishedPositions(
        np.array(['ann'] * count), stamps_ns, np.array(positions, float),
        np.broadcast_to(np.eye(2), (count, 2, 2)), np.zeros(count, np.int64))


def clock_of_two_bags():
    """Two bags of 2 s that overlap in their own time, replayed one after the other."""
    wall = 5_000 * S + np.arange(200, dtype=np.int64) * S // 50
    time = BEGIN_NS + (np.arange(200, dtype=np.int64) % 100) * S // 50
    return np.stack([time, wall], axis=1)


def test_clock_is_split_where_another_bag_begins():
    first, second = split_clock(clock_of_two_bags())
    assert len(first) == len(second) == 100


def test_burst_of_late_clock_messages_does_not_split_a_bag():
    clock = clock_of_two_bags()
    clock[50:60, 1] += 20 * S
    clock[60:, 0] += 5 * S
    clock[60:, 1] += 20 * S
    first_ends, second_ends = BEGIN_NS + 8 * S, BEGIN_NS + 9 * S
    assert len(split_clock(clock)) == 3
    merged = merge_segments(split_clock(clock), [first_ends, second_ends])
    assert [len(part) for part in merged] == [100, 100]


def test_segments_of_different_bags_are_not_merged():
    clock = clock_of_two_bags()
    clock[100:, 0] += 60 * S
    ends = [BEGIN_NS + 2 * S, BEGIN_NS + 62 * S]
    assert [len(part) for part in merge_segments(split_clock(clock), ends)] == [100, 100]


def test_positions_are_assigned_to_bags_by_arrival_time():
    parts = split_clock(clock_of_two_bags())
    stamps = predictions([1.0, 1.0], [(0, 0), (1, 1)])
    both = replace(stamps, received_ns=np.array([5_001 * S, 5_003 * S]))
    selected = [select_segment(both, part).positions_m.tolist() for part in parts]
    assert selected == [[[0, 0]], [[1, 1]]]


def test_latency_is_measured_from_the_replayed_stamp():
    late = replace(
        predictions([1.0, 1.0], [(0, 0)] * 2),
        received_ns=np.array([5_001 * S + 4_000_000, 5_003 * S + 6_000_000]))
    found = replay_latency_ms(late, clock_of_two_bags())
    assert found['p50'] == pytest.approx(5.0)
    assert found['n'] == 2


def test_no_positions_have_no_latency():
    assert replay_latency_ms(predictions([], np.zeros((0, 2))), clock_of_two_bags()) is None


def test_latency_of_a_slow_replay_is_wall_time():
    ticks = np.arange(100) * S
    clock = np.stack([BEGIN_NS + ticks // 10, 5_000 * S + ticks // 5], axis=1)
    late = replace(
        predictions([1.0, 3.0], [(0, 0)] * 2),
        received_ns=np.array([5_002 * S + 4_000_000, 5_006 * S + 6_000_000]))
    assert replay_latency_ms(late, clock, rate=0.5)['p50'] == pytest.approx(5.0)
