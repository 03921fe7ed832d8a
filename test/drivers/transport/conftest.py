"""Servers of all transports on free ports, and their peers."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from utt_ros.drivers.transport.sockets import Arrival, PortServer

NOW_NS = 1_790_000_000_000_000_000
WAIT_S = 10.0


@pytest.fixture
def counters() -> Counter[str]:
    return Counter()


@pytest.fixture
def open_server(counters: Counter[str]) -> Iterator[Callable[[type[PortServer]], PortServer]]:
    """Open a server of a kind on a free port, with a clock that stands still."""
    servers: list[PortServer] = []

    def start(kind: type[PortServer]) -> PortServer:
        servers.append(kind('127.0.0.1', 0, counters, lambda: NOW_NS))
        servers[-1].open()
        return servers[-1]

    yield start
    for server in servers:
        server.close()
        server.close()


@pytest.fixture
def dial() -> Callable[[PortServer], 'closing[socket.socket]']:
    """Connect to a server by TCP."""
    return lambda server: closing(
        socket.create_connection(('127.0.0.1', server.port), WAIT_S))


@pytest.fixture
def read(wait_until: Callable) -> Callable[[PortServer, int], list[bytes]]:
    """Read until so many arrivals have come; return their data."""
    def run(server: PortServer, count: int) -> list[bytes]:
        arrivals: list[Arrival] = []
        wait_until(lambda: arrivals.extend(server.read(0.1)) or len(arrivals) >= count)
        assert {(one.peer, one.arrival_ns) for one in arrivals} == {('127.0.0.1', NOW_NS)}
        return [one.data for one in arrivals]

    return run
