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

"""Bounded servers to which phones send: datagrams, and lines over TCP.

Refused input is counted, never raised.
"""

import os
import selectors
import socket
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from utt_ros.errors import SourceError

MAX_DATAGRAM_BYTES = 65_535
MAX_LINE_BYTES = 65_536
MAX_CONNECTIONS = 64
MAX_DATAGRAMS_PER_READ = 1000
HostClock = Callable[[], int]


class Arrival(NamedTuple):
    """Message of a peer."""

    peer: str  # IP address
    data: bytes  # a datagram, a line without its end, or an HTTP body
    arrival_ns: int  # host's clock


class PortServer(ABC):
    """Server on one port; `counters` receives refusals by key."""

    def __init__(
        self, host: str, port: int, counters: 'Counter[str]', now: HostClock = time.time_ns,
    ) -> None:
        self._address, self._counters, self._now = (host, port), counters, now
        self._socket: socket.socket | None = None  # listening

    @property
    def port(self) -> int:
        """Open port, chosen by the system if 0 was requested; 0 when closed."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    @property
    def address(self) -> str:
        """Address on which it listens, or will, as host:port."""
        host, port = self._address
        return f'{host}:{self.port or port}'

    @abstractmethod
    def open(self) -> None:
        """Listen. Raises SourceError when the port cannot be bound."""

    @abstractmethod
    def read(self, timeout_s: float) -> list[Arrival]:
        """Return new arrivals, oldest first; wait for the first one up to the timeout."""

    @abstractmethod
    def close(self) -> None:
        """Close the port and all connections; allowed twice."""

    def listen(self) -> socket.socket:
        """Return a listening TCP socket. Raises SourceError."""
        try:
            return socket.create_server(self._address, backlog=MAX_CONNECTIONS)
        except OSError as err:
            raise self.refusal(err) from err

    def refusal(self, err: OSError) -> SourceError:
        """Error of a port that cannot be bound."""
        host, port = self._address
        code = err.errno or 0  # negative of host names that are not found
        reason = os.strerror(code) if code > 0 else err.strerror or err
        return SourceError(f'cannot listen on {host}:{port}: {reason}: '
                           f'end the program that has it, or set another host or port')


class DatagramServer(PortServer):
    """UDP server."""

    def open(self) -> None:
        self.close()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(self._address)
        except OSError as err:
            raise self.refusal(err) from err

    def read(self, timeout_s: float) -> list[Arrival]:
        if self._socket is None:
            raise SourceError('the port is closed')
        arrivals: list[Arrival] = []
        self._socket.settimeout(max(timeout_s, 1e-3))
        try:
            while len(arrivals) < MAX_DATAGRAMS_PER_READ:
                data, peer = self._socket.recvfrom(MAX_DATAGRAM_BYTES)
                arrivals.append(Arrival(peer[0], data, self._now()))
                self._socket.settimeout(0.0)
        except (TimeoutError, BlockingIOError):
            pass
        except OSError as err:
            raise SourceError(f'the UDP port is lost: {err}') from err
        return arrivals

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Connection:
    def __init__(self, peer: str, newest_ns: int) -> None:
        self.peer, self.newest_ns = peer, newest_ns
        self.rest = b''  # start of an incomplete line


class LineServer(PortServer):
    """TCP server of newline-terminated messages.

    At the limit of connections, the one that was silent longest is closed.
    """

    def open(self) -> None:
        self.close()
        self._socket = self.listen()
        self._socket.setblocking(False)
        self._connections: dict[socket.socket, _Connection] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def read(self, timeout_s: float) -> list[Arrival]:
        if self._socket is None:
            raise SourceError('the port is closed')
        arrivals: list[Arrival] = []
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._socket:
                self._accept(self._socket)
            elif key.fileobj in self._connections:  # not one closed in this loop
                arrivals += self._receive(key.fileobj)
        return arrivals

    def close(self) -> None:
        if self._socket is None:
            return
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.close()
        self._socket.close()
        self._socket = None

    def _accept(self, listening: socket.socket) -> None:
        try:
            accepted, peer = listening.accept()
        except OSError:  # closed before it was accepted
            return
        if len(self._connections) == MAX_CONNECTIONS:
            self._counters['too_many_connections'] += 1
            oldest = min(self._connections.items(), key=lambda item: item[1].newest_ns)
            self._drop(oldest[0])
        accepted.setblocking(False)
        self._connections[accepted] = _Connection(peer[0], self._now())
        self._selector.register(accepted, selectors.EVENT_READ)

    def _receive(self, client: socket.socket) -> list[Arrival]:
        connection = self._connections[client]
        try:
            data = client.recv(MAX_LINE_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b''
        if not data:
            if connection.rest:
                self._counters['cut_line'] += 1
            self._drop(client)
            return []
        connection.newest_ns = arrival_ns = self._now()
        *lines, connection.rest = (connection.rest + data).split(b'\n')
        if len(connection.rest) > MAX_LINE_BYTES:
            self._counters['long_line'] += 1
            self._drop(client)
        return [Arrival(connection.peer, line.rstrip(b'\r'), arrival_ns)
                for line in lines if line.strip()]

    def _drop(self, client: socket.socket) -> None:
        del self._connections[client]
        self._selector.unregister(client)
        client.close()
