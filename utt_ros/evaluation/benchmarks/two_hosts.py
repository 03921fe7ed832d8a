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

"""Two areas on two hosts: rounds, people who walk from one to the other, bytes that cross.

Each host runs `utt run` with one area, opened to the other by `--hosts`; the first one has the
aggregator and the building as well. Simulated recordings of both areas are replayed at the times
of their stamps, as sensors would send.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.impaired_cable import (
    CableSettings,
    LostFrames,
    read_lost_frames,
)
from utt_ros.evaluation.benchmarks.missed_round import explain_missed_round
from utt_ros.evaluation.benchmarks.network_hosts import PLAIN_CABLE, NetworkHost, open_hosts
from utt_ros.evaluation.benchmarks.packet_counter import bytes_by_topic
from utt_ros.evaluation.metrics.crossings import area_changes, score_crossings
from utt_ros.evaluation.recorded_people import read_diagnostics, read_listed_people
from utt_ros.federation.checkpoints import read_round_log
from utt_ros.federation.keys import AGGREGATOR, KeyFolder, public_line
from utt_ros.orchestration.spec import UTT_PROGRAM, ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.parameter_files import AREA_FILE, write_parameter_file
from utt_ros.sessions.bag_io import open_bag
from utt_ros.sessions.session_bags import write_session
from utt_ros.sessions.simulator.crossing import (
    Crossing,
    CrossingPlan,
    plan_crossings,
    room_corners,
    simulate_crossing,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S

HOST_APS = 3
READY_SEC = 300.0  # also on a machine that is busy
IDLE_SEC = 8.0  # measured before anybody walks, while the walk is simulated
PREPARE_SEC = 20.0  # for that, and to start the replays
LISTEN_SEC = 12.0  # for diagnostics and the graph, after the walk
ROUND_SEC = 120.0  # after the walk, for the first round
STOP_SEC = 60.0
FILE_POLL_SEC = 0.1
ROUND_SETTINGS = {  # rounds within a minute, whose windows no block of the clock holds out
    '/**/trainer': {'min_windows': 50, 'local_steps': 10, 'holdout_block': 0.0}}
MODULE = (sys.executable, '-m')
BENCHMARKS = 'utt_ros.evaluation.benchmarks'


@dataclass(frozen=True, slots=True)
class HostTraffic:
    """Bytes per second that an area's host sent to the other one."""

    area: str
    total: float  # of the network device
    idle: float  # before anybody walked
    by_topic: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class HostsResult:
    """Measurements of two hosts."""

    seconds: float
    rounds: int  # completed with updates of both areas
    scores: Mapping[str, Any]  # of `score_crossings`
    area_changes: int
    beliefs_taken: Mapping[str, int]  # by area
    clock_offsets: str
    traffic: tuple[HostTraffic, ...]
    cable: CableSettings = PLAIN_CABLE
    lost_frames: LostFrames | None = None  # of a cable that is not plain


def run_two_hosts(
    folder: Path, seconds: float, seed: int, log: Callable[[str], None],
    cable: CableSettings = PLAIN_CABLE,
) -> HostsResult:
    """Run the areas for some seconds of walking; all files are kept in `folder`.

    Raises UttError where namespaces are not permitted, the cable fails, an area gets no model, or
    no round has updates of all areas.
    """
    plan = plan_crossings(2, 3.0, seed, access_points=HOST_APS)[0]
    areas = [planned.area.settings for planned in plan.sessions]
    write_hosts(folder, areas)
    counts = folder / 'cable.json'
    with open_hosts(cable, counts) as hosts, _processes(folder, area_specs(folder, hosts, areas)):
        first = hosts[0]
        log('waiting for the model in both areas')
        _run(first, folder, READY_SEC + STOP_SEC, *MODULE, 'utt_ros.orchestration.node',
             'wait_ready', *(area.area for area in areas), '--timeout', READY_SEC)
        start_s = time.time()
        idle = (start_s + 1.0, start_s + 1.0 + IDLE_SEC)
        walk = (start_s + PREPARE_SEC, start_s + PREPARE_SEC + seconds)
        with _processes(folder, [count_spec(first, folder, 'idle', idle)]):
            crossing = write_walk(folder, plan, walk)
            _wait_until(idle[1])
            _wait_for(folder / 'idle.json')
        log(f'people walk for {seconds:g} s')
        with _processes(folder, walk_specs(folder, hosts, areas, walk)):
            _wait_until(walk[1])
            _wait_for(folder / 'walk.json')
        _wait_for_round(folder, areas)
        with _processes(folder, [record_spec(first, folder, '/diagnostics')]):
            _run(first, folder, STOP_SEC, *MODULE, f'{BENCHMARKS}.writer_topics', LISTEN_SEC,
                 folder / 'writers.json')
    if not joint_rounds(folder, areas):
        raise UttError(explain_missed_round(folder, [area.area for area in areas], ROUND_SEC))
    result = read_result(folder, areas, crossing)
    return result if cable.is_plain else replace(
        result, cable=cable, lost_frames=read_lost_frames(counts))


def write_hosts(folder: Path, areas: Sequence[AreaSettings]) -> None:
    """Write the files of each host, whose keys the other one trusts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'aggregator.yaml').write_text(yaml.safe_dump({'/**': {'ros__parameters': {
        'areas': [area.area for area in areas], 'quorum': len(areas), 'deadline': 10.0}}}))
    for area in areas:
        (folder / area.area).mkdir()
        write_parameter_file(folder / area.area / AREA_FILE, area, ROUND_SETTINGS)
    first, second = (KeyFolder(folder / area.area / 'keys') for area in areas)
    one, other = (area.area for area in areas)
    for keys, names, reader in ((first, (AGGREGATOR, one), second), (second, (other,), first)):
        for name in names:
            reader.trust(public_line(name, keys.private(name).public_key()))


def write_walk(folder: Path, plan: CrossingPlan, walk: tuple[float, float]) -> Crossing:
    """Simulate people who walk between two times of the host, and write what is measured."""
    begin_s, end_s = walk
    crossing = simulate_crossing(replace(plan, sessions=tuple(
        replace(each, start_ns=round(begin_s * NS_PER_S), seconds=end_s - begin_s)
        for each in plan.sessions)))
    for planned, session in zip(plan.sessions, crossing.sessions, strict=True):
        area = planned.area.settings
        write_session(session, area, folder / area.area / 'walk')
    return crossing


def area_specs(
    folder: Path, hosts: Sequence[NetworkHost], areas: Sequence[AreaSettings],
) -> list[ProcessSpec]:
    """Return `utt run` of each host; the first one has the aggregator and its initial model."""
    specs = []
    for number, (host, area) in enumerate(zip(hosts, areas, strict=True)):
        own = folder / area.area
        words: list[object] = [
            *UTT_PROGRAM, 'run', own / AREA_FILE,
            '--external', '--federated', '--hosts', host.peer,
            '--state', own / 'state', '--keys', own / 'keys', '--log-dir', own / 'log', '--quiet']
        if number == 0:
            words += ['--aggregator', '--aggregator-file', folder / 'aggregator.yaml',
                      '--model', 'pretrained']
        specs.append(ProcessSpec(f'{area.area}_run', host.command(*words)))
    return specs


def walk_specs(
    folder: Path, hosts: Sequence[NetworkHost], areas: Sequence[AreaSettings],
    walk: tuple[float, float],
) -> list[ProcessSpec]:
    """Return the replay of each host, a recorder of the people and a counter of bytes."""
    specs = [record_spec(hosts[0], folder, '/utt/people'),
             count_spec(hosts[0], folder, 'walk', walk)]
    for host, area in zip(hosts, areas, strict=True):
        bag = folder / area.area / 'walk'
        with open_bag(bag) as recorded:
            begin_s = recorded.start_ns / NS_PER_S
        specs.append(ProcessSpec(f'{area.area}_replay', host.command(
            *UTT_PROGRAM, 'replay', bag,
            '--hosts', host.peer, '--clock-rate', 0, '--begin', begin_s,
            '--topic', f'/{area.area}/(camera|phones)/.*')))
    return specs


def record_spec(host: NetworkHost, folder: Path, topic: str) -> ProcessSpec:
    """Return the recorder of a topic, to a bag of its name."""
    name = topic.rpartition('/')[2]
    return ProcessSpec(f'{name}_record', host.command(
        *UTT_PROGRAM, 'record', folder / name, '--topic', topic, '--hosts', host.peer))


def count_spec(
    host: NetworkHost, folder: Path, name: str, interval: tuple[float, float],
) -> ProcessSpec:
    """Return the counter of the bytes that a host sends and receives."""
    return ProcessSpec(f'{name}_count', host.command(
        *MODULE, f'{BENCHMARKS}.packet_counter', host.device, *interval, folder / f'{name}.json'))


def read_result(
    folder: Path, areas: Sequence[AreaSettings], crossing: Crossing,
) -> HostsResult:
    """Read what a run has written. Raises UttError, and OSError for a file that is missing."""
    names = [area.area for area in areas]
    idle, walk, writers = (json.loads((folder / f'{name}.json').read_bytes())
                           for name in ('idle', 'walk', 'writers'))
    listed = read_listed_people(folder / 'people')
    diagnostics = read_diagnostics(folder / 'diagnostics')
    scores = score_crossings(
        listed, crossing.truth, {area.area: room_corners(area) for area in areas},
        {area.area: len(area.ap_positions) for area in areas})
    return HostsResult(
        seconds=walk['seconds'], rounds=joint_rounds(folder, areas), scores=scores,
        area_changes=len(area_changes(listed)),
        beliefs_taken={
            name: int(diagnostics.get(f'{name}: twin', {}).get('beliefs_taken', 0))
            for name in names},
        clock_offsets=diagnostics.get('utt: building', {}).get('clock_offsets', ''),
        traffic=tuple(
            HostTraffic(name, walk[f'bytes_{way}'] / walk['seconds'],
                        idle[f'bytes_{way}'] / idle['seconds'],
                        bytes_by_topic(walk[way], writers, walk['seconds']))
            for name, way in zip(names, ('sent', 'received'), strict=True)))


def joint_rounds(folder: Path, areas: Sequence[AreaSettings]) -> int:
    """Return the number of completed rounds with updates of all areas."""
    names = {area.area for area in areas}
    log = read_round_log(folder / areas[0].area / 'state' / AGGREGATOR)
    return sum(status.state == 'completed' and status.accepted.keys() == names for status in log)


@contextmanager
def _processes(folder: Path, specs: Sequence[ProcessSpec]) -> Iterator[None]:
    """Run processes while the block does; raises UttError for one that fails meanwhile."""
    logs = folder / 'log'
    essential = [replace(spec, essential=True) for spec in specs]
    with Supervisor(essential, output=None, log_dir=logs, stop_sec=STOP_SEC) as running:
        yield
        trouble = running.failure
    if trouble:
        raise UttError(f'{trouble}; logs are in {logs}')


def _run(host: NetworkHost, folder: Path, limit_s: float, *words: object) -> None:
    """Run a command on a host to its end. Raises UttError when it fails or takes too long."""
    try:
        done = subprocess.run(host.command(*words), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired as err:
        raise UttError(f'{words[2]} took more than {limit_s:g} s; logs are in {folder}') from err
    if done.returncode:
        raise UttError(f'{words[2]} failed; logs are in {folder}: {done.stderr[-400:].strip()}')


def _wait_for_round(folder: Path, areas: Sequence[AreaSettings]) -> None:
    """Wait for a round, which areas also complete with the windows that they have."""
    end_s = time.monotonic() + ROUND_SEC
    while not joint_rounds(folder, areas) and time.monotonic() < end_s:
        time.sleep(FILE_POLL_SEC)


def _wait_for(path: Path) -> None:
    """Wait for a file that a process writes. Raises UttError when there is none in time."""
    end_s = time.monotonic() + STOP_SEC
    while not path.exists():
        if time.monotonic() > end_s:
            raise UttError(f'{path} was not written within {STOP_SEC:g} s')
        time.sleep(FILE_POLL_SEC)


def _wait_until(end_s: float) -> None:
    """Wait for a time of this host, which runs the other ones' clocks as well."""
    time.sleep(max(0.0, end_s - time.time()))
