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

"""Kills of nodes of a running federation: how long its areas are silent, and what is left over."""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import numpy as np
import psutil

from utt_ros.evaluation.benchmarks.area_watch import AreaWatch
from utt_ros.evaluation.benchmarks.federation_rig import DRIVERS, FederationRig
from utt_ros.orchestration.shared_memory import LOCK_SUFFIX, segment_locks
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.types import NS_PER_S

KINDS = ('sync', 'twin', 'trainer', 'aggregator', *DRIVERS)
PAUSE_SEC = 62.0  # between kills of one process: earlier ones delay its restart for a minute
BACK_SEC = 60.0
WATCH_SEC = 4.0  # after a kill, at least
SETTLE_SEC = 30.0
STALE_NS = 500_000_000  # what the killed process sent has arrived by then


@dataclass(frozen=True, slots=True)
class NodeKill:
    """Consequences of one kill."""

    kind: str
    own_silence_s: float  # longest, of the area of the node; 0 for the aggregator
    other_silence_s: float  # longest, of the other areas, beyond their baseline
    back_s: float  # until the node reported again; inf: it did not


@dataclass(slots=True)
class NodeKillReport:
    """Kills of all kinds of nodes."""

    baseline_s: dict[str, float]  # longest silence by area without kills
    processes: tuple[int, int] = (0, 0)  # before and after
    kills: list[NodeKill] = field(default_factory=list)
    segments_left: int = 0  # of shared memory, of killed processes
    load: float = 0.0  # of the machine, mean while it ran

    def of_kind(self, kind: str) -> list[NodeKill]:
        """Return the kills of one kind of node."""
        return [kill for kill in self.kills if kill.kind == kind]


def kill_nodes(
    rig: FederationRig, processes: Supervisor, watch: AreaWatch, kills: int, *,
    baseline_sec: float, seed: int, kinds: Sequence[str] = KINDS,
) -> NodeKillReport:
    """Kill a node of each kind `kills` times, in turns and at random moments.

    The silence of areas without kills is measured for `baseline_sec` before.
    """
    rng = np.random.default_rng(seed)
    watch.pause(WATCH_SEC)
    begin_ns = time.time_ns()
    watch.pause(baseline_sec)
    baseline_s = {area: watch.silence_s(area, begin_ns, time.time_ns()) for area in rig.phones}
    report = NodeKillReport(baseline_s, (count_processes(), 0))
    locks: set[Path] = set()
    last_s: dict[str, float] = defaultdict(lambda: -inf)
    loads: list[float] = []
    for name in victims(rig, kills, kinds):
        due_s = max(last_s[name] + PAUSE_SEC, time.monotonic()) + rng.uniform(0.0, 1.0)
        watch.pause(due_s - time.monotonic())
        pid = processes.pids().get(name)
        if pid is None:  # another fault ended it, and it is not back
            report.kills.append(NodeKill(name.rpartition('/')[2], inf, 0.0, inf))
            continue
        locks |= held_locks(pid)
        last_s[name] = time.monotonic()
        report.kills.append(_kill(rig, watch, name, pid, baseline_s))
        loads.append(os.getloadavg()[0])
    before = report.processes[0]
    watch.wait(lambda: count_processes() == before and not _left(locks), SETTLE_SEC)
    report.processes = before, count_processes()
    report.segments_left = _left(locks)
    report.load = float(np.mean(loads)) if loads else 0.0
    return report


def victims(rig: FederationRig, kills: int, kinds: Sequence[str] = KINDS) -> Iterator[str]:
    """Yield the nodes to kill: all kinds in turns, areas in turns."""
    areas = list(rig.phones)
    for turn in range(kills):
        for kind in kinds:
            area = rig.live_area if kind in DRIVERS else areas[turn % len(areas)]
            yield 'utt/aggregator' if kind == 'aggregator' else f'{area}/{kind}'


def _kill(
    rig: FederationRig, watch: AreaWatch, name: str, pid: int, baseline_s: dict[str, float],
) -> NodeKill:
    own, _, kind = name.partition('/')
    begin_ns = time.time_ns()
    os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        now_ns = time.time_ns()
        newest_ns = max(watch.arrivals.get(own) or [now_ns])
        return (watch.reported.get(name, 0) > begin_ns + STALE_NS
                and newest_ns > max(begin_ns + STALE_NS, now_ns - STALE_NS))

    is_back = watch.wait(back, BACK_SEC)
    back_s = (time.time_ns() - begin_ns) / NS_PER_S if is_back else inf
    watch.pause(WATCH_SEC - back_s)
    end_ns = time.time_ns()
    silence_s = {area: watch.silence_s(area, begin_ns, end_ns) for area in rig.phones}
    others = [silence_s[area] - baseline_s[area] for area in rig.phones if area != own]
    return NodeKill(kind, silence_s.get(own, 0.0), max(others, default=0.0), back_s)


def held_locks(pid: int) -> set[Path]:
    """Return the locks of the shared memory that a process owns."""
    held: set[Path] = set()
    for link in Path(f'/proc/{pid}/fd').iterdir():
        with suppress(OSError):
            held.add(link.readlink())
    return held & set(segment_locks())


def _left(locks: Iterable[Path]) -> int:
    return sum(lock.exists() or lock.with_name(lock.name.removesuffix(LOCK_SUFFIX)).exists()
               for lock in locks)


def count_processes() -> int:
    """Return the number of living descendants of this process."""
    return sum(child.status() != psutil.STATUS_ZOMBIE
               for child in psutil.Process().children(recursive=True))
