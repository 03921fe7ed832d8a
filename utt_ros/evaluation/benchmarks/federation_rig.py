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

"""Rig of a federation: an area of simulated devices, areas that replay recordings, an observer.

The first area has drivers of a camera, of ranges and of IMUs; the others repeat a simulated
recording on their own clocks.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.area_watch import AreaWatch, open_watch
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import LaunchPlan, read_area_plan
from utt_ros.orchestration.spec import ProcessSpec, process_spec
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.parameter_files import AREA_FILE
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.live_area import free_ports, write_live_area
from utt_ros.sessions.simulator.live_world import live_session_plan
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session

AREA_PHONES = 2  # of a replayed area
REPLAY_SEC = 600.0  # length of its recording, which is repeated
READY_SEC = 300.0
DRIVERS = ('camera', 'ftm', 'imu')
# Buffers are full within minutes, and rounds do not wait long.
PARAMETERS = {
    '/**/trainer': {'capacity': 500, 'held_out': 100, 'min_windows': 50, 'local_steps': 10},
    '/**/aggregator': {'deadline': 10.0}}


@dataclass(frozen=True, slots=True)
class FederationRig:
    """Processes of the federation, and the phones of its areas."""

    specs: tuple[ProcessSpec, ...]
    phones: Mapping[str, tuple[str, ...]]  # by area
    live_area: str


def build_rig(folder: Path, areas: int, seconds: float, seed: int) -> FederationRig:
    """Write area files and recordings into `folder`; `seconds`: for which devices send."""
    extra = folder / 'rig.yaml'
    extra.write_text(yaml.safe_dump({
        block: {'ros__parameters': values} for block, values in PARAMETERS.items()}))
    ports, live_file = free_ports(), folder / 'live' / AREA_FILE
    live_file.parent.mkdir()
    write_live_area(live_file, seed, ports)
    live = read_area_plan(live_file, extra_files=[extra])
    walk = simulate_session(live_session_plan(seed, 10.0))
    phones = {live.name: tuple(walk.phones)}
    plans = [live]
    for planned in plan_sessions(areas, 1.0, seed)[3::3]:
        session = simulate_session(replace(planned, seconds=min(seconds, REPLAY_SEC)))
        kept = dict(sorted(session.phones.items())[:AREA_PHONES])
        area = planned.area.settings
        phones[area.area] = tuple(kept)
        write_area(area, folder / area.area)
        write_session(replace(session, phones=kept), area, folder / area.area / 'walk')
        plans.append(replace(
            read_area_plan(folder / area.area / AREA_FILE, extra_files=[extra]),
            bags=(folder / area.area / 'walk',)))
    plan, _ = prepare_plan(LaunchPlan(
        tuple(plans), folder / 'state', aggregator=True, aggregator_files=(extra,), loop=True,
        log_level='warn'))
    nodes = graph_nodes(plan)
    devices = ProcessSpec('devices', (
        sys.executable, '-m', 'utt_ros.sessions.simulator.devices', '--seed', str(seed),
        '--seconds', f'{seconds:g}', '--camera-port', str(ports[0]), '--ftm-port', str(ports[1]),
        '--imu-port', str(ports[2]), '--begin', str(folder / 'begin')),
        after=next((node.label for node in nodes if node.executable == 'wait_ready'), ''))
    return FederationRig(
        (*(process_spec(node) for node in nodes), devices), phones, live.name)


@contextmanager
def run_rig(rig: FederationRig, folder: Path) -> Iterator[tuple[Supervisor, AreaWatch]]:
    """Run the processes until the block is left; it begins when every area predicts.

    Raises UttError when that takes more than READY_SEC, or an essential process has ended.
    """
    with (open_watch(rig.phones) as watch,
          Supervisor(rig.specs, output=None, log_dir=folder / 'log') as processes):
        nodes = {spec.name for spec in rig.specs if spec.respawn}

        def ready() -> bool:
            if processes.trouble() or processes.wait(0.0):
                raise UttError(f'{processes.trouble() or "the run ended"}: see {folder / "log"}')
            return all(watch.arrivals.values()) and nodes <= watch.reported.keys()

        if not watch.wait(ready, READY_SEC):
            silent = [name for name, times in watch.arrivals.items() if not times]
            raise UttError(f'after {READY_SEC:g} s there are no predictions of {silent}, and no '
                           f'diagnostics of {sorted(nodes - watch.reported.keys())}')
        yield processes, watch
