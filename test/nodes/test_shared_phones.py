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

"""A phone that walks from area to area: one URL, one driver process, topics of both areas.

Apps in other processes speak their wire formats to the drivers that `utt run` starts.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Imu
from utt_ros.msg import FtmRange

from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.orchestration.arguments import FEDERATION_ARGUMENTS, plan_federation
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.spec import process_spec
from utt_ros.orchestration.supervisor import Supervisor

PEERS = Path(__file__).parents[1] / 'drivers/peers'
AREAS = ('hall', 'stairs')
HALL_AP, STAIRS_AP, OTHER_AP = (f'02:00:00:00:00:0{number}' for number in (1, 2, 3))
WAIT_SEC = 60.0


def free_port(kind: socket.SocketKind) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as one:
        one.bind(('127.0.0.1', 0))
        return int(one.getsockname()[1])


@dataclass
class Building:
    """Two areas, what their topics carry, and their processes."""

    listener: Any
    wait_until: Callable[..., None]
    port: int  # of the phones' IMU app
    inertial: dict[str, list[Imu]] = field(default_factory=dict)  # of ann, by area
    ranges: dict[str, list[FtmRange]] = field(default_factory=dict)
    reports: list[DiagnosticArray] = field(default_factory=list)
    processes: Supervisor | None = None

    def listen(self) -> None:
        for area in AREAS:
            self.inertial[area] = self.listener.hear(
                Imu, f'/{area}/phones/ann/imu/data_raw', SENSOR)
            self.ranges[area] = self.listener.hear(FtmRange, f'/{area}/phones/ann/ftm', SENSOR)
        self.reports = self.listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)

    def values(self, node: str) -> dict[str, str]:
        """Return the newest diagnostics of a node, such as 'hall: imu'."""
        return {pair.key: pair.value for report in self.reports for status in report.status
                if status.name == node for pair in status.values}

    def newest_keys(self, area: str) -> set[str]:
        """Return the keys in the newest diagnostics of an IMU driver; else that of a rate."""
        known = ({pair.key for pair in status.values} for report in reversed(self.reports)
                 for status in report.status if status.name == f'{area}: imu')
        return next(known, {'rate_hz'})

    def wait(self, condition: Callable[[], object]) -> None:
        self.wait_until(condition, WAIT_SEC, self.listener.spin)

    def wait_for_more(self, area: str, count: int = 20) -> None:
        """Wait for further IMU samples of the phone in an area."""
        before = len(self.inertial[area])
        self.wait(lambda: len(self.inertial[area]) >= before + count)


@pytest.fixture
def phones() -> Iterator[Callable[..., None]]:
    """`phones('imu_apps.py', ...)` starts an app in another process until the end of the test."""
    with ExitStack() as stack:
        def start(peer: str, *words: object) -> None:
            process = subprocess.Popen(
                [sys.executable, str(PEERS / peer), *map(str, words)], stdin=subprocess.PIPE)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield start


@pytest.fixture
def building(
    ros: int, listener: Any, wait_until: Callable[..., None], phones: Callable[..., None],
    tmp_path: Path,
) -> Iterator[Building]:
    """Start the drivers and synchronizers of two areas whose files name the same ports."""
    imu, ftm = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    for area, ap in zip(AREAS, (HALL_AP, STAIRS_AP), strict=True):
        blocks = {
            '/**': {'area': area, 'drivers': ['ftm', 'imu'], 'modalities': ['ftm', 'imu'],
                    'access_points': {ap: [4.0, 2.0, 2.5]}},
            f'/{area}/imu': {'source': 'sensor_logger',
                             'sensor_logger': {'host': '127.0.0.1', 'port': imu}},
            '/**/ftm': {'source': 'android_udp',
                        'android_udp': {'host': '127.0.0.1', 'port': ftm}}}
        (tmp_path / f'{area}.yaml').write_text(yaml.safe_dump(
            {name: {'ros__parameters': values} for name, values in blocks.items()}))
    values = {name: default for name, (default, _) in FEDERATION_ARGUMENTS.items()} | {
        'areas': ','.join(str(tmp_path / f'{area}.yaml') for area in AREAS),
        'state_dir': str(tmp_path / 'state')}
    plan, _ = prepare_plan(plan_federation(values))
    specs = [process_spec(node) for node in graph_nodes(plan)
             if node.executable in ('ftm', 'imu', 'sync')]
    made = Building(listener, wait_until, imu)
    made.listen()
    phones('android_phone.py', 'udp', ftm, 'ann', 86_400_000, 20, HALL_AP, STAIRS_AP, OTHER_AP)
    phones('imu_apps.py', 'sensor_logger', '127.0.0.1', imu, '--device', 'ann')
    with Supervisor(specs, log_dir=tmp_path / 'log') as made.processes:
        yield made
    assert made.processes.failure is None


def test_a_phone_on_one_url_is_measured_by_both_areas_and_each_range_by_its_own(
    building: Building,
) -> None:
    for area in AREAS:
        building.wait_for_more(area)
    assert building.processes is not None
    drivers = {name for name in building.processes.pids() if name.endswith(('/ftm', '/imu'))}
    assert drivers == {'hall/ftm', 'hall/imu'}
    for area in AREAS:
        assert {message.header.frame_id for message in building.inertial[area]} == {f'{area}/ann'}
    stamps = [{(message.header.stamp.sec, message.header.stamp.nanosec)
               for message in building.inertial[area]} for area in AREAS]
    assert stamps[0] & stamps[1], 'the same samples'

    heard = {area: lambda area=area: {each.ap for each in building.ranges[area]} for area in AREAS}
    building.wait(lambda: heard['hall']() == {HALL_AP, OTHER_AP}
                  and heard['stairs']() == {STAIRS_AP, OTHER_AP})
    for area, other in zip(AREAS, reversed(AREAS), strict=True):
        building.wait(lambda area=area: 'ann.offset_s' in building.values(f'{area}: imu')
                      and int(building.values(f'{area}: ftm').get('of_other_areas', 0)) > 3
                      and int(building.values(f'{area}: sync').get('unknown_ap', 0)) > 3)
        assert building.values(f'{area}: imu')['shared_with'] == other
    for area in AREAS:
        building.wait_for_more(area)
        assert {each.ap for each in building.ranges[area]} == heard[area]()


def test_area_that_is_paused_gets_no_samples_while_the_other_does(
    building: Building, operator: Any, phones: Callable[..., None],
) -> None:
    for area in AREAS:
        building.wait_for_more(area)
    for paused, other in (AREAS, AREAS[::-1]):  # the leader's as well as the other one
        assert operator.change(f'/{paused}/imu', 'deactivate')
        building.wait(lambda paused=paused: 'rate_hz' not in building.newest_keys(paused))
        building.wait_for_more(other)
        before = len(building.inertial[paused])
        building.wait_for_more(other)
        assert len(building.inertial[paused]) == before
        assert operator.change(f'/{paused}/imu', 'activate')
        building.wait_for_more(paused)
    for area in AREAS:
        assert operator.change(f'/{area}/imu', 'deactivate')
    with socket.create_server(('127.0.0.1', building.port)):
        pass  # the source is closed with the last area
    assert operator.change('/stairs/imu', 'activate')
    phones('imu_apps.py', 'sensor_logger', '127.0.0.1', building.port, '--device', 'ann')
    building.wait_for_more('stairs')
