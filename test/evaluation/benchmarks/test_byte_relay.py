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

"""A relay passes bytes on in both directions and counts those to the browser."""

import asyncio
import socket
import threading

import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import byte_relay
from utt_ros.evaluation.benchmarks.byte_relay import HOST, ByteRelay

WAIT_SEC = 30.0


def answer(server: socket.socket) -> None:
    """Answer one connection with three times what it sends, until it ends."""
    connection, _ = server.accept()
    connection.settimeout(WAIT_SEC)
    with connection:
        while data := connection.recv(1024):
            connection.sendall(3 * data)


def test_bytes_are_passed_on_and_those_to_the_browser_counted() -> None:
    with socket.create_server((HOST, 0)) as server:
        server.settimeout(WAIT_SEC)
        thread = threading.Thread(target=answer, args=(server,), daemon=True)
        thread.start()
        with (ByteRelay(server.getsockname()[1]) as relay,
              socket.create_connection((HOST, relay.port), WAIT_SEC) as browser):
            browser.sendall(b'hello')
            received = browser.makefile('rb').read(15)
            assert received == b'hellohellohello'
            assert relay.sent == 15
        thread.join(WAIT_SEC)  # its connection ends with the relay
        assert not thread.is_alive()


def test_a_server_that_is_not_there_ends_the_connection() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))  # nobody else gets the port, and nobody listens on it
        with (ByteRelay(server.getsockname()[1]) as relay,
              socket.create_connection((HOST, relay.port), WAIT_SEC) as browser):
            assert browser.recv(1024) == b''


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_a_relay_that_gets_no_port_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise OSError('no port is free')

    monkeypatch.setattr(asyncio, 'start_server', refuse)
    monkeypatch.setattr(byte_relay, 'START_SEC', 0.1)
    with pytest.raises(UttError, match=r'the relay to port 7 is not open after 0\.1 s'), \
            ByteRelay(7):
        pass
