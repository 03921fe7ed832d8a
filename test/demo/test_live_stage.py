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

"""The area file and the processes of the live demonstration."""

from pathlib import Path

import pytest

from utt_ros.cli.driver_config import read_driver_config
from utt_ros.demo.live_stage import LiveRun, free_ports, live_processes, write_area_file
from utt_ros.orchestration.graph import read_area_plan


@pytest.fixture(scope='module')
def live_run(tmp_path_factory: pytest.TempPathFactory) -> LiveRun:
    live_run = LiveRun(tmp_path_factory.mktemp('live'), 0, 20.0, free_ports())
    live_run.file.parent.mkdir()
    write_area_file(live_run)
    return live_run


def test_drivers_listen_on_the_ports_of_the_devices(live_run: LiveRun) -> None:
    area = read_area_plan(live_run.file)
    assert area.drivers == ('camera', 'ftm', 'imu')
    assert len(set(live_run.ports)) == 3
    sources = {kind: read_driver_config(area, kind) for kind in area.drivers}
    assert {kind: told.name for kind, told in sources.items()} == {
        'camera': 'opencv', 'ftm': 'android_udp', 'imu': 'sensor_logger'}
    for kind, port in zip(('ftm', 'imu'), live_run.ports[1:], strict=True):
        with sources[kind].make() as source:
            words = vars(source)
            server = words.get('server') or words['_server']
            assert server.port == port
    assert sources['camera'].make().status()['people'] == 0  # its network can be read


def test_graph_is_that_of_an_area_with_sensors_and_no_bag(live_run: LiveRun) -> None:
    specs = {spec.name: spec for spec in live_processes(live_run)}
    assert set(specs) == {
        'utt/recorder', 'area0/sync', 'area0/twin', 'area0/trainer', 'area0/camera', 'area0/ftm',
        'area0/imu', 'utt/ready', 'peers'}
    assert specs['peers'].after == 'utt/ready'
    assert specs['peers'].essential
    assert not specs['peers'].respawn
    assert all(str(live_run.file) in specs[f'area0/{name}'].command for name in ('camera', 'sync'))


def test_only_scored_topics_are_recorded(live_run: LiveRun) -> None:
    recorder = next(spec for spec in live_processes(live_run) if spec.name == 'utt/recorder')
    assert 'image' not in ' '.join(recorder.command)
    assert str(Path(live_run.out, 'heard')) in recorder.command
