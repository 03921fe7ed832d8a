"""An HTTP port of ours that phones push to."""

import socket
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import monotonic
from typing import Any

from utt_ros.drivers.transport.inbox import Inbox
from utt_ros.drivers.transport.sockets import MAX_CONNECTIONS, Arrival, Now, Server
from utt_ros.errors import SourceError

MAX_BODY_BYTES = 4_194_304
MAX_BODIES = 1000  # that wait
MAX_QUEUED_BYTES = 64 * 1_048_576  # bytes of these
POLL_S = 0.1  # how soon it notices that it is closed
IDLE_S = 15.0  # a connection that is silent for so long is closed


class HttpServer(Server):
    """HTTP: bodies of POST and PUT to any path, answered with 200 as soon as they are queued.

    The connection whose last whole request is the oldest makes room, so peers that send theirs
    byte by byte keep nobody out.
    """

    _server: '_Http | None' = None

    def open(self) -> None:
        """Listen, in threads."""
        self.close()
        try:
            self._server = _Http(self._address, self._counters, self._now)
        except OSError as err:
            raise self.refusal(err) from err
        self._socket = self._server.socket
        Thread(target=self._server.serve_forever, args=(POLL_S,), name='http', daemon=True).start()

    def read(self, timeout_s: float) -> list[Arrival]:
        """Bodies."""
        if self._server is None:
            raise SourceError('the port is closed')
        return self._server.inbox.take(timeout_s)

    def close(self) -> None:
        """Close the port and all connections."""
        server, self._server, self._socket = self._server, None, None
        if server is not None:
            server.shutdown()
            server.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], counters: 'Counter[str]', now: Now) -> None:
        self._heard_s: dict[socket.socket, float] = {}  # a whole request, or the begin
        self._lock = Lock()
        self.inbox = Inbox(MAX_BODIES, MAX_QUEUED_BYTES, counters)
        self.now, self.closed = now, False
        super().__init__(address, _Handler)

    def server_close(self) -> None:
        self.closed = True
        super().server_close()
        with self._lock:
            self._end(*self._heard_s)

    def process_request(self, request: Any, client_address: object) -> None:
        with self._lock:
            if len(self._heard_s) >= MAX_CONNECTIONS:
                self._end(min(self._heard_s, key=lambda one: self._heard_s[one]))
                self.inbox.refuse('too_many_connections')
            self._heard_s[request] = monotonic()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: object) -> None:
        super().process_request_thread(request, client_address)
        with self._lock:
            self._heard_s.pop(request, None)

    def note(self, request: Any) -> None:
        """Remember that a whole request has come."""
        with self._lock:
            if request in self._heard_s:
                self._heard_s[request] = monotonic()

    def _end(self, *connections: socket.socket) -> None:
        """Wake their threads, which then find the end of what is sent."""
        for one in connections:
            del self._heard_s[one]
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """A peer that went away in the middle of a request."""
        self.inbox.refuse('cut_request')


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = IDLE_S
    server: _Http

    def do_POST(self) -> None:
        arrival_ns = self.server.now()
        length = self.headers.get('Content-Length', '')
        if not (length.isascii() and length.isdecimal() and len(length) < 12):
            self._refuse(411, 'no_length')
        elif int(length) > MAX_BODY_BYTES:
            self._refuse(413, 'long_body')
        else:
            self._take(int(length), arrival_ns)

    do_PUT = do_POST  # noqa: N815  its base class names it so

    def _take(self, length: int, arrival_ns: int) -> None:
        body = self.rfile.read(length)
        if len(body) < length:
            self._refuse(400, 'cut_body')
            return
        self.server.note(self.connection)
        if not self.server.closed and self.server.inbox.put(
                Arrival(str(self.client_address[0]), body, arrival_ns)):
            self._answer(200)
        else:
            self._answer(503)

    def _refuse(self, code: int, reason: str) -> None:
        self.server.inbox.refuse(reason)
        self.close_connection = True
        self._answer(code)

    def _answer(self, code: int) -> None:
        self.send_response(code)
        self.send_header('Content-Length', '0')
        if self.close_connection or self.server.closed:
            self.send_header('Connection', 'close')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are not logged."""
