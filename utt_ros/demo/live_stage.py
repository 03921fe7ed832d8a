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

"""One live area: its nodes, and the simulated devices that its drivers receive."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from utt_ros.errors import UttError
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import LaunchPlan, read_area_plan
from utt_ros.orchestration.spec import NodeSpec, ProcessSpec, process_spec
from utt_ros.orchestration.supervisor import Supervisor

POLL_SEC = 0.5
RECORDED = (
    r'/[^/]+/phones/.+', r'/[^/]+/camera/tracks', r'/[^/]+/synced',
    r'/[^/]+/twins/[^/]+/position', '/diagnostics')


@dataclass(frozen=True, slots=True)
class LiveRun:
    """Settings and files of one live demonstration."""

    out: Path
    seed: int
    seconds: float
    ports: tuple[int, int, int]  # of the camera, and of the FTM and IMU drivers

    @property
    def file(self) -> Path:
        """Return the path of the area file."""
        return self.out / 'areas' / 'area.yaml'

    @property
    def bag(self) -> Path:
        """Return the path of the recorded bag."""
        return self.out / 'heard'

    @property
    def begin(self) -> Path:
        """Return the path of the file with the start time of the walk [ns]."""
        return self.out / 'begin'


def run_live(live_run: LiveRun, watch: Callable[[], None]) -> None:
    """Run the area until the walk ends; `watch` is polled. Raises UttError."""
    logs = live_run.out / 'log'
    with Supervisor(live_processes(live_run), log_dir=logs) as running:
        while not (running.wait(POLL_SEC) or running.trouble()):
            watch()
    if running.failure:
        raise UttError(f'{running.failure}; its log is in {logs}')


def live_processes(live_run: LiveRun) -> list[ProcessSpec]:
    """Return the graph of the area file, a recorder and the simulated devices.

    The devices start when the twin has a model; earlier samples would be lost.
    """
    area = read_area_plan(live_run.file)
    plan = LaunchPlan((area,), live_run.out / 'state', federated=False, log_level='warn')
    topics = tuple(word for topic in RECORDED for word in ('--topic', topic))
    recorder = NodeSpec(
        'recorder', 'recorder', '/utt', arguments=(str(live_run.bag), *topics),
        ros_arguments=('--log-level', plan.log_level))
    ready = NodeSpec('ready', 'wait_ready', '/utt', arguments=(area.name,))
    camera, ftm, imu = map(str, live_run.ports)
    peers = ProcessSpec('peers', (
        sys.executable, '-m', 'utt_ros.sessions.simulator.devices', '--seed', str(live_run.seed),
        '--seconds', f'{live_run.seconds:g}', '--camera-port', camera, '--ftm-port', ftm,
        '--imu-port', imu, '--begin', str(live_run.begin)), essential=True, after=ready.label)
    return [*(process_spec(node) for node in (recorder, *graph_nodes(plan), ready)), peers]
