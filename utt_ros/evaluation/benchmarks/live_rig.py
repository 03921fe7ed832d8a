"""One area with many phones over DDS: our nodes, with and without training, and a naive one."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import psutil

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import latency
from utt_ros.evaluation.benchmarks.latency import Result, Usage
from utt_ros.orchestration.spec import ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.training.settings import LearningSettings
from utt_ros.types import NS_PER_MS, NS_PER_S, Stamps

POLL_SEC = 0.1
READY_SEC = 120.0
DRAIN_SEC = 2.5  # for what is under way, and for the next two /diagnostics
STOP_SEC = 20.0
OUTPUTS = 3
SYNC, TRAINER = 'bench: sync', 'bench: trainer'
MB = 1e6
Reported = tuple[int, str, dict[str, str]]  # when [ns], who, what


@dataclass(frozen=True, slots=True)
class Scenario:
    """One pipeline under the load."""

    title: str
    pipeline: tuple[ProcessSpec, ...]
    beside: tuple[ProcessSpec, ...] = ()  # what trains
    model: tuple[str, ...] = ()  # what the generator is told about it


@dataclass(frozen=True, slots=True)
class Timing:
    """How long what takes."""

    warm_up_sec: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes had used at a moment."""

    time_ns: int
    cpu_s: dict[str, float]
    rss: dict[str, int]
    load: float

    @classmethod
    def now(cls, pids: Mapping[str, int]) -> 'Sample':
        """Take one; children count with their parents."""
        cpu_s, rss = {}, {}
        for name, pid in pids.items():
            family = [psutil.Process(pid)]
            family += family[0].children(recursive=True)
            times = [process.cpu_times() for process in family]
            cpu_s[name] = sum(each.user + each.system for each in times)
            rss[name] = sum(process.memory_info().rss for process in family)
        return cls(time.time_ns(), cpu_s, rss, os.getloadavg()[0])


def rig_process(name: str, module: str, *arguments: str) -> ProcessSpec:
    """A process of the rig itself."""
    return ProcessSpec(
        name, (sys.executable, '-m', f'utt_ros.evaluation.benchmarks.{module}', *arguments),
        essential=True)


def run(
    scenario: Scenario, phones: int, timing: Timing, folder: Path, output: TextIO | None,
) -> Result:
    """Start everything, warm up, measure, stop; raises UttError when a process fails."""
    folder.mkdir(parents=True)
    specs = _processes(scenario, phones, folder)
    with Supervisor(specs, output=output, log_dir=folder / 'log') as processes:
        _wait(processes, scenario, READY_SEC, (folder / 'observer.ready').exists)
        _wait(processes, scenario, timing.warm_up_sec)
        begin = Sample.now(processes.pids())
        _wait(processes, scenario, timing.seconds)
        end = Sample.now(processes.pids())
        for name, pause_sec in (('generator', DRAIN_SEC), ('observer', 0.0)):
            os.kill(processes.pids()[name], signal.SIGINT)
            _wait(processes, scenario, STOP_SEC, (folder / f'{name}.npz').exists)
            time.sleep(pause_sec)
    return evaluate(scenario, phones, begin, end, folder)


def _processes(
    scenario: Scenario, phones: int, folder: Path,
) -> tuple[ProcessSpec, ...]:
    generator = rig_process(
        'generator', 'load_generator', str(phones), str(folder / 'generator'), *scenario.model)
    observer = rig_process('observer', 'observer', str(phones), str(folder / 'observer'))
    return (*scenario.pipeline, *scenario.beside, generator, observer)


def _wait(
    processes: Supervisor, scenario: Scenario, seconds: float,
    until: Callable[[], bool] | None = None,
) -> None:
    """Let time pass or wait for a condition; raises UttError when a process ends or it is late."""
    deadline_s = time.monotonic() + seconds
    while not (until and until()):
        if processes.wait(min(POLL_SEC, max(0.0, deadline_s - time.monotonic()))):
            raise UttError(f'{scenario.title}: {processes.failure or "a process ended early"}')
        if time.monotonic() >= deadline_s:
            if until is None:
                return
            raise UttError(
                f'{scenario.title}: after {seconds:g} s not every phone had predictions')


def evaluate(
    scenario: Scenario, phones: int, begin: Sample, end: Sample, folder: Path,
) -> Result:
    """Figures from what the processes of the rig wrote."""
    with np.load(folder / 'generator.npz') as file:
        ticks_ns, late_ns = file['ticks_ns'], file['late_ns']
        sent = dict(zip(file['kinds'].tolist(), file['sent'].tolist(), strict=True))
    with np.load(folder / 'observer.npz') as file:
        records = file['records']
    reports = [tuple(each) for each in json.loads((folder / 'observer.json').read_text('utf-8'))]
    ticks_ns = ticks_ns[(begin.time_ns <= ticks_ns) & (ticks_ns < end.time_ns)]
    arrived = latency.arrivals(records, ticks_ns, phones, OUTPUTS)
    published = np.broadcast_to(ticks_ns[:, None], arrived.shape)
    predicted = int((arrived != latency.PENDING).sum())
    seconds = (end.time_ns - begin.time_ns) / NS_PER_S
    return Result(
        title=scenario.title, phones=phones, seconds=seconds,
        latency_ms=latency.summary(latency.latencies_ms(arrived, published)),
        newest_input_ms=latency.summary(
            latency.latencies_ms(arrived, _newest(folder, ticks_ns, phones))),
        predictions_per_s=predicted / seconds, ticks=len(ticks_ns), predicted=predicted,
        sent=sent, lost=_lost(sent, reports), usage=usage(begin, end),
        counted=tuple(spec.name for spec in scenario.pipeline),
        windows_per_s=latency.rate(_trained(folder, reports), begin.time_ns, end.time_ns),
        lateness_ms=latency.summary(late_ns / NS_PER_MS), load=(begin.load, end.load))


def usage(begin: Sample, end: Sample) -> dict[str, Usage]:
    """What each process used between two samples."""
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
    """Windows that were trained on until when, by our trainer or by the one beside the naive."""
    beside = folder / 'training.npy'
    if beside.exists():
        return [(int(time_ns), float(windows)) for time_ns, windows in np.load(beside)]
    steps = _counter(reports, TRAINER, 'steps')
    return [(time_ns, count * LearningSettings().batch) for time_ns, count in steps]


def _counter(reports: list[Reported], name: str, key: str) -> list[tuple[int, float]]:
    return [(time_ns, float(values[key])) for time_ns, reported, values in reports
            if reported == name and key in values]
