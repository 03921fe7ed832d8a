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

"""Phones that send RangingResults, at the level of the source."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from utt_ros.drivers.ftm.android import AndroidSettings, AndroidSource
from utt_ros.drivers.transport.http import HttpServer
from utt_ros.drivers.transport.sockets import Arrival, DatagramServer, PortServer
from utt_ros.drivers.types import FtmSample
from utt_ros.errors import SourceError

pytestmark = pytest.mark.slow

PEER = Path(__file__).parents[1] / 'peers/android_phone.py'
BEGIN_NS = 1_790_000_000_000_000_000
DAY_S = 86_400
WAIT_S = 30.0


class Script(PortServer):
    """Arrivals as a test wants them."""

    waiting: list[Arrival]
    port = 0

    def open(self) -> None:
        self.waiting = []

    def read(self, timeout_s: float) -> list[Arrival]:
        taken, self.waiting = self.waiting, []
        return taken

    def close(self) -> None:
        pass


def result(boot_s: float, device: str = 'anna', **changes: object) -> bytes:
    return json.dumps({
        'deviceId': device, 'mac': '02:00:00:00:00:01', 'status': 0, 'distanceMm': 5230,
        'distanceStdDevMm': 412, 'rssi': -58, 'numAttemptedMeasurements': 8,
        'numSuccessfulMeasurements': 7, 'rangingTimestampMillis': round(boot_s * 1000),
        **changes}).encode()


class Phones:
    """A source to which results arrive at instants of the host's clock."""

    def __init__(self, **settings: object) -> None:
        self.source = AndroidSource(AndroidSettings(**settings), Script)
        self.source.open()

    def send(self, host_s: float, *lines: bytes) -> list[FtmSample]:
        """Return the samples of lines that arrive `host_s` after BEGIN_NS."""
        arrival = Arrival('10.0.0.2', b'\n'.join(lines), BEGIN_NS + round(host_s * 1e9))
        self.source._server.waiting.append(arrival)
        return list(self.source.read(0.0))


def free_port(kind: socket.SocketKind) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


@pytest.fixture
def start_phone() -> Iterator[Callable[..., subprocess.Popen]]:
    with ExitStack() as stack:
        def start(*words: object) -> subprocess.Popen:
            process = subprocess.Popen(
                [sys.executable, str(PEER), *map(str, words)],
                stdin=subprocess.PIPE)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process
        yield start


@pytest.mark.parametrize(('way', 'server', 'kind'), [
    ('udp', DatagramServer, socket.SOCK_DGRAM), ('http', HttpServer, socket.SOCK_STREAM)])
def test_a_phone_of_another_process_is_received_also_after_its_restart(
    start_phone: Callable, way: str, server: type[PortServer], kind: socket.SocketKind,
) -> None:
    port = free_port(kind)
    source = AndroidSource(AndroidSettings(
        host='127.0.0.1', port=port, devices=('pixel',), phones=('anna',)), server)
    deadline_s = time.monotonic() + WAIT_S
    with source:
        assert source.read(0.01) == []  # nobody speaks
        for boot_ms in (259_200_000, 5_000):
            phone = start_phone(way, port, 'pixel', boot_ms, 200)
            samples: list[FtmSample] = []
            while len(samples) < 10:
                assert time.monotonic() < deadline_s, dict(source.counters)
                samples += source.read(0.1)
            phone.kill()
            assert {sample.phone for sample in samples} == {'anna'}
            assert all(5.0 < sample.range_m < 9.0 for sample in samples)
            assert abs(samples[-1].stamp_ns - time.time_ns()) < 5e9
        assert source.counters['other_clock'] > 0  # until it is sure that the clock is another one


def test_clock_three_days_off_that_drifts_is_followed(rng: np.random.Generator) -> None:
    phones, errors = Phones(), []
    for step in range(3 * 180):  # three minutes, 3 Hz
        host_s = step / 3
        boot_s = 3 * DAY_S + host_s * (1 + 100e-6)
        delay_s = 0.002 + rng.exponential(0.02)
        errors += [sample.stamp_ns - BEGIN_NS - host_s * 1e9
                   for sample in phones.send(host_s + delay_s, result(boot_s))]
    assert len(errors) > 0.9 * 540
    assert np.abs(errors[len(errors) // 2:]).max() < 10e6
    status = phones.source.status()
    assert status['anna.offset_s'] == pytest.approx(BEGIN_NS / 1e9 - 3 * DAY_S, abs=0.1)


def test_ten_times_the_rate_is_taken_whole() -> None:
    phones = Phones()
    lines = [result(10 + step / 1000) for step in range(500)]
    assert len(phones.send(0.5, *lines)) == 500


def test_stamps_that_go_back_or_stand_still_are_refused() -> None:
    phones = Phones()
    assert len(phones.send(1.0, result(10.0))) == 1
    assert phones.send(1.1, result(10.0)) == []
    assert phones.send(1.2, result(9.5)) == []
    assert phones.source.counters == {'duplicate': 1, 'backward': 1}
    assert len(phones.send(1.3, result(10.3))) == 1


def test_ranges_continue_after_the_host_clock_was_set_back() -> None:
    phones = Phones()
    for step in range(10):
        assert len(phones.send(7200.0 + step, result(10.0 + step))) == 1
    taken = [phones.send(3610.0 + step, result(20.0 + step)) for step in range(6)]
    assert taken[-1][0].stamp_ns - BEGIN_NS == pytest.approx(3615e9, abs=1e6)
    assert phones.source.counters['host_set_back'] == 1
    assert phones.source.counters['backward'] == 0


def test_results_of_one_body_are_taken_whole_in_any_order() -> None:
    phones = Phones()
    taken = phones.send(5.0, result(12.0), result(10.0), result(11.0))
    assert [BEGIN_NS + 1e9 * second for second in (3, 4, 5)] == pytest.approx(
        [sample.stamp_ns for sample in taken], abs=1e6)
    assert not phones.source.counters


def test_ranges_to_two_access_points_at_one_instant_are_both_taken() -> None:
    phones = Phones()
    both = phones.send(1.0, result(10.0), result(10.0, mac='02:00:00:00:00:02'))
    assert [sample.ap[-1] for sample in both] == ['1', '2']


def test_other_devices_are_counted_when_phones_are_listed() -> None:
    phones = Phones(devices=('pixel-7',), phones=('anna',))
    taken = phones.send(1.0, result(10.0, 'pixel-7'), result(10.0, 'other'))
    assert [sample.phone for sample in taken] == ['anna']
    assert phones.source.counters == {'unknown_phone': 1}


def test_garbage_is_counted_and_following_lines_are_taken() -> None:
    phones = Phones()
    assert phones.send(1.0, b'\xff\x00', b'{"deviceId":') == []
    assert phones.send(1.1, result(10.0)[:50]) == []
    assert phones.source.counters['malformed'] == 2
    assert len(phones.send(1.2, b'{', result(10.2))) == 1


def test_a_port_in_use_is_an_error() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(('127.0.0.1', 0))
        settings = AndroidSettings(host='127.0.0.1', port=other.getsockname()[1])
        source = AndroidSource(settings, DatagramServer)
        with pytest.raises(SourceError, match='cannot listen'):
            source.open()
        source.close()
