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

"""Command line of `utt check`, with phones in other processes and a capture as the camera."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml

from utt_ros.cli.check import SourceCheck, check_report
from utt_ros.cli.main import main
from utt_ros.drivers.reader import ReaderSettings, SourceReader
from utt_ros.drivers.source import Source
from utt_ros.errors import SourceError
from utt_ros.orchestration.ros_environment import CHECKOUT

PEERS = Path(__file__).parents[1] / 'drivers' / 'peers'
CAPTURE = CHECKOUT / 'docs/sources/captures/two_people.mp4'
UTT = 'import sys; from utt_ros.cli.main import main; sys.exit(main())'
LENS = {'image_width': 640, 'image_height': 360, 'fx': 264.0, 'fy': 264.0, 'cx': 320.0,
        'cy': 180.0}


@pytest.fixture
def start_peer() -> Iterator[Callable[..., None]]:
    """`start_peer(port, script, ...)`: start a phone, and wait for a datagram at the port."""
    peers = []

    def start(port: int, script: str, *words: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(('127.0.0.1', port))
            receiver.settimeout(30.0)
            command = [sys.executable, str(PEERS / script), *map(str, words)]
            peers.append(subprocess.Popen(command, stdin=subprocess.PIPE))
            receiver.recv(65_535)

    yield start
    for peer in peers:
        peer.kill()
        peer.communicate()


@pytest.fixture
def free_ports() -> list[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for held in sockets:
        held.bind(('127.0.0.1', 0))
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


@pytest.fixture
def write_area(tmp_path: Path) -> Callable[..., Path]:
    """`write_area(ftm={...}, ...)`: write an area file with these drivers and their blocks."""

    def write(**blocks: dict[str, Any]) -> Path:
        document = {'/**': {'area': 'hall', 'drivers': list(blocks), **LENS}}
        document |= {f'/**/{name}': block for name, block in blocks.items()}
        path = tmp_path / 'hall.yaml'
        path.write_text(yaml.safe_dump(
            {name: {'ros__parameters': block} for name, block in document.items()}))
        return path

    return write


def ftm_block(port: int, *phones: str) -> dict[str, Any]:
    settings = {'host': '127.0.0.1', 'port': port}
    if phones:
        settings |= {'devices': list(phones), 'phones': list(phones)}
    return {'source': 'android_udp', 'android_udp': settings}


def test_each_stream_is_shown_with_rate_age_and_clock_offset(
    write_area: Callable[..., Path], start_peer: Callable[..., None], free_ports: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_peer(free_ports[0], 'android_phone.py', 'udp', free_ports[0], 'ann', 5_000_000, 20)
    start_peer(free_ports[1], 'imu_apps.py', 'hyper_imu_udp', '127.0.0.1', free_ports[1])
    path = write_area(
        camera={'opencv.location': str(CAPTURE), 'opencv.repeat': True},
        ftm=ftm_block(free_ports[0]),
        imu={'source': 'hyper_imu', 'hyper_imu': {
            'host': '127.0.0.1', 'port': free_ports[1], 'devices': ['127.0.0.1'],
            'phones': ['ann']}})
    assert main(['check', str(path), '--seconds', '3']) == 0
    out = capsys.readouterr().out
    rows = {(words[0], ' '.join(words[2:-4])): words[-4:] for line in out.splitlines()[1:5]
            if (words := line.split())}
    assert set(rows) == {
        ('camera', 'camera'), ('ftm', 'ann'), ('imu', 'ann'), ('imu', 'ann (magnetic)')}
    assert float(rows['camera', 'camera'][0]) > 0
    assert 1 < float(rows['ftm', 'ann'][0]) < 40
    assert 10 < float(rows['imu', 'ann'][0]) < 200
    assert float(rows['imu', 'ann'][1]) < 5
    assert float(rows['imu', 'ann'][2]) == pytest.approx(259_200, abs=1.0)
    assert re.search(r'camera: people \d, detection_ms', out)
    assert f'ftm: address 127.0.0.1:{free_ports[0]}' in out


def test_a_silent_source_and_a_silent_phone_are_named_and_fail(
    write_area: Callable[..., Path], start_peer: Callable[..., None], free_ports: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_peer(free_ports[0], 'android_phone.py', 'udp', free_ports[0], 'ann', 0, 20)
    path = write_area(ftm=ftm_block(free_ports[0], 'ann', 'ben'),
                      imu={'sensor_logger.host': '127.0.0.1', 'sensor_logger.port': 0})
    assert main(['check', str(path), '--seconds', '1']) == 1
    out = capsys.readouterr().out
    assert 'ftm: nothing from ben' in out
    assert 'imu: it is open and silent' in out


def test_areas_of_a_building_are_checked_one_after_the_other(
    write_area: Callable[..., Path], capsys: pytest.CaptureFixture[str],
) -> None:
    hall = write_area(camera={'source': 'topics'})
    stairs = hall.with_name('stairs.yaml')
    stairs.write_text(hall.read_text().replace('area: hall', 'area: stairs'))
    main(['check', str(hall), str(stairs), '--seconds', '0.1'])
    said = capsys.readouterr()
    assert said.out.count('camera: not read') == 2
    assert 'hall, stairs lie at the same place of the map' in said.out
    assert [line for line in said.err.splitlines() if 'reading' in line] == [
        'hall: reading for 0.1 s', 'stairs: reading for 0.1 s']
    main(['check', str(hall), '--seconds', '0.1'])
    assert 'same place' not in capsys.readouterr().out


def test_areas_that_name_one_port_are_told_whether_they_can_share_it(
    write_area: Callable[..., Path], free_ports: list[int], capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_ports[0]
    hall = write_area(imu={'sensor_logger.host': '127.0.0.1', 'sensor_logger.port': port})
    stairs = hall.with_name('stairs.yaml')
    stairs.write_text(hall.read_text().replace('area: hall', 'area: stairs'))
    main(['check', str(hall), str(stairs), '--seconds', '0.1'])
    assert f'hall, stairs: imu listens for phones on 127.0.0.1:{port}' in capsys.readouterr().out
    stairs.write_text(stairs.read_text().replace('127.0.0.1', '0.0.0.0'))
    assert main(['check', str(hall), str(stairs), '--seconds', '0.1']) == 1
    assert ("they cannot share it: host is '127.0.0.1' in hall and '0.0.0.0' in stairs"
            in capsys.readouterr().out)


def test_a_source_that_cannot_be_read_gives_its_error_while_others_are_read(
    write_area: Callable[..., Path], free_ports: list[int], capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(('127.0.0.1', free_ports[0]))
        path = write_area(camera={'source': 'topics'}, ftm=ftm_block(free_ports[0]),
                          imu={'source': 'iio', 'iio': {'rate': 'fast'}})
        assert main(['check', str(path), '--seconds', '0.5']) == 1
    out = capsys.readouterr().out
    assert 'camera: not read: topics need ROS' in out
    assert 'ftm: cannot listen on 127.0.0.1' in out
    assert "imu: rate is 'fast'" in out


def test_unknown_key_is_refused_with_the_nearest_one(
    write_area: Callable[..., Path], capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_area(imu={'source': 'iio', 'iio': {'rat': 3.0}})
    assert main(['check', str(path), '--seconds', '0.5']) == 2
    assert "unknown parameter 'iio.rat': did you mean 'iio.rate'" in capsys.readouterr().err


class FailsOnce(Source[Any]):
    """Source that fails to open the first time and is silent afterwards."""

    attempts = 0

    def open(self) -> None:
        self.attempts += 1
        if self.attempts == 1:
            raise SourceError('unplugged: plug it in')

    def read(self, timeout_s: float) -> list[Any]:
        Event().wait(min(timeout_s, 0.01))
        return []

    def close(self) -> None: ...


def test_the_status_of_single_phones_is_shown_without_clock_values() -> None:
    source = FailsOnce()
    source.status = lambda: {  # two phones of sensor_server, one of them absent
        'ann.connection': 'open', 'ann.offset_s': 3.5, 'bob.connection': 'TimeoutError: late'}
    out = check_report([SourceCheck('imu', source=source)], 0)
    assert 'imu: ann.connection open, bob.connection TimeoutError: late' in out
    assert '3.5' not in out.splitlines()[-1]


def test_the_error_of_a_lost_source_is_shown_after_it_was_reopened(
    wait_until: Callable[..., None],
) -> None:
    check = SourceCheck('imu', source=FailsOnce())
    check.reader = SourceReader(check.source, ReaderSettings(first_wait=0.5), lambda: None)
    check.reader.start()
    wait_until(lambda: check.take() or check.last_error)
    wait_until(lambda: check.reader.status().state == 'open')
    check.evaluate(check.reader.status())
    assert check.remarks == ['unplugged: plug it in']
    assert check.failed
    assert check.reader.stop()


@pytest.mark.parametrize(('drivers', 'words', 'error'), [
    ({}, [], 'lists no drivers'), ({'imu': {}}, ['--seconds', '0'], '--seconds is 0')])
def test_check_without_drivers_or_time_is_refused(
    write_area: Callable[..., Path], capsys: pytest.CaptureFixture[str],
    drivers: dict[str, Any], words: list[str], error: str,
) -> None:
    assert main(['check', str(write_area(**drivers)), *words]) == 2
    assert error in capsys.readouterr().err


def test_ctrl_c_ends_a_check_at_once(write_area: Callable[..., Path]) -> None:
    path = write_area(imu={'sensor_logger.host': '127.0.0.1', 'sensor_logger.port': 0})
    command = [sys.executable, '-c', UTT, 'check', str(path), '--seconds', '600']
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert 'reading for 600 s' in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert 'Traceback' not in err


def test_recordings_tell_a_wrong_pitch_without_a_sensor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['simulate', '--out', str(tmp_path), '--areas', '1', '--minutes', '1']) == 0
    bags = sorted(map(str, (tmp_path / 'area0').glob('session*')))
    path = tmp_path / 'wrong.yaml'
    path.write_text('/**:\n  ros__parameters: {area: area0, camera_pitch: 0.25}\n')
    assert main(['check', str(path), '--bag', *bags]) == 0
    out = capsys.readouterr().out
    assert 'WARNING: camera_pitch is 0.250 but walkers say 0.2' in out
    assert 'camera_height 2.500 agrees with walkers' in out
    assert 'area0: not given, and so assumed: camera_height 2.5' in out
    assert main(['check', str(path), str(path), '--bag', *bags]) == 2
    assert '--bag checks one area' in capsys.readouterr().err
