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

"""Rig of one area with many phones over DDS: nodes, load generator and observer as processes."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np
import psutil

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import latency
from utt_ros.evaluation.benchmarks.latency import LiveResult, Usage
from utt_ros.orchestration.spec import ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.training.settings import LearningSettings
from utt_ros.types import NS_PER_MS, NS_PER_S, Stamps

POLL_SEC = 0.1
READY_SEC = 120.0
DRAIN_SEC = 2.5  # for messages in flight and the next two /diagnostics
STOP_SEC = 20.0
SYNC, TRAINER = 'bench: sync', 'bench: trainer'
MB = 1e6
Reported = tuple[int, str, dict[str, str]]  # time [ns], name, values


@dataclass(frozen=True, slots=True)
class Scenario:
    """Processes of one pipeline under the load."""

    title: str
    pipeline: tuple[ProcessSpec, ...]
    beside: tuple[ProcessSpec, ...] = ()  # training
    model: tuple[str, ...] = ()  # arguments of the generator


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of warm-up and measurement."""

    warm_up_sec: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """CPU time and memory of the processes at one moment."""

    time_ns: int
    cpu_s: dict[str, float]
    rss: dict[str, int]
    load: float
    own: dict[str, int] = field(default_factory=dict)  # of rss; of no file, and not shared

    @classmethod
    def now(cls, pids: Mapping[str, int]) -> 'ProcessSample':
        """Take a sample; children count with their parents."""
        cpu_s, rss, own = {}, {}, {}
        for name, pid in pids.items():
            family = [psutil.Process(pid)]
            family += family[0].children(recursive=True)
            times = [process.cpu_times() for process in family]
            cpu_s[name] = sum(part.user + part.system for part in times)
            memory = [process.memory_info() for process in family]
            rss[name] = sum(part.rss for part in memory)
            own[name] = sum(part.rss - part.shared for part in memory)
        return cls(time.time_ns(), cpu_s, rss, os.getloadavg()[0], own)


def rig_process(name: str, module: str, *arguments: str) -> ProcessSpec:
    """Return the specification of a process of the rig."""
    return ProcessSpec(
        name, (sys.executable, '-m', f'utt_ros.evaluation.benchmarks.{module}', *arguments),
        essential=True)


def run_scenario(
    scenario: Scenario, phones: int, timing: Timing, folder: Path, output: TextIO | None,
) -> LiveResult:
    """Start all processes, warm up, measure and stop. Raises UttError when a process fails."""
    folder.mkdir(parents=True)
    specs = load_processes(scenario, phones, folder)
    with Supervisor(specs, output=output, log_dir=folder / 'log') as processes:
        wait_for_rig(processes, scenario, READY_SEC, (folder / 'observer.ready').exists)
        wait_for_rig(processes, scenario, timing.warm_up_sec)
        begin = ProcessSample.now(processes.pids())
        wait_for_rig(processes, scenario, timing.seconds)
        end = ProcessSample.now(processes.pids())
        stop_load(processes, scenario, folder)
    return scenario_result(scenario, phones, begin, end, folder)


def load_processes(
    scenario: Scenario, phones: int, folder: Path,
) -> tuple[ProcessSpec, ...]:
    """Return the processes of a scenario, its load and its observer."""
    generator = rig_process(
        'generator', 'load_generator', str(phones), str(folder / 'generator'), *scenario.model)
    observer = rig_process('observer', 'observer', str(phones), str(folder / 'observer'))
    return (*scenario.pipeline, *scenario.beside, generator, observer)


def stop_load(processes: Supervisor, scenario: Scenario, folder: Path) -> None:
    """Stop the generator, then the observer; each writes its .npz to `folder`."""
    for name, pause_sec in (('generator', DRAIN_SEC), ('observer', 0.0)):
        os.kill(processes.pids()[name], signal.SIGINT)
        wait_for_rig(processes, scenario, STOP_SEC, (folder / f'{name}.npz').exists)
        time.sleep(pause_sec)


def wait_for_rig(
    processes: Supervisor, scenario: Scenario, seconds: float,
    until: Callable[[], bool] | None = None,
) -> None:
    """Wait for a time or a condition; raises UttError at a timeout or when a process ends."""
    deadline_s = time.monotonic() + seconds
    while not (until and until()):
        is_over = processes.wait(min(POLL_SEC, max(0.0, deadline_s - time.monotonic())))
        if is_over or processes.trouble():
            raise UttError(f'{scenario.title}: {processes.trouble() or "a process ended early"}')
        if time.monotonic() >= deadline_s:
            if until is None:
                return
            raise UttError(
                f'{scenario.title}: after {seconds:g} s not every phone had predictions')


def scenario_result(
    scenario: Scenario, phones: int, begin: ProcessSample, end: ProcessSample, folder: Path,
) -> LiveResult:
    """Compute the result from the files of the processes."""
    with np.load(folder / 'generator.npz') as file:
        ticks_ns, late_ns = file['ticks_ns'], file['late_ns']
        sent = dict(zip(file['kinds'].tolist(), file['sent'].tolist(), strict=True))
    with np.load(folder / 'observer.npz') as file:
        records = file['records']
    text = (folder / 'observer.json').read_text('utf-8')
    reports = [tuple(report) for report in json.loads(text)]
    ticks_ns = ticks_ns[(begin.time_ns <= ticks_ns) & (ticks_ns < end.time_ns)]
    arrived = latency.last_arrivals(records, ticks_ns, phones, len(latency.OUTPUTS))
    published = np.broadcast_to(ticks_ns[:, None], arrived.shape)
    predicted = int((arrived != latency.PENDING).sum())
    seconds = (end.time_ns - begin.time_ns) / NS_PER_S
    return LiveResult(
        title=scenario.title, phones=phones, seconds=seconds,
        latency_ms=latency.latency_percentiles(latency.latencies_ms(arrived, published)),
        position_ms=output_latency_ms(records, ticks_ns, phones, 'position'),
        trajectory_ms=output_latency_ms(records, ticks_ns, phones, 'trajectory'),
        newest_input_ms=latency.latency_percentiles(
            latency.latencies_ms(arrived, _newest(folder, ticks_ns, phones))),
        predictions_per_s=predicted / seconds, ticks=len(ticks_ns), predicted=predicted,
        sent=sent, lost=_lost(sent, reports), usage=process_usage(begin, end),
        counted=tuple(spec.name for spec in scenario.pipeline),
        windows_per_s=latency.counter_rate(_trained(folder, reports), begin.time_ns, end.time_ns),
        lateness_ms=latency.latency_percentiles(late_ns / NS_PER_MS), load=(begin.load, end.load))


def output_latency_ms(
    records: Stamps, ticks_ns: Stamps, phones: int, output: str,
) -> dict[str, float]:
    """Percentiles of the latency from a frame to one output."""
    own = records[records[:, 1] == latency.OUTPUTS.index(output)].copy()
    own[:, 1] = 0
    arrived = latency.last_arrivals(own, ticks_ns, phones, 1)
    published = np.broadcast_to(ticks_ns[:, None], arrived.shape)
    return latency.latency_percentiles(latency.latencies_ms(arrived, published))


def process_usage(begin: ProcessSample, end: ProcessSample) -> dict[str, Usage]:
    """Compute CPU and memory use of each process between two samples."""
    seconds = (end.time_ns - begin.time_ns) / NS_PER_S
    return {
        name: Usage((end.cpu_s[name] - begin.cpu_s[name]) / seconds * 100, end.rss[name] / MB)
        for name in sorted(end.cpu_s)}


def _newest(folder: Path, ticks_ns: Stamps, phones: int) -> Stamps:
    joined = np.load(folder / 'joined.npy') if (folder / 'joined.npy').exists() else None
    if joined is None:
        return np.broadcast_to(ticks_ns[:, None], (len(ticks_ns), phones))
    return latency.newest_inputs(joined, ticks_ns, phones)


def _lost(sent: Mapping[str, int], reports: list[Reported]) -> int | None:
    received = _counter(reports, SYNC, 'messages')
    return sum(sent.values()) - int(received[-1][1]) if received else None


def _trained(folder: Path, reports: list[Reported]) -> list[tuple[int, float]]:
    """Trained windows over time, of the trainer node or the process beside the naive pipeline."""
    beside = folder / 'training.npy'
    if beside.exists():
        return [(int(time_ns), float(windows)) for time_ns, windows in np.load(beside)]
    steps = _counter(reports, TRAINER, 'steps')
    return [(time_ns, count * LearningSettings().batch) for time_ns, count in steps]


def _counter(reports: list[Reported], name: str, key: str) -> list[tuple[int, float]]:
    return [(time_ns, float(values[key])) for time_ns, reported, values in reports
            if reported == name and key in values]
