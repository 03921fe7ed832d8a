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

"""Phones as processes, and the sources that receive from them."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros.drivers.imu import SOURCES
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import SourceError
from utt_ros.settings import AreaSettings

PEER = Path(__file__).parents[1] / 'peers' / 'imu_apps.py'


@pytest.fixture
def free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def start_phone() -> Iterator[Callable[..., subprocess.Popen]]:
    """`start_phone(APP, PORT, '--rate', 100)` runs until killed, at the latest at the end."""
    phones = []

    def start(app: str, port: int, *options: object) -> subprocess.Popen:
        command = [sys.executable, PEER, app, '127.0.0.1', port, *options]
        phones.append(subprocess.Popen([str(word) for word in command]))
        return phones[-1]

    yield start
    for phone in phones:
        phone.kill()
        phone.wait()


@pytest.fixture
def open_source(free_port: int) -> Iterator[Callable[..., Source[Any]]]:
    """`open_source(APP, **SETTINGS)` on the free port; closed at the end."""
    opened = []

    def start(app: str, **values: Any) -> Source[Any]:
        if app.startswith('hyper_imu_'):
            values['transport'] = app.removeprefix('hyper_imu_')
            app = 'hyper_imu'
        if app in ('sensor_server', 'phyphox'):
            values = {'devices': (f'127.0.0.1:{free_port}',), 'phones': ('one',), **values}
        else:
            values = {'host': '127.0.0.1', 'port': free_port, **values}
        entry = SOURCES[app]
        opened.append(entry.make(entry.settings(**values), AreaSettings()))
        with suppress(SourceError):
            opened[-1].open()
        return opened[-1]

    yield start
    for source in opened:
        source.close()
        source.close()


@pytest.fixture
def collect(wait_until: Callable) -> Callable[..., list[Any]]:
    """Read a source, reopening it as the reader does, until it is `done` with the samples."""
    def run(source: Source[Any], done: Callable[[list[Any]], object]) -> list[Any]:
        samples: list[Any] = []

        def read() -> bool:
            try:
                samples.extend(source.read(0.1))
            except SourceError:
                source.close()
                source.open()
            return bool(done(samples))

        wait_until(read, 30.0)
        return samples

    return run


@pytest.fixture
def check_samples() -> Callable[[list[Any], str], None]:
    """Check SI units, order, and host stamps against the time that the gyroscope encodes."""
    def run(samples: list[Any], phone: str) -> None:
        inertial = [sample for sample in samples if isinstance(sample, InertialSample)]
        for sample in inertial:
            assert sample.phone == phone
            np.testing.assert_allclose(sample.accel, [0.25, -0.5, 9.75], rtol=1e-5)
            np.testing.assert_allclose(sample.gyro[:2], [0.5, -0.25], rtol=1e-5)
            late_s = (sample.stamp_ns % 10**10 / 1e9 - float(sample.gyro[2])) % 10.0
            assert min(late_s, 10.0 - late_s) < 1.0  # of a busy machine; see test_phone_assemblers
        magnetic = [sample for sample in samples if isinstance(sample, MagneticSample)]
        for sample in magnetic:
            assert sample.phone == phone
            np.testing.assert_allclose(sample.field, [20e-6, -10e-6, -40e-6], rtol=1e-5)
        for stream in (inertial, magnetic):
            assert stream
            assert np.all(np.diff([sample.stamp_ns for sample in stream]) > 0)

    return run
