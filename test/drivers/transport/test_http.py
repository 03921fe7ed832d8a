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

import asyncio
import http.client
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing

import pytest

from utt_ros.drivers.transport.http import MAX_BODY_BYTES, HttpServer
from utt_ros.drivers.transport.sockets import PortServer
from utt_ros.errors import SourceError

pytestmark = pytest.mark.slow

WAIT_S = 30.0
HEAD = b'POST / HTTP/1.1\r\nHost: x\r\n'
CUT = HEAD + b'Content-Length: 9\r\n\r\nshort'
EMPTY = HEAD + b'Content-Length: 0\r\n\r\n'


def post(server: PortServer, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=WAIT_S)
    with closing(connection):
        connection.request('POST', '/data', body, headers)
        return connection.getresponse().status


def flood(peer: socket.socket, count: int) -> None:
    """Send so many requests; a batch that is not taken raises TimeoutError."""
    for _ in range(count // 1000):
        peer.sendall(EMPTY * 1000)


def read_all(peer: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    return b''.join(iter(lambda: peer.recv(65_536), b''))


def test_bodies_are_answered_and_queued(
    open_server: Callable, counters: Counter[str], read: Callable,
) -> None:
    server = open_server(HttpServer)
    assert post(server, b'{"a": 1}') == 200
    assert post(server, b'\xff' * 100_000) == 200
    assert read(server, 2) == [b'{"a": 1}', b'\xff' * 100_000]
    assert not counters


def test_bodies_of_no_or_too_great_length_are_refused(
    open_server: Callable, counters: Counter[str], wait_until: Callable, dial: Callable,
) -> None:
    server = open_server(HttpServer)
    length = str(MAX_BODY_BYTES + 1)
    assert post(server, b'', **{'Content-Length': length}) == 413
    with dial(server) as peer:
        peer.sendall(HEAD + b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
        assert b' 411 ' in peer.recv(100)
    with dial(server) as peer:
        peer.sendall(CUT)
        peer.shutdown(socket.SHUT_WR)
        assert b' 400 ' in peer.recv(100)
    wait_until(lambda: counters['cut_body'])
    assert server.read(0.0) == []
    assert counters == {'long_body': 1, 'no_length': 1, 'cut_body': 1}


def test_bodies_beyond_the_queue_are_refused(
    open_server: Callable, counters: Counter[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('utt_ros.drivers.transport.http.MAX_BODIES', 2)
    server = open_server(HttpServer)
    assert [post(server, b'x') for _ in range(3)] == [200, 200, 503]
    assert counters == {'queue_full': 1}
    assert len(server.read(0.0)) == 2


def test_peers_with_unfinished_requests_do_not_block_others(
    open_server: Callable, counters: Counter[str], monkeypatch: pytest.MonkeyPatch, dial: Callable,
) -> None:
    monkeypatch.setattr('utt_ros.drivers.transport.http.MAX_CONNECTIONS', 3)
    server = open_server(HttpServer)
    phone = http.client.HTTPConnection('127.0.0.1', server.port, timeout=WAIT_S)
    with closing(phone), dial(server) as first, dial(server) as second:
        first.sendall(HEAD + b'Content-Length: 100\r\n\r\nx')
        second.sendall(HEAD + b'X-')
        for _ in range(3):
            phone.request('POST', '/', b'of a phone')
            assert phone.getresponse().read() == b''
            assert post(server, b'of another one') == 200
        assert [len(one.data) for one in server.read(0.0)] == [10, 14] * 3
        assert first.recv(1000) == b''
    assert counters['too_many_connections'] >= 1
    assert counters['queue_full'] == 0


@pytest.mark.parametrize('sent', [b'', CUT])
def test_no_thread_of_a_connection_outlives_the_server(
    open_server: Callable, wait_until: Callable, sent: bytes, dial: Callable,
) -> None:
    before = set(threading.enumerate())
    server = open_server(HttpServer)
    with dial(server) as peer:
        peer.sendall(sent)
        wait_until(lambda: len(set(threading.enumerate()) - before) == 1)
        server.close()
        wait_until(lambda: set(threading.enumerate()) <= before, 30.0)


@pytest.mark.parametrize(('sent', 'code'), [
    (b'\x16\x03\x01 nonsense\r\n\r\n', b'400'),
    (HEAD + b'Content-Length: -1\r\n\r\n', b'400'),
    (HEAD + b'Content-Length: x\r\n\r\n', b'400'),
    (HEAD + b'X: ' + b'x' * 100_000, b'400'),
    (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'501')])
def test_malformed_requests_and_other_methods_get_an_error_and_print_nothing(
    sent: bytes, code: bytes, open_server: Callable, counters: Counter[str], dial: Callable,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = open_server(HttpServer)
    with dial(server) as peer:
        peer.sendall(sent)
        assert peer.recv(100).split()[1] == code
    assert counters == ({'malformed': 1} if code == b'400' else {})
    assert post(server, b'of a phone') == 200
    assert len(server.read(0.0)) == 1
    server.close()
    assert capfd.readouterr() == ('', '')


def test_a_body_is_taken_from_a_peer_that_does_not_wait_for_the_answer(
    open_server: Callable, dial: Callable, read: Callable,
) -> None:
    server = open_server(HttpServer)
    body = b'x' * 1_000_000
    for _ in range(20):
        with dial(server) as peer:
            peer.sendall(HEAD + b'Content-Length: 1000000\r\n\r\n' + body)
    assert read(server, 20) == [body] * 20


def test_a_peer_that_expects_100_continue_gets_it(
    open_server: Callable, dial: Callable, read: Callable,
) -> None:
    server = open_server(HttpServer)
    with dial(server) as peer:
        peer.sendall(HEAD + b'Expect: 100-continue\r\nContent-Length: 2\r\n\r\n')
        assert peer.recv(100).startswith(b'HTTP/1.1 100 ')
        peer.sendall(b'hi')
        assert peer.recv(100).startswith(b'HTTP/1.1 200 ')
    assert read(server, 1) == [b'hi']


@pytest.mark.parametrize('sent', [b'', HEAD + b'X-', CUT])
def test_idle_connections_half_sent_heads_and_slow_bodies_are_ended(
    open_server: Callable, dial: Callable, monkeypatch: pytest.MonkeyPatch, sent: bytes,
) -> None:
    monkeypatch.setattr('utt_ros.drivers.transport.http.IDLE_S', 0.2)
    monkeypatch.setattr('utt_ros.drivers.transport.http.BODY_S', 0.2)
    server = open_server(HttpServer)
    for before in (b'', EMPTY):  # the first request of a connection, and a later one
        with dial(server) as peer:
            peer.sendall(before + sent)
            assert read_all(peer).count(b'HTTP/1.1 200 ') == bool(before)


def test_an_empty_body_is_queued(
    open_server: Callable, counters: Counter[str], read: Callable,
) -> None:
    server = open_server(HttpServer)
    assert post(server, b'', **{'Content-Length': '0'}) == 200
    assert read(server, 1) == [b'']
    assert not counters


@pytest.mark.parametrize('count', [1, 3, 100])
def test_requests_before_the_end_of_a_peer_s_side_are_answered(
    open_server: Callable, counters: Counter[str], read: Callable, dial: Callable, count: int,
) -> None:
    server = open_server(HttpServer)
    body = b'x' * 20_000
    with dial(server) as peer:
        peer.sendall((HEAD + b'Content-Length: 20000\r\n\r\n' + body) * count)
        peer.shutdown(socket.SHUT_WR)
        assert read_all(peer).count(b'HTTP/1.1 200 ') == count
    assert read(server, count) == [body] * count
    assert not counters


def test_half_a_head_and_a_refused_body_end_with_the_peer_s_side(
    open_server: Callable, counters: Counter[str], dial: Callable,
) -> None:
    server = open_server(HttpServer)
    for sent, codes in ((HEAD, []), (EMPTY + HEAD, [b'200']),
                        (HEAD + b'Content-Length: 9999999\r\n\r\nx', [b'413'])):
        with dial(server) as peer:
            peer.sendall(sent)
            peer.shutdown(socket.SHUT_WR)
            answers = read_all(peer)
        assert [line.split()[1] for line in answers.splitlines() if b'HTTP/1.1' in line] == codes
    assert counters == {'long_body': 1}


@pytest.mark.parametrize(('idle_s', 'timeout_s', 'error'), [
    (15.0, 1.0, TimeoutError), (0.2, WAIT_S, ConnectionError)])
def test_a_peer_that_reads_no_answers_is_no_longer_read_and_then_ended(
    open_server: Callable, monkeypatch: pytest.MonkeyPatch,
    idle_s: float, timeout_s: float, error: type[OSError],
) -> None:
    monkeypatch.setattr('utt_ros.drivers.transport.http.IDLE_S', idle_s)
    server = open_server(HttpServer)
    with closing(socket.socket()) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(timeout_s)
        peer.connect(('127.0.0.1', server.port))
        with pytest.raises(error):
            flood(peer, 500_000)
    assert len(server.read(0.0)) == 1000
    assert post(server, b'of a phone') == 200


def test_a_server_that_cannot_start_leaves_neither_port_nor_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loops: list[asyncio.AbstractEventLoop] = []
    new_event_loop = asyncio.new_event_loop
    monkeypatch.setattr(asyncio, 'new_event_loop',
                        lambda: loops.append(new_event_loop()) or loops[-1])

    async def start(*_: object) -> None:
        raise OSError(24, 'too many files')

    monkeypatch.setattr('aiohttp.web.SockSite.start', start)
    server = HttpServer('127.0.0.1', 0, Counter())
    with pytest.raises(OSError, match='too many files'):
        server.open()
    assert loops[0].is_closed()
    assert server.port == 0
    with pytest.raises(SourceError, match='closed'):
        server.read(0.0)


def test_sources_without_http_do_not_load_aiohttp() -> None:
    code = ('import sys, utt_ros.drivers.ftm, utt_ros.drivers.imu; '
            'sys.exit("aiohttp" in sys.modules)')
    subprocess.run([sys.executable, '-c', code], check=True)
