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
"""Page of this machine on which places on the floor are clicked in the picture of a camera."""

import json
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any

FloorPoint = tuple[float, ...]  # column, row [px], ahead, left [m]
HOST = '127.0.0.1'
MAX_POINTS = 200
MAX_BODY_BYTES = 65_536
MAX_NUMBER = 1e5  # pixels or metres
IDLE_S = 30.0  # of a connection
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Points on the floor</title>
<style>
body { font: 16px/1.5 sans-serif; margin: 1em auto; max-width: 70em; padding: 0 1em }
#frame { position: relative; cursor: crosshair } #frame img { width: 100%; display: block }
#frame b { position: absolute; color: #c81e6e; transform: translate(-4px, -13px);
  pointer-events: none; text-shadow: 0 0 4px #fff, 0 0 4px #fff; white-space: nowrap }
input { width: 6em } td, th { padding: 2px 1em 2px 0; text-align: left }
</style>
<h1>Points on the floor</h1>
<p>Click a place on the floor, then type where it is: how far ahead of the place below the
camera, and how far to its left, in metres. Four or more, near and far, left and right.
<strong>Enter in the terminal ends it.</strong></p>
<div id="frame"><img src="picture.jpg" alt="picture of the camera"></div>
<p id="fit" role="status"></p>
<table><thead><tr><th>point<th>column, row<th>ahead [m]<th>to the left [m]<th></thead>
<tbody></tbody></table>
<script>
const frame = document.getElementById('frame'), picture = frame.firstElementChild;
const table = document.querySelector('tbody'), fit = document.getElementById('fit');
let points = [];
function send() {
  const whole = points.filter(p => p.x !== '' && p.y !== '').map(p => [p.u, p.v, +p.x, +p.y]);
  fetch('points', {method: 'POST', headers: {'Content-Type': 'application/json'},
                   body: JSON.stringify(whole)})
    .then(answer => answer.json()).then(answer => fit.textContent = answer.text)
    .catch(() => fit.textContent = 'utt setup has ended');
}
function field(point, key, label) {
  const input = document.createElement('input');
  Object.assign(input, {type: 'number', step: 'any', value: point[key], ariaLabel: label});
  input.oninput = () => { point[key] = input.value; send(); };
  return input;
}
function draw() {
  frame.querySelectorAll('b').forEach(mark => mark.remove());
  table.replaceChildren(...points.map((point, number) => {
    const mark = document.createElement('b');
    mark.textContent = `\\u25cf ${number + 1}`;
    mark.style.left = 100 * point.u / picture.naturalWidth + '%';
    mark.style.top = 100 * point.v / picture.naturalHeight + '%';
    frame.append(mark);
    const row = document.createElement('tr'), remove = document.createElement('button');
    remove.textContent = 'remove';
    remove.onclick = () => { points.splice(number, 1); draw(); send(); };
    [`${number + 1}`, `${point.u}, ${point.v}`, field(point, 'x', `ahead ${number + 1}`),
     field(point, 'y', `left ${number + 1}`), remove].forEach(
       part => row.appendChild(document.createElement('td')).append(part));
    return row;
  }));
}
picture.onclick = event => {
  const scale = picture.naturalWidth / picture.clientWidth;
  points.push({u: Math.round(10 * event.offsetX * scale) / 10,
               v: Math.round(10 * event.offsetY * scale) / 10, x: '', y: ''});
  draw();
  table.lastElementChild.querySelector('input').focus();
};
</script>
"""


class FloorPointsPage:
    """Serves a picture while its context lasts, and keeps the points of the page."""

    def __init__(
        self, picture: bytes, describe: Callable[[Sequence[FloorPoint]], str],
    ) -> None:
        """`picture`: JPEG; `describe`: what points tell, shown on the page after each change."""
        self.points: tuple[FloorPoint, ...] = ()
        self._picture, self._describe = picture, describe
        page = self

        class Handler(_Handler):
            def content(self, path: str) -> tuple[str, bytes] | None:
                return page.content(path)

            def receive(self, body: bytes) -> str:
                return page.receive(body)

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def address(self) -> str:
        """Return the address of the page."""
        return f'http://{HOST}:{self._server.server_port}/'

    def __enter__(self) -> 'FloorPointsPage':  # noqa: PYI034 - Self came with Python 3.11
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def content(self, path: str) -> tuple[str, bytes] | None:
        """Return type and content of a path."""
        return {'/': ('text/html; charset=utf-8', PAGE.encode()),
                '/picture.jpg': ('image/jpeg', self._picture)}.get(path)

    def receive(self, body: bytes) -> str:
        """Keep points in JSON, and describe them. Raises ValueError, and keeps the former ones."""
        points = read_points(body)
        text = self._describe(points)
        self.points = points
        return text


def read_points(body: bytes) -> tuple[FloorPoint, ...]:
    """Read a list of points in JSON. Raises ValueError."""
    rows: Any = json.loads(body)
    if not isinstance(rows, list) or len(rows) > MAX_POINTS:
        raise ValueError(f'it must be a list of at most {MAX_POINTS} points')
    for row in rows:
        if not isinstance(row, list) or len(row) != 4 or not all(map(_is_number, row)):
            raise ValueError(f'{row!r:.99}: it must be column, row, ahead, left')
    return tuple(tuple(map(float, row)) for row in rows)


def _is_number(value: object) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)
            and abs(value) <= MAX_NUMBER)  # nor NaN


class _Handler(BaseHTTPRequestHandler):
    """Answers the page itself only: neither pages of other sites nor other names of this host."""

    timeout = IDLE_S

    def content(self, path: str) -> tuple[str, bytes] | None:
        raise NotImplementedError

    def receive(self, body: bytes) -> str:
        raise NotImplementedError

    def do_GET(self) -> None:
        found = self.content(self.path)
        if not self._is_own():
            self.send_error(403)
        elif found is None:
            self.send_error(404)
        else:
            self._answer(200, *found)

    def do_POST(self) -> None:
        length = self.headers.get('Content-Length', '')
        is_json = self.headers.get_content_type() == 'application/json'  # no form of another site
        if self.path != '/points' or not self._is_own() or not is_json:
            self.send_error(403)
        elif not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY_BYTES:
            self.send_error(413)
        else:
            try:
                code, text = 200, self.receive(self.rfile.read(int(length)))
            except (ValueError, RecursionError) as err:
                code, text = 400, str(err)
            self._answer(code, 'application/json', json.dumps({'text': text}).encode())

    def log_message(self, *_: object) -> None:
        """Leave the terminal to the questions."""

    def _is_own(self) -> bool:
        port = self.connection.getsockname()[1]
        return self.headers.get('Host') in {f'{HOST}:{port}', f'localhost:{port}'}

    def _answer(self, code: int, kind: str, content: bytes) -> None:
        self.send_response(code)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)
