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

"""Relay of TCP connections that counts their bytes, between a browser and a server."""

import asyncio
import threading
from types import TracebackType

from utt_ros.errors import UttError

HOST = '127.0.0.1'
START_SEC = 30.0
CHUNK_BYTES = 1 << 16


class ByteRelay:
    """Port in front of another one of this machine, inside a `with` block.

    Entering the block raises UttError where no port can be opened.
    """

    def __init__(self, port: int) -> None:
        """`port`: of the server."""
        self._target = port
        self._opened = threading.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name='relay', daemon=True)
        self.port = 0
        self.sent = 0  # bytes to browsers, since the start

    def __enter__(self) -> 'ByteRelay':  # noqa: PYI034 - Self came with Python 3.11
        self._thread.start()
        if not self._opened.wait(START_SEC):
            raise UttError(f'the relay to port {self._target} is not open after {START_SEC:g} s')
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connect, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._opened.set()
        await self._stop.wait()
        server.close()
        for writer in self._open:
            writer.transport.abort()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left, return_exceptions=True)

    async def _connect(
        self, from_browser: asyncio.StreamReader, to_browser: asyncio.StreamWriter,
    ) -> None:
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self._target)
        except OSError:
            to_browser.close()
            return
        self._open |= {to_browser, to_server}
        await asyncio.gather(
            self._copy(from_browser, to_server, counted=False),
            self._copy(from_server, to_browser, counted=True))

    async def _copy(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool,
    ) -> None:
        try:
            while data := await source.read(CHUNK_BYTES):
                self.sent += len(data) if counted else 0
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass  # one end has gone: so does the other
        finally:
            sink.close()
            self._open.discard(sink)
