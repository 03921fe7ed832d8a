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

"""Servers of all transports on free ports, and their peers."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from utt_ros.drivers.transport.sockets import Arrival, PortServer

NOW_NS = 1_790_000_000_000_000_000
WAIT_S = 30.0


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
