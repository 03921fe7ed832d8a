"""Ports of ours that phones send to: datagrams, and lines over TCP. All is bounded.

A source opens one, reads it, closes it; what cannot be taken is counted, never raised.
"""

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
MAX_DATAGRAMS_PER_READ = 1000  # datagrams of one read
Now = Callable[[], int]


class Arrival(NamedTuple):
    """What a peer sent."""

    peer: str  # IP address
    data: bytes  # a datagram, a line without its end, or a body
    arrival_ns: int  # host's clock


class Server(ABC):
    """One port; `counters` gets what was refused, by reason."""

    def __init__(
        self, host: str, port: int, counters: 'Counter[str]', now: Now = time.time_ns,
    ) -> None:
        self._address, self._counters, self._now = (host, port), counters, now
        self._socket: socket.socket | None = None  # that listens

    @property
    def port(self) -> int:
        """The port that is open, one that is free when 0 was asked for; 0 when none is."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    @abstractmethod
    def open(self) -> None:
        """Listen. Raises SourceError when the port cannot be had."""

    @abstractmethod
    def read(self, timeout_s: float) -> list[Arrival]:
        """What has come, oldest first; waits for some, for so long at most."""

    @abstractmethod
    def close(self) -> None:
        """Close the port and all connections; also twice."""

    def listen(self) -> socket.socket:
        """Return a listening TCP socket. Raises SourceError."""
        try:
            return socket.create_server(self._address, backlog=MAX_CONNECTIONS)
        except OSError as err:
            raise self.refusal(err) from err

    def refusal(self, err: OSError) -> SourceError:
        """Error of a port that cannot be bound."""
        host, port = self._address
        return SourceError(f'cannot listen on {host}:{port}: {err.strerror or err}: '
                           f'end the program that has it, or set another host or port')


class DatagramServer(Server):
    """UDP."""

    def open(self) -> None:
        """Listen."""
        self.close()
        self._socket = made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.bind(self._address)
        except OSError as err:
            raise self.refusal(err) from err

    def read(self, timeout_s: float) -> list[Arrival]:
        """Datagrams."""
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
            raise SourceError(f'the port of UDP is lost: {err}') from err
        return arrivals

    def close(self) -> None:
        """Close the port."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Connection:
    def __init__(self, peer: str, heard_ns: int) -> None:
        self.peer, self.heard_ns = peer, heard_ns
        self.rest = b''


class LineServer(Server):
    """TCP, messages end with a newline. The connection that was silent longest makes room."""

    def open(self) -> None:
        """Listen."""
        self.close()
        self._socket = self.listen()
        self._socket.setblocking(False)
        self._connections: dict[socket.socket, _Connection] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def read(self, timeout_s: float) -> list[Arrival]:
        """Whole lines."""
        if self._socket is None:
            raise SourceError('the port is closed')
        arrivals: list[Arrival] = []
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._socket:
                self._accept(self._socket)
            elif key.fileobj in self._connections:  # not one that just made room
                arrivals += self._receive(key.fileobj)
        return arrivals

    def close(self) -> None:
        """Close the port and all connections."""
        if self._socket is None:
            return
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.close()
        self._socket.close()
        self._socket = None

    def _accept(self, listening: socket.socket) -> None:
        try:
            made, peer = listening.accept()
        except OSError:  # gone before it was accepted
            return
        if len(self._connections) == MAX_CONNECTIONS:
            self._counters['too_many_connections'] += 1
            self._drop(min(self._connections, key=lambda one: self._connections[one].heard_ns))
        made.setblocking(False)
        self._connections[made] = _Connection(peer[0], self._now())
        self._selector.register(made, selectors.EVENT_READ)

    def _receive(self, made: socket.socket) -> list[Arrival]:
        connection = self._connections[made]
        try:
            data = made.recv(MAX_LINE_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b''
        if not data:
            if connection.rest:
                self._counters['cut_line'] += 1
            self._drop(made)
            return []
        connection.heard_ns = arrival_ns = self._now()
        *lines, connection.rest = (connection.rest + data).split(b'\n')
        if len(connection.rest) > MAX_LINE_BYTES:
            self._counters['long_line'] += 1
            self._drop(made)
        return [Arrival(connection.peer, line.rstrip(b'\r'), arrival_ns)
                for line in lines if line.strip()]

    def _drop(self, made: socket.socket) -> None:
        del self._connections[made]
        self._selector.unregister(made)
        made.close()
