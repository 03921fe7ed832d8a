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

"""The FTM node as a process, over DDS, with peers of other processes that speak wire formats."""

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from utt_ros.msg import FtmRange

from utt_ros.bridge.messages.sensors import to_ns
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.drivers.ftm.ftm_calibration import FtmFit, write_ftm_calibration
from utt_ros.drivers.pseudonyms import open_pseudonyms

PEERS = Path(__file__).parents[1] / 'drivers/peers'
AP = '02:00:00:00:00:01'
ESP = 'I ({ms}) ftm_station: Estimated RTT - 33 nSec, Estimated Distance - 5.07 meters'
GTEC = f'{AP},33,35,507,2,34000,-50,1,2,3,4,34400,-52,1,2,3,4'
WAIT_S = 40.0
Start = Callable[..., Any]


@pytest.fixture
def start_ftm(start_node: Start, tmp_path: Path) -> Start:
    def start(source: str, **parameters: object) -> Any:
        words = [f'-p {name}:={value}'.replace("'", '"') for name, value in parameters.items()]
        return start_node('ftm', '--ros-args', '-r', '__ns:=/hall', '-p', 'area:=hall',
                          '-p', f'source:={source}', *' '.join(words).split())
    return start


@pytest.fixture
def start_peer() -> Iterator[Start]:
    """Start a peer; at the end of the test it is killed."""
    with ExitStack() as stack:
        def start(name: str, *words: object) -> subprocess.Popen:
            process = subprocess.Popen(
                [sys.executable, str(PEERS / name), *map(str, words)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process
        yield start


def free_port(kind: socket.SocketKind) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def check(got: FtmRange, phone: str, range_m: float, begin_ns: int) -> None:
    assert (got.header.frame_id, got.phone, got.ap) == ('hall/ap', phone, AP)
    assert got.range == pytest.approx(range_m, abs=0.01)
    assert begin_ns - 10**9 < to_ns(got.header.stamp) <= time.time_ns()


@pytest.mark.parametrize(('way', 'kind'), [
    ('udp', socket.SOCK_DGRAM), ('http', socket.SOCK_STREAM)])
def test_android_phones_are_published_in_metres(
        start_ftm: Start, start_peer: Start, listener: Any, wait_until: Start, way: str,
        kind: socket.SocketKind) -> None:
    port, begin_ns = free_port(kind), time.time_ns()
    heard = listener.hear(FtmRange, '/hall/phones/anna/ftm', SENSOR)
    told = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
    name = f'android_{way}'
    start_ftm(name, **{f'{name}.host': '127.0.0.1', f'{name}.port': port})
    start_peer('android_phone.py', way, port, 'anna', 3 * 86_400_000, 20)
    wait_until(lambda: len(heard) >= 3, WAIT_S, listener.spin)
    check(heard[0], 'anna', 5.0 + 0.001 * round((heard[0].range - 5.0) * 1000), begin_ns)
    assert 5.0 < heard[0].range < 8.0
    assert (heard[0].rssi, heard[0].attempted, heard[0].successful) == (-58.0, 8, 7)
    assert heard[0].range_std == pytest.approx(0.4)

    def values() -> dict[str, str]:
        return {pair.key: pair.value for array in told for status in array.status
                if status.name == 'hall: ftm' for pair in status.values}

    wait_until(lambda: 'anna.offset_s' in values(), WAIT_S, listener.spin)
    assert values()['source'] == name
    assert int(values()['uncalibrated']) >= 3


@pytest.mark.parametrize(('source', 'line', 'std'), [
    ('esp_idf', ESP, 0.7), ('gtec', GTEC, 0.0424)])
def test_boards_are_published_and_corrected(
        start_ftm: Start, start_peer: Start, listener: Any, wait_until: Start, tmp_path: Path,
        source: str, line: str, std: float) -> None:
    calibration = tmp_path / 'ftm.yaml'
    write_ftm_calibration(calibration, {('anna', AP): FtmFit('anna', AP, 1.07)})
    board, begin_ns = start_peer('serial_board.py'), time.time_ns()
    port = board.stdout.readline().strip()
    heard = listener.hear(FtmRange, '/hall/phones/anna/ftm', SENSOR)
    extra = {'esp_idf.ap': f'"{AP}"', 'unknown_std': 0.7} if source == 'esp_idf' else {}
    start_ftm(source, **{f'{source}.ports': f'["{port}"]', f'{source}.phones': '["anna"]',
                         'calibration': calibration, **extra})

    def step() -> None:
        board.stdin.write(f'{line}\\r\\n\n')
        board.stdin.flush()
        listener.spin()

    wait_until(lambda: len(heard) >= 3, WAIT_S, step)
    check(heard[-1], 'anna', 4.0, begin_ns)
    assert heard[-1].range_std == pytest.approx(std, abs=1e-3)


def test_peers_of_iw_are_published(
        start_ftm: Start, listener: Any, wait_until: Start, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    program, begin_ns = tmp_path / 'iw', time.time_ns()
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} {PEERS / "fake_iw.py"} {tmp_path} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / 'behaviour').write_text('unsupported well')  # it is tried again after a while
    monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
    heard = listener.hear(FtmRange, '/hall/phones/anna/ftm', SENSOR)
    start_ftm('iw', **{'iw.macs': f'["{AP}"]', 'iw.phones': '["anna"]', 'first_wait': 0.1})
    wait_until(lambda: len(heard) >= 3, WAIT_S, listener.spin)
    check(heard[0], 'anna', 5.0, begin_ns)
    assert heard[0].rssi == -50.0
    assert heard[0].range_std == pytest.approx(0.15, abs=0.001)


def test_calibration_that_is_missing_ends_the_node_with_its_name(
        start_ftm: Start, wait_until: Start, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    node = start_ftm('android_udp', calibration='~/none.yaml')
    node.expect(2)
    wait_until(lambda: node.process.poll() is not None, WAIT_S)
    node.wait()
    assert str(tmp_path / 'none.yaml') in node.said


def test_phones_have_pseudonyms_in_all_that_is_published(
        start_ftm: Start, start_peer: Start, listener: Any, wait_until: Start, tmp_path: Path,
) -> None:
    port, pseudonym = free_port(socket.SOCK_DGRAM), open_pseudonyms(tmp_path / 'keys').of('anna')
    heard = listener.hear(FtmRange, f'/hall/phones/{pseudonym}/ftm', SENSOR)
    told = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
    start_ftm('android_udp', **{
        'android_udp.host': '127.0.0.1', 'android_udp.port': port, 'pseudonyms': 'true',
        'keys': tmp_path / 'keys'})
    start_peer('android_phone.py', 'udp', port, 'anna', 3 * 86_400_000, 20)
    wait_until(lambda: heard, WAIT_S, listener.spin)
    assert heard[0].phone == pseudonym
    wait_until(lambda: f'{pseudonym}.offset_s' in str(told), WAIT_S, listener.spin)
    assert 'anna' not in str(told)
    topics = [name for name, _ in listener.node.get_topic_names_and_types()]
    assert f'/hall/phones/{pseudonym}/ftm' in topics
    assert not [name for name in topics if 'anna' in name]
