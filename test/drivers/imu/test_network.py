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

"""Every app's wire format, from another process or a capture, into its source."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from utt_ros.drivers.imu import SOURCES
from utt_ros.drivers.imu.network import PortSource
from utt_ros.drivers.transport.sockets import Arrival, PortServer
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import SourceError
from utt_ros.settings import AreaSettings

pytestmark = pytest.mark.slow

APPS = ['sensor_logger', 'sensor_server', 'hyper_imu_udp', 'hyper_imu_tcp', 'sensor_streamer',
        'phyphox']
HARMLESS = {'backward', 'other_clock'}  # a busy machine delays the first one, or one for long
CAPTURES = Path(__file__).parents[3] / 'docs' / 'sources' / 'captures'
BEGIN_NS = 1_795_000_000_000_000_000  # later than the captures
STEP_NS = 20_000_000
Start = Callable[..., subprocess.Popen]


def name_of(app: str) -> str:
    return 'one' if app in ('sensor_logger', 'sensor_server', 'phyphox') else 'phone_127_0_0_1'


@pytest.mark.parametrize('app', APPS)
def test_a_phone_3_days_off_is_read_in_si_units_and_host_time(
    app: str, open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
    check_samples: Callable,
) -> None:
    source = open_source(app)
    start_phone(app, free_port)
    samples = collect(source, lambda found: len(found) > 60)
    check_samples(samples, name_of(app))
    assert set(source.counters) <= HARMLESS
    if app != 'phyphox':  # whose clock starts with its experiment
        offset = source.status()[f'{name_of(app)}.offset_s']
        assert offset == pytest.approx(259_200.0, abs=1.0)


@pytest.mark.parametrize('app', APPS)
def test_garbage_between_packets_is_counted_and_packets_are_kept(
    app: str, open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
    check_samples: Callable,
) -> None:
    source = open_source(app)
    start_phone(app, free_port, '--garbage')
    samples = collect(
        source,
        lambda found: len(found) > 60 and source.counters['malformed'] > 20)
    check_samples(samples, name_of(app))


@pytest.mark.parametrize('app', APPS)
def test_ten_times_the_rate_is_read_as_well(
    app: str, open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
    check_samples: Callable,
) -> None:
    source = open_source(app)
    start_phone(app, free_port, '--rate', 1000)
    samples = collect(source, lambda found: len(found) > 600)
    check_samples(samples, name_of(app))
    assert set(source.counters) <= HARMLESS


@pytest.mark.parametrize('app', APPS)
def test_a_phone_that_falls_silent_and_returns_is_received_again(
    app: str, open_source: Callable, start_phone: Callable, free_port: int, wait_until: Callable,
    monkeypatch: pytest.MonkeyPatch, collect: Callable, check_samples: Callable,
) -> None:
    for module in ('sensor_server', 'phyphox'):
        monkeypatch.setattr(f'utt_ros.drivers.imu.{module}.RETRY_S', 0.2)
    source = open_source(app)
    phone = start_phone(app, free_port)
    samples = collect(source, lambda found: len(found) > 20)
    phone.kill()
    phone.wait()
    with suppress(SourceError):  # a source that connects says that nobody is there
        wait_until(lambda: not source.read(0.05))
    start_phone(app, free_port)
    samples += collect(source, lambda found: len(found) > 20)
    check_samples(samples, name_of(app))


class Replay(PortServer):
    """Lines of a capture, each `line_ns` after the one before."""

    def __init__(self, path: Path, line_ns: int) -> None:
        lines = enumerate(path.read_bytes().splitlines())
        self._arrivals = [Arrival('10.0.0.7', line, BEGIN_NS + n * line_ns) for n, line in lines]

    port = 0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self, timeout_s: float) -> list[Arrival]:
        return self._arrivals


@pytest.fixture(params=['hyper_imu', 'sensor_logger', 'sensor_streamer'])
def replayed(request: pytest.FixtureRequest) -> Iterator[PortSource]:
    entry = SOURCES[request.param]
    made = entry.make(entry.settings(), AreaSettings())
    (path,) = CAPTURES.glob(f'{request.param}.*')
    made.server = Replay(path, STEP_NS * (10 if request.param == 'sensor_logger' else 1))
    yield made
    made.close()


def test_a_capture_becomes_a_walk(replayed: PortSource) -> None:
    samples = replayed.read(0.0)
    inertial = [sample for sample in samples if isinstance(sample, InertialSample)]
    fields = np.stack([sample.field for sample in samples if isinstance(sample, MagneticSample)])
    assert len(inertial) >= 84  # of 100; the last ones may wait for those that come later
    np.testing.assert_allclose(np.diff([sample.stamp_ns for sample in inertial]), STEP_NS)
    force = np.linalg.norm([sample.accel for sample in inertial], axis=1)
    assert force.mean() == pytest.approx(9.8, abs=0.3)
    assert 0.5 < force.std() < 3.0
    assert np.linalg.norm(fields, axis=1).mean() == pytest.approx(41e-6, abs=1e-6)
    assert not replayed.counters
