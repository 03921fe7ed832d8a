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

import socket
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from threading import Thread

import pytest

from utt_ros.drivers.transport import sockets
from utt_ros.drivers.transport.http import HttpServer
from utt_ros.drivers.transport.sockets import DatagramServer, LineServer, PortServer
from utt_ros.errors import SourceError


def test_datagrams_come_whole_and_in_order(open_server: Callable, read: Callable) -> None:
    server = open_server(DatagramServer)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
        for data in (b'one', b'', b'\xff\n'):
            peer.sendto(data, ('127.0.0.1', server.port))
    assert read(server, 3) == [b'one', b'', b'\xff\n']
    assert server.read(0.0) == []


def test_lines_are_assembled_from_fragments(
    open_server: Callable, wait_until: Callable, counters: Counter[str],
    dial: Callable, read: Callable,
) -> None:
    server = open_server(LineServer)
    with dial(server) as peer, dial(server) as other:
        peer.sendall(b'one\r\n\ntw')
        assert read(server, 1) == [b'one']
        other.sendall(b'three\n')
        assert read(server, 1) == [b'three']
        peer.sendall(b'o\nlost')
        assert read(server, 1) == [b'two']
    wait_until(lambda: server.read(0.1) == [] and counters['cut_line'])
    assert counters == {'cut_line': 1}


def test_a_line_without_end_ends_its_connection(
    open_server: Callable, wait_until: Callable, counters: Counter[str],
    dial: Callable, read: Callable,
) -> None:
    server = open_server(LineServer)
    with dial(server) as peer:
        line = b'x' * (sockets.MAX_LINE_BYTES + 1)
        Thread(target=peer.sendall, args=(line,), daemon=True).start()
        wait_until(lambda: server.read(0.1) == [] and counters['long_line'])
    with dial(server) as peer:
        peer.sendall(b'next\n')
        assert read(server, 1) == [b'next']


def test_the_longest_silent_connection_is_closed_at_the_limit(
    open_server: Callable, counters: Counter[str], monkeypatch: pytest.MonkeyPatch,
    dial: Callable, read: Callable,
) -> None:
    monkeypatch.setattr(sockets, 'MAX_CONNECTIONS', 2)
    server = open_server(LineServer)
    with dial(server), dial(server), dial(server) as last:
        last.sendall(b'here\n')
        assert read(server, 1) == [b'here']
    assert counters['too_many_connections'] == 1


@pytest.mark.parametrize('kind', [LineServer, HttpServer])
def test_a_silent_peer_does_not_block_others(
    open_server: Callable, kind: type[PortServer], dial: Callable, read: Callable,
) -> None:
    server = open_server(kind)
    with dial(server), dial(server) as other:
        assert server.read(0.01) == []
        other.sendall(b'POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi\n')
        assert b'hi' in read(server, 1 if kind is HttpServer else 3)[-1]


@pytest.mark.parametrize('kind', [DatagramServer, LineServer, HttpServer])
def test_a_port_in_use_is_an_error_and_can_be_opened_later(
    open_server: Callable, kind: type[PortServer],
) -> None:
    first = open_server(kind)
    second = kind('127.0.0.1', first.port, Counter())
    reason = rf'cannot listen on 127\.0\.0\.1:{first.port}: Address already in use: end '
    with pytest.raises(SourceError, match=reason):
        second.open()
    first.close()
    with pytest.raises(SourceError, match='closed'):
        first.read(0.0)
    second.open()
    second.close()
