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

"""The simulated phones and camera as processes, read by the drivers' sources."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from utt_ros.cli.driver_config import read_driver_config
from utt_ros.demo.live_stage import LiveRun
from utt_ros.drivers.reader import SourceReader
from utt_ros.drivers.types import CameraFrame, FtmSample, InertialSample
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.sessions.simulator.live_area import free_ports, write_live_area
from utt_ros.sessions.simulator.live_world import live_session_plan, phone_clock
from utt_ros.sessions.simulator.world import START_NS, simulate_session

pytestmark = pytest.mark.slow

SECONDS = 20.0  # they are stopped as soon as enough is received


@pytest.fixture
def live_run(tmp_path: Path) -> LiveRun:
    live_run = LiveRun(tmp_path, 0, SECONDS, free_ports())
    live_run.file.parent.mkdir()
    write_live_area(live_run.file, 0, live_run.ports)
    return live_run


@pytest.fixture
def devices(live_run: LiveRun) -> Iterator[None]:
    camera, ftm, imu = map(str, live_run.ports)
    process = subprocess.Popen([
        sys.executable, '-m', 'utt_ros.sessions.simulator.devices',
        '--seed', '0', '--seconds', str(SECONDS),
        '--camera-port', camera, '--ftm-port', ftm, '--imu-port', imu, '--begin', live_run.begin],
        start_new_session=True)
    yield
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        member.kill()
    process.wait()


def test_sources_receive_true_values_at_true_times(
    live_run: LiveRun, devices: None, wait_until: Callable[..., None],
) -> None:
    area, session = read_area_plan(live_run.file), simulate_session(live_session_plan(0, SECONDS))
    sources = [read_driver_config(area, kind).make() for kind in area.drivers]
    readers = [SourceReader(source, read_driver_config(area, kind).reader, lambda: None)
             for source, kind in zip(sources, area.drivers, strict=True)]
    received: list[object] = []

    def phones(kind: type) -> set[str]:
        return {sample.phone for sample in received if isinstance(sample, kind)}

    def is_enough() -> bool:
        for reader in readers:
            received.extend(reader.take())
        return (phones(FtmSample) and phones(InertialSample) == phones(FtmSample) and any(
            isinstance(sample, CameraFrame) and sample.people and len(sample.people.boxes)
            for sample in received))

    for reader in readers:
        reader.start()
    wait_until(is_enough, timeout_sec=30.0)
    for reader in readers:
        assert reader.stop()
    assert phones(FtmSample) <= set(session.phones)
    begin_ns = int(live_run.begin.read_text())
    for name in phones(InertialSample):
        streams = session.phones[name]
        samples = [sample for sample in received
                if isinstance(sample, InertialSample) and sample.phone == name]
        for sample in samples:
            values = np.concatenate([sample.accel, sample.gyro])
            row = int(np.abs(streams.inertial - values).sum(axis=1).argmin())
            np.testing.assert_allclose(streams.inertial[row], values, atol=1e-5)
            late_ns = sample.stamp_ns - begin_ns - (streams.inertial_stamps_ns[row] - START_NS)
            assert -1e6 < late_ns < 5e9  # of a busy machine
        offset_s = sources[2].status()[f'{name}.offset_s']
        assert offset_s == pytest.approx(-phone_clock(name, 0).offset_s, abs=5.0)
