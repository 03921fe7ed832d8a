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

"""Rows of a running federation; it runs in test_killed_nodes."""

from math import inf

from utt_ros.evaluation.benchmarks.federation_checks import (
    kill_results,
    soak_results,
)
from utt_ros.evaluation.benchmarks.killed_nodes import KINDS, NodeKill, NodeKillReport
from utt_ros.evaluation.benchmarks.soak import SoakReport, Trend

FLAT, STEEP = Trend(50.0, 0.1, -0.5, 0.7), Trend(50.0, 9.0, 8.0, 10.0)


def report_of(**changes: object) -> NodeKillReport:
    kills = [NodeKill(kind, 2.0, 0.1, 3.0) for kind in KINDS for _ in range(10)]
    return NodeKillReport(**{
        'baseline_s': {'a': 0.3}, 'processes': (9, 9), 'kills': kills, **changes})


def test_quick_recovery_keeps_every_promise() -> None:
    rows = kill_results(report_of())
    assert len(rows) == len(KINDS) + 1
    assert all(row.kept for row in rows)
    assert rows[0].measured.startswith(
        '10 kills: own area silent p50 2.0 s, p90 2.0 s; others +0.10')


def test_one_slow_recovery_of_ten_is_within_the_promise_and_two_are_not() -> None:
    for slow, kept in ((1, True), (2, False)):
        kills = [NodeKill('sync', 9.0 if number < slow else 2.0, 0.0, 3.0) for number in range(11)]
        assert kill_results(report_of(kills=kills))[0].kept is kept


def test_disturbed_areas_lost_nodes_and_leftovers_break_promises() -> None:
    for kill in (NodeKill('sync', 2.0, 0.6, 3.0), NodeKill('sync', 2.0, 0.0, inf)):
        assert not kill_results(report_of(kills=[kill]))[0].kept
    assert not kill_results(report_of(kills=[]))[0].kept
    assert not kill_results(report_of(segments_left=1))[-1].kept
    assert not kill_results(report_of(processes=(9, 8)))[-1].kept


def test_flat_memory_and_time_keep_their_promises() -> None:
    memory, time = soak_results(SoakReport(600.0, {'a/twin': FLAT}, {'a': FLAT}, (), 1.0))
    assert memory.kept
    assert time.kept
    assert 'a/twin 50 MB +0.1 [-0.5, +0.7] MB/h' in memory.measured


def test_growth_and_restarts_break_promises_and_are_named() -> None:
    memory, time = soak_results(SoakReport(600.0, {'a/twin': STEEP}, {'a': STEEP}, (), 1.0))
    assert (memory.kept, time.kept) == (False, False)
    assert memory.findings == ('a/twin 50 MB +9 [+8, +10] MB/h',)
    assert time.findings == ('a',)
    memory, _ = soak_results(SoakReport(
        600.0, {'a/twin': STEEP}, {'a': FLAT}, (), 1.0, {'a/twin': FLAT}))
    assert memory.findings == (
        'a/twin 50 MB +9 [+8, +10] MB/h, RSS 50 MB +0.1 [-0.5, +0.7] MB/h',)
    restarted, _ = soak_results(SoakReport(600.0, {'a/twin': FLAT}, {'a': FLAT}, ('a/sync',), 1.0))
    assert (restarted.kept, restarted.findings) == (False, ('a/sync',))
