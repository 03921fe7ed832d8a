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

"""Two hosts on this machine, where it permits them: processes reach each other by the network."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import network_hosts
from utt_ros.evaluation.benchmarks.impaired_cable import CableSettings, read_lost_frames
from utt_ros.evaluation.benchmarks.network_hosts import NetworkHost, open_hosts


@pytest.fixture
def hosts() -> Iterator[tuple[NetworkHost, NetworkHost]]:
    with ExitStack() as opened:
        yield open_or_skip(opened)


@pytest.fixture
def permitted() -> None:
    """Skip where not even a plain cable is possible; one that fails later is an error."""
    with ExitStack() as opened:
        open_or_skip(opened)


def open_or_skip(opened: ExitStack) -> tuple[NetworkHost, NetworkHost]:
    try:
        return opened.enter_context(open_hosts())
    except UttError as err:
        pytest.skip(str(err))


def output(host: NetworkHost, *words: str) -> str:
    return subprocess.run(host.command(*words), capture_output=True, text=True, check=True,
                          timeout=30).stdout


def test_hosts_have_a_network_and_shared_memory_of_their_own(
    hosts: tuple[NetworkHost, NetworkHost], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_DISCOVERY_SERVER', 'elsewhere')
    first, second = hosts
    for host in hosts:
        assert set(output(host, 'ls', '/sys/class/net').split()) == {'lo', host.device}
        values = dict(line.partition('=')[::2] for line in output(host, 'env').splitlines())
        assert values['ROS_STATIC_PEERS'] == host.peer
        assert 'ROS_DISCOVERY_SERVER' not in values
    output(first, 'touch', '/dev/shm/utt_hosts_test')
    assert 'utt_hosts_test' in output(first, 'ls', '/dev/shm')
    assert 'utt_hosts_test' not in output(second, 'ls', '/dev/shm')
    assert not Path('/dev/shm/utt_hosts_test').exists()


@pytest.mark.usefixtures('permitted')
def test_hosts_are_not_given_before_their_devices_are_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_addresses = network_hosts._set_addresses

    def end_cable(names: Sequence[str]) -> None:
        set_addresses(names)
        network_hosts._run('ip', '-n', names[1], 'link', 'set', names[1], 'down')

    monkeypatch.setattr(network_hosts, 'STOP_SEC', 0.2)
    monkeypatch.setattr(network_hosts, '_set_addresses', end_cable)
    with pytest.raises(UttError, match=r'utt\d+a is not running after 0.2 s: .*utt\d+a@'), \
            open_hosts():
        pass


ECHO = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
    echo.bind(("10.99.0.2", 0))
    print(echo.getsockname()[1], flush=True)
    while True:
        echo.sendto(*echo.recvfrom(65536))
"""
ASK = """
import socket, sys, time
count, size, port, patience_s = map(int, sys.argv[1:])
trips_s = []
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    for number in range(count):
        asking.settimeout(patience_s)
        begin_s = time.monotonic()
        asking.sendto(b"%d " % number + bytes(size), ("10.99.0.2", port))
        try:
            while not asking.recv(65536).startswith(b"%d " % number):
                pass
            trips_s.append(time.monotonic() - begin_s)
        except TimeoutError:
            pass
print(len(trips_s), min(trips_s))
"""


@pytest.mark.usefixtures('permitted')
@pytest.mark.parametrize(('size', 'loss', 'least', 'most'), [
    (100, 0.0, 20, 20), (30_000, 0.0, 20, 20), (100, 0.3, 2, 18)])
def test_a_cable_delays_and_loses_datagrams_and_keeps_those_in_several_frames(
    size: int, loss: float, least: int, most: int, tmp_path: Path,
) -> None:
    counts = tmp_path / 'cable.json'
    with ExitStack() as opened:
        first, second = opened.enter_context(
            open_hosts(CableSettings(50.0, loss, seed=1), counts))
        echo = subprocess.Popen(second.command(sys.executable, '-c', ECHO), text=True,
                                stdout=subprocess.PIPE)
        opened.callback(echo.wait)
        opened.callback(echo.kill)
        assert echo.stdout is not None
        opened.callback(echo.stdout.close)
        asked = output(first, sys.executable, '-c', ASK, '20', str(size),
                       echo.stdout.readline().strip(), str(1 if loss else 30))
    answered, trip_s = map(float, asked.split())
    assert least <= answered <= most
    assert trip_s >= 0.1
    lost = read_lost_frames(counts)
    assert (lost.by_chance > 0, lost.by_overload) == (loss > 0.0, 0)


LATCHED = """
import sys
import rclpy
from std_msgs.msg import UInt8MultiArray
from utt_ros.bridge.node.qos import CONTESTED, STATE
rclpy.init()
node = rclpy.create_node(sys.argv[1])
heard = []
if sys.argv[1] == 'aggregator':
    publisher = node.create_publisher(UInt8MultiArray, '/model', STATE)
    publisher.publish(UInt8MultiArray(data=bytes(1_400_000)))
else:
    node.create_subscription(UInt8MultiArray, '/model', heard.append, CONTESTED)
while not heard:
    rclpy.spin_once(node, timeout_sec=0.1)
print(len(heard[0].data), flush=True)
"""
MODEL_SEC = 100.0  # on a quiet machine it takes two


@pytest.mark.usefixtures('permitted')
def test_a_model_crosses_a_network_that_loses_frames_without_ip_fragments() -> None:
    with ExitStack() as opened:
        first, second = opened.enter_context(open_hosts(CableSettings(50.0, 0.05, seed=1)))
        aggregator = subprocess.Popen(first.command(sys.executable, '-c', LATCHED, 'aggregator'))
        opened.callback(aggregator.wait)
        opened.callback(aggregator.kill)
        heard = subprocess.run(second.command(sys.executable, '-c', LATCHED, 'trainer'),
                               capture_output=True, text=True, timeout=MODEL_SEC, check=True)
        assert heard.stdout == '1400000\n'
        for host in (first, second):
            names, counts = (line.split() for line in output(
                host, 'grep', '^Ip:', '/proc/net/snmp').splitlines())
            assert dict(zip(names, counts, strict=True))['FragCreates'] == '0'


FLOOD = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
    sending.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # without asking for an address
    for _ in range(50000):
        sending.sendto(bytes(1400), ("10.99.0.255", 9))
"""


@pytest.mark.usefixtures('permitted')
def test_frames_that_overrun_the_buffer_of_a_cable_are_counted_as_overload(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    started = keep_started(monkeypatch)
    with open_hosts(CableSettings(50.0), tmp_path / 'cable.json') as (first, _):
        started[-1].send_signal(signal.SIGSTOP)
        output(first, sys.executable, '-c', FLOOD)
        started[-1].send_signal(signal.SIGCONT)
    lost = read_lost_frames(tmp_path / 'cable.json')
    assert lost.by_chance == 0
    assert lost.by_overload > 1000


@pytest.mark.usefixtures('permitted')
def test_a_cable_that_does_not_start_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_hosts, 'impaired_cable', SimpleNamespace(__name__='no_such_cable'))
    with pytest.raises(UttError, match=r'the cable between .* not start: .*no_such_cable'), \
            open_hosts(CableSettings(50.0)):
        pass


@pytest.mark.usefixtures('permitted')
@pytest.mark.parametrize('failed', [False, True])
def test_a_cable_or_host_that_ends_before_the_block_is_an_error(
    monkeypatch: pytest.MonkeyPatch, *, failed: bool,
) -> None:
    started = keep_started(monkeypatch)
    with pytest.raises(UttError, match=r'the cable ended by itself, with -9, and cut the hosts'), \
            open_hosts(CableSettings(50.0)):
        end_last(started, failed=failed)
    with pytest.raises(UttError, match=r'utt\d+b ended by itself, with -9'), open_hosts():
        end_last(started, failed=False)


@pytest.mark.usefixtures('permitted')
def test_an_error_of_the_block_passes_while_the_cable_works() -> None:
    with pytest.raises(UttError, match=r'^an area got no model$'), \
            open_hosts(CableSettings(50.0)):
        raise UttError('an area got no model')


def end_last(started: Sequence[subprocess.Popen[str]], *, failed: bool) -> None:
    started[-1].kill()
    started[-1].wait()
    if failed:
        raise UttError('an area got no model')


def keep_started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[str]]:
    started: list[subprocess.Popen[str]] = []
    start = network_hosts._start

    def keep(*args: Any) -> subprocess.Popen[str]:
        started.append(start(*args))
        return started[-1]

    monkeypatch.setattr(network_hosts, '_start', keep)
    return started


def test_a_user_without_rights_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, 'geteuid', lambda: 1000)
    with pytest.raises(UttError, match=r'namespaces need root and ip, .*: the user is 1000'), \
            open_hosts():
        pass


def test_a_machine_without_the_programs_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_hosts, 'PROGRAMS', ('no_such_program',))
    with pytest.raises(UttError, match='no_such_program is not installed'), open_hosts():
        pass
