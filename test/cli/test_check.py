"""`utt check` as it is typed, with phones in other processes and a capture as the camera."""

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

from utt_ros.cli.check import Trial, report
from utt_ros.cli.main import main
from utt_ros.drivers.reader import SourceReader, ReaderSettings
from utt_ros.drivers.source import Source
from utt_ros.errors import SourceError
from utt_ros.orchestration.environment import CHECKOUT

PEERS = Path(__file__).parents[1] / 'drivers' / 'peers'
CAPTURE = CHECKOUT / 'docs/sources/captures/two_people.mp4'
UTT = 'import sys; from utt_ros.cli.main import main; sys.exit(main())'
LENS = {'image_width': 640, 'image_height': 360, 'fx': 264.0, 'fy': 264.0, 'cx': 320.0,
        'cy': 180.0}


@pytest.fixture
def start_peer() -> Iterator[Callable[..., None]]:
    """`start_peer(port, script, ...)` starts a phone that sends to a port, and hears it once."""
    peers = []

    def start(port: int, script: str, *words: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(('127.0.0.1', port))
            ear.settimeout(30.0)
            command = [sys.executable, str(PEERS / script), *map(str, words)]
            peers.append(subprocess.Popen(command, stdin=subprocess.PIPE))
            ear.recv(65_535)

    yield start
    for peer in peers:
        peer.kill()
        peer.communicate()


@pytest.fixture
def free_ports() -> list[int]:
    ears = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for ear in ears:
        ear.bind(('127.0.0.1', 0))
    ports = [ear.getsockname()[1] for ear in ears]
    for ear in ears:
        ear.close()
    return ports


@pytest.fixture
def write_area(tmp_path: Path) -> Callable[..., Path]:
    """`write_area(ftm={...}, ...)`: an area with these drivers, told this in blocks of theirs."""

    def write(**blocks: dict[str, Any]) -> Path:
        document = {'/**': {'area': 'hall', 'drivers': list(blocks), **LENS}}
        document |= {f'/**/{name}': told for name, told in blocks.items()}
        path = tmp_path / 'hall.yaml'
        path.write_text(yaml.safe_dump(
            {block: {'ros__parameters': told} for block, told in document.items()}))
        return path

    return write


def ranges(port: int, *phones: str) -> dict[str, Any]:
    told = {'host': '127.0.0.1', 'port': port}
    if phones:
        told |= {'devices': list(phones), 'phones': list(phones)}
    return {'source': 'android_udp', 'android_udp': told}


def test_what_every_sensor_says_is_shown_with_rates_ages_and_offsets(
    write_area: Callable[..., Path], start_peer: Callable[..., None], free_ports: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_peer(free_ports[0], 'android_phone.py', 'udp', free_ports[0], 'ann', 5_000_000, 20)
    start_peer(free_ports[1], 'imu_apps.py', 'hyper_imu_udp', '127.0.0.1', free_ports[1])
    path = write_area(
        camera={'opencv.location': str(CAPTURE), 'opencv.repeat': True},
        ftm=ranges(free_ports[0]),
        imu={'source': 'hyper_imu', 'hyper_imu': {
            'host': '127.0.0.1', 'port': free_ports[1], 'devices': ['127.0.0.1'],
            'phones': ['ann']}})
    assert main(['check', str(path), '--seconds', '3']) == 0
    said = capsys.readouterr().out
    rows = {(words[0], ' '.join(words[2:-4])): words[-4:] for line in said.splitlines()[1:5]
            if (words := line.split())}
    assert set(rows) == {
        ('camera', 'camera'), ('ftm', 'ann'), ('imu', 'ann'), ('imu', 'ann (magnetic)')}
    assert float(rows['camera', 'camera'][0]) > 0
    assert 1 < float(rows['ftm', 'ann'][0]) < 40
    assert 10 < float(rows['imu', 'ann'][0]) < 200
    assert float(rows['imu', 'ann'][1]) < 5
    assert float(rows['imu', 'ann'][2]) == pytest.approx(259_200, abs=1.0)
    assert re.search(r'camera: people \d, detection_ms', said)


def test_silent_source_and_silent_phone_are_named_and_fail(
    write_area: Callable[..., Path], start_peer: Callable[..., None], free_ports: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_peer(free_ports[0], 'android_phone.py', 'udp', free_ports[0], 'ann', 0, 20)
    path = write_area(ftm=ranges(free_ports[0], 'ann', 'ben'),
                      imu={'sensor_logger.host': '127.0.0.1', 'sensor_logger.port': 0})
    assert main(['check', str(path), '--seconds', '1']) == 1
    said = capsys.readouterr().out
    assert 'ftm: nothing from ben' in said
    assert 'imu: it is open and says nothing' in said


def test_what_cannot_be_read_says_why_while_others_are_tried(
    write_area: Callable[..., Path], free_ports: list[int], capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.bind(('127.0.0.1', free_ports[0]))
        path = write_area(camera={'source': 'topics'}, ftm=ranges(free_ports[0]),
                          imu={'source': 'iio', 'iio': {'rat': 3.0}})
        assert main(['check', str(path), '--seconds', '0.5']) == 1
    said = capsys.readouterr().out
    assert 'camera: not tried: its topics take ROS' in said
    assert 'ftm: cannot listen on 127.0.0.1' in said
    assert "imu: IioSettings has no setting 'rat'" in said


class Faint(Source[Any]):
    """Cannot be opened at first, and says nothing later."""

    tries = 0

    def open(self) -> None:
        self.tries += 1
        if self.tries == 1:
            raise SourceError('unplugged: plug it in')

    def read(self, timeout_s: float) -> list[Any]:
        Event().wait(min(timeout_s, 0.01))
        return []

    def close(self) -> None: ...


def test_what_a_source_says_of_single_phones_is_shown() -> None:
    source = Faint()
    source.status = lambda: {  # as two phones of sensor_server, one of which is not there
        'ann.connection': 'open', 'ann.offset_s': 3.5, 'bob.connection': 'TimeoutError: late'}
    said = report([Trial('imu', source=source)], 0)
    assert 'imu: ann.connection open, bob.connection TimeoutError: late' in said
    assert '3.5' not in said.splitlines()[-1]


def test_why_a_source_was_lost_is_told_also_when_it_is_open_again(
    wait_until: Callable[..., None],
) -> None:
    trial = Trial('imu', source=Faint())
    trial.reader = SourceReader(trial.source, ReaderSettings(first_wait=0.5), lambda: None)
    trial.reader.start()
    wait_until(lambda: trial.take() or trial.last_trouble)
    wait_until(lambda: trial.reader.status().state == 'open')
    trial.judge(trial.reader.status())
    assert trial.troubles == ['unplugged: plug it in']
    assert trial.failed
    assert trial.reader.stop()


@pytest.mark.parametrize(('drivers', 'words', 'says'), [
    ({}, [], 'lists no drivers'), ({'imu': {}}, ['--seconds', '0'], '--seconds is 0')])
def test_check_of_nothing_is_refused(
    write_area: Callable[..., Path], capsys: pytest.CaptureFixture[str],
    drivers: dict[str, Any], words: list[str], says: str,
) -> None:
    assert main(['check', str(write_area(**drivers)), *words]) == 2
    assert says in capsys.readouterr().err


def test_ctrl_c_ends_a_check_at_once(write_area: Callable[..., Path]) -> None:
    path = write_area(imu={'sensor_logger.host': '127.0.0.1', 'sensor_logger.port': 0})
    command = [sys.executable, '-c', UTT, 'check', str(path), '--seconds', '600']
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert 'reading for 600 s' in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert 'Traceback' not in said
