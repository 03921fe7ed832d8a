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

"""Checks of a running federation: killed nodes, and a soak."""

from math import inf

import numpy as np

from utt_ros.evaluation.benchmarks.federation_rig import build_rig, run_rig
from utt_ros.evaluation.benchmarks.killed_nodes import KINDS, NodeKillReport, kill_nodes
from utt_ros.evaluation.benchmarks.promises import FaultPlan, PromiseResult
from utt_ros.evaluation.benchmarks.soak import SoakReport, Trend, soak, warm_up_sec

MAX_RECOVERY_S = 5.0  # p90
MAX_DISTURBANCE_S = 0.5
KILL_RUN_SEC = 3600.0  # for which devices send
START_SEC = 600.0


def killed_nodes(plan: FaultPlan) -> list[PromiseResult]:
    """Kill nodes of a running federation."""
    kills = plan.share(20, 1)
    rig = build_rig(plan.folder, 2 if plan.short else 3, KILL_RUN_SEC, plan.seed)
    with run_rig(rig, plan.folder) as (processes, watch):
        report = kill_nodes(
            rig, processes, watch, kills, baseline_sec=plan.share(120, 10), seed=plan.shard_seed)
    return kill_results(report)


def kill_results(report: NodeKillReport) -> list[PromiseResult]:
    """Return a row per kind of node, and one of what is left over."""
    return [*(_kill_result(report, kind) for kind in KINDS), _leftovers(report)]


def _kill_result(report: NodeKillReport, kind: str) -> PromiseResult:
    kills = report.of_kind(kind)
    own = np.array([kill.own_silence_s for kill in kills] or [inf])
    others = max((kill.other_silence_s for kill in kills), default=inf)
    back = np.array([kill.back_s for kill in kills] or [inf])
    p90 = float(np.percentile(own, 90, method='higher'))
    lost = int(np.sum(~np.isfinite(back)))
    return PromiseResult(
        f'after kill -9 of a {kind} its area predicts again, others go on',
        f'{len(kills)} kills: own area silent p50 {np.median(own):.1f} s, p90 {p90:.1f} s; others '
        f'{others:+.2f} s; reports again after p90 {np.percentile(back, 90, method="higher"):.1f} '
        f's; {lost} not back; load {report.load:.1f}',
        f'p90 {MAX_RECOVERY_S:g} s; {MAX_DISTURBANCE_S:+g} s; 0',
        p90 <= MAX_RECOVERY_S and others <= MAX_DISTURBANCE_S and not lost)


def _leftovers(report: NodeKillReport) -> PromiseResult:
    before, after = report.processes
    baseline = ', '.join(f'{value:.2f}' for value in report.baseline_s.values())
    return PromiseResult(
        'killed nodes leave nothing behind',
        f'{len(report.kills)} kills: {report.segments_left} segments in /dev/shm, processes '
        f'{before} before, {after} after (baseline silence {baseline} s)',
        '0, equal', not report.segments_left and before == after)


def soaked_federation(plan: FaultPlan) -> list[PromiseResult]:
    """Let a federation run and watch memory and time."""
    seconds = min(plan.soak_sec, 60.0) if plan.short else plan.soak_sec
    rig = build_rig(plan.folder, 3, seconds + START_SEC, plan.seed)
    with run_rig(rig, plan.folder) as (processes, watch):
        report = soak(rig, processes, watch, seconds)
    return soak_results(report)


def soak_results(report: SoakReport) -> list[PromiseResult]:
    """Return the rows of memory and of time."""
    return [_memory_result(report), _time_result(report)]


def _memory_result(report: SoakReport) -> PromiseResult:
    steepest = max(report.own_mb, key=lambda name: report.own_mb[name].low)
    growing = report.growing()
    return PromiseResult(
        'memory of every process is flat',
        f'{report.seconds:g} s, {len(report.own_mb)} processes: {len(growing)} grow, '
        f'{len(report.restarted)} restarted; steepest {_memory(report, steepest)}; '
        f'load {report.load:.1f}',
        'slope within noise (99 %)', not growing and not report.restarted,
        tuple(_memory(report, name) for name in growing) + report.restarted)


def _memory(report: SoakReport, name: str) -> str:
    rss = report.rss_mb.get(name)
    text = f'{name} {_trend(report.own_mb[name], "MB")}'
    return f'{text}, RSS {_trend(rss, "MB")}' if rss else text


def _time_result(report: SoakReport) -> PromiseResult:
    slowing = report.slowing()
    areas = '; '.join(
        f'{area} {_trend(trend, "ms")}' for area, trend in report.compute_p99_ms.items())
    return PromiseResult(
        'p99 of a tick is flat',
        f'{report.seconds - warm_up_sec(report.seconds):g} s: {areas}',
        'slope within noise (99 %)', bool(report.compute_p99_ms) and not slowing, tuple(slowing))


def _trend(trend: Trend, unit: str) -> str:
    return (f'{trend.mean:.3g} {unit} {trend.slope:+.2g} [{trend.low:+.2g}, {trend.high:+.2g}] '
            f'{unit}/h')
