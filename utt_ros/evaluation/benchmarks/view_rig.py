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

"""Rig of `utt bench view`: a view and a browser beside a crowd, and beside a twin with its phones.

What differs is measured in turns within one run, since the load of a machine changes.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.browser_frames import count_frames, open_chromium, open_page
from utt_ros.evaluation.benchmarks.byte_relay import HOST, ByteRelay
from utt_ros.evaluation.benchmarks.live_rig import (
    READY_SEC,
    STOP_SEC,
    Scenario,
    load_processes,
    output_latency_ms,
    rig_process,
    stop_load,
    wait_for_rig,
)
from utt_ros.orchestration.spec import UTT_PROGRAM
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.types import Stamps

NOBODY, ONE, CROWD = 'nobody', 'one person', 'the crowd'
NO_VIEW, VIEW, BROWSER = 'no view', 'a view', 'a view and a browser'
SETTLE_SEC = 8  # after a start, before anything is measured
Log = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class FrameCount:
    """One measurement of a browser that shows a view."""

    crowd: str
    frames: tuple[int, ...]  # in each second
    bytes_per_s: float  # to the browser
    view_cpu: float  # [% of a core]
    browser_cpu: float
    load: float  # runnable processes of the machine, mean of a minute


@dataclass(frozen=True, slots=True)
class TwinLatency:
    """Time from a frame to a position [ms], in one turn."""

    beside: str
    position_ms: Mapping[str, float]  # PERCENTILES
    load: float


@contextmanager
def open_view() -> Iterator[tuple[int, int]]:
    """Start `utt view`; yields its process id and its port. Raises UttError."""
    with subprocess.Popen([*UTT_PROGRAM, 'view', '--port', '0'],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            pipe = process.stdout
            answers = pipe is not None and select.select([pipe], [], [], READY_SEC)[0]
            address = pipe.readline().split() if pipe is not None and answers else []
            if not address:
                raise UttError(
                    f'utt view ended, or gave no address within {READY_SEC:g} s')
            yield process.pid, int(address[0].rpartition(':')[2])
        finally:
            _end(process)


@contextmanager
def open_crowd(areas: int, people: int) -> Iterator[None]:
    """Publish people of so many areas; nobody for 0 areas."""
    if not areas:
        yield
        return
    crowd = rig_process('crowd', 'crowd_publisher', str(areas), str(people))
    with Supervisor([crowd], output=sys.stderr):
        yield


def measure_frames(
    areas: int, people: int, seconds: int, repeats: int, log: Log,
) -> list[FrameCount]:
    """Count frames with nobody, one person, and the crowd in turns. Raises UttError."""
    turns = ((NOBODY, 0, 0), (ONE, 1, 1), (CROWD, areas, people))
    counts = []
    for repeat in range(repeats):
        for name, number, each in turns:
            log(f'frames with {name}, {repeat + 1} of {repeats}')
            with (open_crowd(number, each), open_view() as (pid, port), ByteRelay(port) as relay,
                  open_chromium() as browser):
                page = open_page(browser, f'http://{HOST}:{relay.port}')
                if number:
                    page.get_by_text('room00').first.wait_for()
                page.wait_for_timeout(1000 * SETTLE_SEC)
                begin_s, sent, cpu_s = time.monotonic(), relay.sent, _cpu_s(pid)
                frames = count_frames(page, seconds)
                taken_s = time.monotonic() - begin_s
                view_s, browser_s = np.subtract(_cpu_s(pid), cpu_s) / taken_s
                counts.append(FrameCount(
                    name, tuple(frames), (relay.sent - sent) / taken_s, 100 * view_s,
                    100 * browser_s, os.getloadavg()[0]))
    return counts


def measure_latency(
    scenario: Scenario, phones: int, seconds: float, repeats: int, *, folder: Path, log: Log,
) -> list[TwinLatency]:
    """Measure a twin alone, with a view, with a view and a browser, in turns. Raises UttError."""
    folder.mkdir(parents=True)
    turns: list[tuple[str, int, int, float]] = []
    with Supervisor(load_processes(scenario, phones, folder), output=sys.stderr,
                    log_dir=folder / 'log') as processes:
        wait_for_rig(processes, scenario, READY_SEC, (folder / 'observer.ready').exists)
        for repeat in range(repeats):
            for name in (NO_VIEW, VIEW, BROWSER):
                log(f'a twin with {name}, {repeat + 1} of {repeats}')
                with ExitStack() as opened:
                    if name != NO_VIEW:
                        _, port = opened.enter_context(open_view())
                    if name == BROWSER:
                        browser = opened.enter_context(open_chromium())
                        open_page(browser, f'http://{HOST}:{port}')
                    wait_for_rig(processes, scenario, SETTLE_SEC)
                    begin_ns = time.time_ns()
                    wait_for_rig(processes, scenario, seconds)
                    turns.append((name, begin_ns, time.time_ns(), os.getloadavg()[0]))
        stop_load(processes, scenario, folder)
    with np.load(folder / 'generator.npz') as sent, np.load(folder / 'observer.npz') as arrived:
        return latency_by_turn(turns, sent['ticks_ns'], arrived['records'], phones)


def latency_by_turn(
    turns: Sequence[tuple[str, int, int, float]], ticks_ns: Stamps, records: Stamps, phones: int,
) -> list[TwinLatency]:
    """Return the latency of the frames of each turn: name, begin, end [ns] and load."""
    return [
        TwinLatency(name, output_latency_ms(
            records, ticks_ns[(begin_ns <= ticks_ns) & (ticks_ns < end_ns)], phones, 'position'),
            load)
        for name, begin_ns, end_ns, load in turns]


def _cpu_s(view: int) -> tuple[float, float]:
    """Return the CPU time of the view, and of the browser that this process has started."""
    browser_s = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name().startswith('chrom'):
                browser_s += sum(process.cpu_times()[:2])
    return sum(psutil.Process(view).cpu_times()[:2]), browser_s


def _end(process: 'subprocess.Popen[str]') -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SEC)
    except subprocess.TimeoutExpired:
        process.kill()
