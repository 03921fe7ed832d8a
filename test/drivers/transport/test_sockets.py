import http.client
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Thread

import pytest

from utt_ros.drivers.transport import sockets
from utt_ros.drivers.transport.http import MAX_BODY_BYTES, HttpServer
from utt_ros.drivers.transport.sockets import Arrival, DatagramServer, LineServer, Server
from utt_ros.errors import SourceError

NOW_NS = 1_790_000_000_000_000_000
WAIT_S = 10.0
Open = Callable[[type[Server]], Server]


@pytest.fixture
def counters() -> Counter[str]:
    return Counter()


@pytest.fixture
def open_server(counters: Counter[str]) -> Iterator[Open]:
    made: list[Server] = []

    def start(kind: type[Server]) -> Server:
        made.append(kind('127.0.0.1', 0, counters, lambda: NOW_NS))
        made[-1].open()
        return made[-1]

    yield start
    for server in made:
        server.close()
        server.close()


def dial(server: Server) -> 'closing[socket.socket]':
    return closing(socket.create_connection(('127.0.0.1', server.port), WAIT_S))


def read(server: Server, count: int, wait_until: Callable) -> list[bytes]:
    got: list[Arrival] = []
    wait_until(lambda: got.extend(server.read(0.1)) or len(got) >= count)
    assert {(one.peer, one.arrival_ns) for one in got} == {('127.0.0.1', NOW_NS)}
    return [one.data for one in got]


def post(server: Server, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=WAIT_S)
    with closing(connection):
        connection.request('POST', '/data', body, headers)
        return connection.getresponse().status


def test_datagrams_come_whole_and_in_order(open_server: Open, wait_until: Callable) -> None:
    server = open_server(DatagramServer)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
        for data in (b'one', b'', b'\xff\n'):
            peer.sendto(data, ('127.0.0.1', server.port))
    assert read(server, 3, wait_until) == [b'one', b'', b'\xff\n']
    assert server.read(0.0) == []


def test_lines_are_put_together_from_their_pieces(
    open_server: Open, wait_until: Callable, counters: Counter[str],
) -> None:
    server = open_server(LineServer)
    with dial(server) as peer, dial(server) as other:
        peer.sendall(b'one\r\n\ntw')
        assert read(server, 1, wait_until) == [b'one']
        other.sendall(b'three\n')
        assert read(server, 1, wait_until) == [b'three']
        peer.sendall(b'o\nlost')
        assert read(server, 1, wait_until) == [b'two']
    wait_until(lambda: server.read(0.1) == [] and counters['cut_line'])
    assert counters == {'cut_line': 1}


def test_a_line_without_end_ends_its_connection(
    open_server: Open, wait_until: Callable, counters: Counter[str],
) -> None:
    server = open_server(LineServer)
    with dial(server) as peer:
        line = b'x' * (sockets.MAX_LINE_BYTES + 1)
        Thread(target=peer.sendall, args=(line,), daemon=True).start()
        wait_until(lambda: server.read(0.1) == [] and counters['long_line'])
    with dial(server) as peer:
        peer.sendall(b'next\n')
        assert read(server, 1, wait_until) == [b'next']


def test_the_most_silent_connection_makes_room(
    open_server: Open, wait_until: Callable, counters: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, 'MAX_CONNECTIONS', 2)
    server = open_server(LineServer)
    with dial(server), dial(server), dial(server) as last:
        last.sendall(b'here\n')
        assert read(server, 1, wait_until) == [b'here']
    assert counters['too_many_connections'] == 1


def test_bodies_are_answered_and_queued(
    open_server: Open, wait_until: Callable, counters: Counter[str],
) -> None:
    server = open_server(HttpServer)
    assert post(server, b'{"a": 1}') == 200
    assert post(server, b'\xff' * 100_000) == 200
    assert read(server, 2, wait_until) == [b'{"a": 1}', b'\xff' * 100_000]
    assert not counters


def test_bodies_of_no_or_too_great_length_are_refused(
    open_server: Open, counters: Counter[str], wait_until: Callable,
) -> None:
    server = open_server(HttpServer)
    length = str(MAX_BODY_BYTES + 1)
    assert post(server, b'', **{'Content-Length': length}) == 413
    assert post(server, b'', **{'Content-Length': '-1'}) == 411
    with dial(server) as peer:
        peer.sendall(b'POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort')
    wait_until(lambda: counters['cut_body'])
    with dial(server) as peer:
        peer.sendall(b'\x16\x03\x01 nonsense\r\n\r\n')
        assert b'Error' in peer.recv(100)
    assert server.read(0.0) == []
    assert counters == {'long_body': 1, 'no_length': 1, 'cut_body': 1}


def test_bodies_that_nobody_takes_do_not_pile_up(
    open_server: Open, counters: Counter[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('utt_ros.drivers.transport.http.MAX_BODIES', 2)
    server = open_server(HttpServer)
    assert [post(server, b'x') for _ in range(3)] == [200, 200, 503]
    assert counters == {'queue_full': 1}
    assert len(server.read(0.0)) == 2


def test_peers_that_never_end_their_requests_keep_nobody_out(
    open_server: Open, counters: Counter[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('utt_ros.drivers.transport.http.MAX_CONNECTIONS', 3)
    server = open_server(HttpServer)
    phone = http.client.HTTPConnection('127.0.0.1', server.port, timeout=WAIT_S)
    with closing(phone), dial(server) as first, dial(server) as second:
        first.sendall(b'POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nx')
        second.sendall(b'POST / HTTP/1.1\r\nX-')
        for _ in range(3):
            phone.request('POST', '/', b'of a phone')
            assert phone.getresponse().read() == b''
            assert post(server, b'of another one') == 200
        assert [len(one.data) for one in server.read(0.0)] == [10, 14] * 3
        assert first.recv(1000) == b''
    assert counters['too_many_connections'] >= 1
    assert counters['queue_full'] == 0


@pytest.mark.parametrize('sent', [b'', b'POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort'])
def test_no_thread_of_a_connection_outlives_the_server(
    open_server: Open, wait_until: Callable, sent: bytes,
) -> None:
    before = set(threading.enumerate())
    server = open_server(HttpServer)
    with dial(server) as peer:
        peer.sendall(sent)
        wait_until(lambda: len(set(threading.enumerate()) - before) == 2)
        server.close()
        wait_until(lambda: set(threading.enumerate()) <= before, 5.0)


@pytest.mark.parametrize('kind', [LineServer, HttpServer])
def test_a_silent_peer_keeps_nobody_waiting(
    open_server: Open, kind: type[Server], wait_until: Callable,
) -> None:
    server = open_server(kind)
    with dial(server), dial(server) as other:
        assert server.read(0.01) == []
        other.sendall(b'POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi\n')
        assert b'hi' in read(server, 1 if kind is HttpServer else 3, wait_until)[-1]


@pytest.mark.parametrize('kind', [DatagramServer, LineServer, HttpServer])
def test_a_port_that_is_taken_says_so_and_can_be_opened_later(
    open_server: Open, kind: type[Server],
) -> None:
    first = open_server(kind)
    second = kind('127.0.0.1', first.port, Counter())
    with pytest.raises(SourceError, match=rf'cannot listen on 127\.0\.0\.1:{first.port}: Address'):
        second.open()
    first.close()
    with pytest.raises(SourceError, match='closed'):
        first.read(0.0)
    second.open()
    second.close()
