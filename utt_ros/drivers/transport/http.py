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

"""HTTP server to which phones push, on aiohttp."""

import asyncio
import logging
import socket
from contextlib import ExitStack
from threading import Thread
from typing import cast

from aiohttp import StreamReader, web

from utt_ros.drivers.transport.inbox import Inbox
from utt_ros.drivers.transport.sockets import MAX_CONNECTIONS, Arrival, HostClock, PortServer
from utt_ros.errors import SourceError

MAX_BODY_BYTES = 4_194_304
MAX_BODIES = 1000  # in the queue
MAX_QUEUED_BYTES = 64 * 1_048_576
MAX_HEAD_LINE_BYTES = 65_536
IDLE_S = 15.0  # limit of a head, from the start or the last answer on, and of an unread answer
BODY_S = 60.0  # limit of a body, from its head on
CLOSE_S = 0.1
LOGGER = logging.getLogger(f'{__name__}.peers')
LOGGER.disabled = True  # peers choose what it would print


class HttpServer(PortServer):
    """Queue bodies of POST and PUT to any path; the answer is 200 once a body is queued.

    The event loop runs in one thread. At the limit of connections, the one whose last complete
    request is oldest is closed, so slow peers keep nobody out.
    """

    _loop: asyncio.AbstractEventLoop
    _thread: Thread | None = None

    def open(self) -> None:
        self.close()
        self._socket = self.listen()
        self._inbox = Inbox(MAX_BODIES, MAX_QUEUED_BYTES, self._counters)
        with ExitStack() as undo:
            undo.callback(self.close)
            self._loop = loop = asyncio.new_event_loop()
            undo.callback(loop.close)
            server = _HttpServer(loop, self._inbox, self._now)
            loop.run_until_complete(server.start(self._socket))
            thread = Thread(target=server.run, name='http', daemon=True)
            thread.start()
            undo.pop_all()
        self._thread = thread

    def read(self, timeout_s: float) -> list[Arrival]:
        if self._thread is None or not self._thread.is_alive():
            raise SourceError('the HTTP port is closed')
        return self._inbox.take(timeout_s)

    def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            if thread.is_alive():
                self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _HttpServer(web.Server):
    def __init__(self, loop: asyncio.AbstractEventLoop, inbox: Inbox, now: HostClock) -> None:
        super().__init__(self._answer, loop=loop)
        self._inbox, self._now = inbox, now
        self._runner = web.ServerRunner(self, shutdown_timeout=CLOSE_S)
        self._request_s: dict[web.RequestHandler, float] = {}  # last complete request, or start

    def __call__(self) -> '_Connection':
        return _Connection(self, self._inbox, self._loop)

    async def start(self, listening: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, listening, backlog=MAX_CONNECTIONS).start()

    def run(self) -> None:
        """Serve until the loop is stopped; leave neither a connection nor a task."""
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._end())
        finally:
            self._loop.close()

    async def _end(self) -> None:
        for connection in self.connections:
            connection.force_close()
        await self._runner.cleanup()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._request_s) >= MAX_CONNECTIONS:
            self._inbox.refuse('too_many_connections')
            oldest = min(self._request_s, key=self._request_s.__getitem__)
            del self._request_s[oldest]
            oldest.force_close()
        self._request_s[handler] = self._loop.time()

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None,
    ) -> None:
        super().connection_lost(handler, exc)
        self._request_s.pop(handler, None)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        arrival_ns = self._now()
        connection = cast('_Connection', request.protocol)
        connection.begin(request.content)
        length = request.content_length
        if request.method not in {'POST', 'PUT'}:
            return _closing(501)
        if length is None:
            return self._refuse(411, 'no_length')
        if length > MAX_BODY_BYTES:
            return self._refuse(413, 'long_body')
        if request.headers.get('Expect', '').lower() == '100-continue':
            await request.writer.write(b'HTTP/1.1 100 Continue\r\n\r\n')
        limit = self._loop.call_later(BODY_S, connection.force_close)
        try:
            body = await request.content.readexactly(length) if length else b''
        except (asyncio.IncompleteReadError, OSError, web.RequestPayloadError):
            return self._refuse(400, 'cut_body')
        finally:
            limit.cancel()
        if connection in self._request_s:
            self._request_s[connection] = self._loop.time()
        queued = self._inbox.put(Arrival(request.remote or '', body, arrival_ns))
        code = 200 if queued else 503
        return _closing(code) if connection.is_last_request() else web.Response(status=code)

    def _refuse(self, code: int, reason: str) -> web.Response:
        self._inbox.refuse(reason)
        return _closing(code)


class _Connection(web.RequestHandler):
    """Connection that answers requests also after the peer has ended its side.

    Malformed requests are counted. An answer that the peer does not read ends the connection.
    """

    def __init__(self, server: _HttpServer, inbox: Inbox, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server, loop=loop, keepalive_timeout=IDLE_S, logger=LOGGER, access_log=LOGGER,
            auto_decompress=False, max_line_size=MAX_HEAD_LINE_BYTES,
            max_field_size=MAX_HEAD_LINE_BYTES)
        self._inbox = inbox
        self._body: StreamReader | None = None  # of the current request
        self._is_half_closed = False  # the peer has sent its last byte
        self._write_limit: asyncio.TimerHandle | None = None

    def begin(self, body: StreamReader) -> None:
        """Start a request; its body ends where the peer has ended its side."""
        self._body = body
        if self._is_half_closed:
            body.feed_eof()

    def is_last_request(self) -> bool:
        """Return true when no request can follow the current one."""
        return self._is_half_closed and not self._messages

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return true, which keeps the transport open, while a request is in progress."""
        self._is_half_closed = True
        if self._body is not None:
            self._body.feed_eof()
        return self._waiter is None or self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast('asyncio.Transport', transport).set_write_buffer_limits(0)  # pause at one unsent byte

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.transport is not None:
            self._write_limit = self._loop.call_later(IDLE_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_limit is not None:
            self._write_limit.cancel()

    def force_close(self) -> None:
        """Close at once, without the unsent rest of an answer."""
        transport = self.transport
        super().force_close()
        if transport is not None:
            transport.abort()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status == 400:
            self._inbox.refuse('malformed')
        return super().handle_error(request, status, exc, message)


def _closing(code: int) -> web.Response:
    response = web.Response(status=code)
    response.force_close()
    return response
