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

"""The processes of the live demonstration."""

from pathlib import Path

import pytest

from utt_ros.demo.live_stage import LiveRun, live_processes
from utt_ros.sessions.simulator.live_area import free_ports, write_live_area


@pytest.fixture(scope='module')
def live_run(tmp_path_factory: pytest.TempPathFactory) -> LiveRun:
    live_run = LiveRun(tmp_path_factory.mktemp('live'), 0, 20.0, free_ports())
    live_run.file.parent.mkdir()
    write_live_area(live_run.file, 0, live_run.ports)
    return live_run


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
