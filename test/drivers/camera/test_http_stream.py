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

"""MJPEG as cameras of many makers send it over HTTP."""

import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cv2
import numpy as np
import pytest

from utt_ros.drivers.camera.http_stream import FFMPEG_OPTIONS, open_stream
from utt_ros.errors import SourceError

JPEG = cv2.imencode('.jpg', np.full((120, 160, 3), (0, 0, 255), np.uint8))[1].tobytes()
MULTIPART = 'multipart/x-mixed-replace; boundary=part'
IMAGES = 40


@pytest.fixture
def serve() -> Iterator[Callable[[str, str], str]]:
    """`serve(CONTENT_TYPE, HEAD)` sends images with that head before each; it returns the URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(content_type: str, head: str) -> str:
        class Camera(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header('Content-Type', content_type)
                self.end_headers()
                part = head.replace('SIZE', str(len(JPEG))).encode() + JPEG + b'\r\n'
                try:
                    for _ in range(IMAGES):
                        self.wfile.write(part)
                except OSError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(('127.0.0.1', 0), Camera))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f'http://127.0.0.1:{servers[-1].server_port}/video'

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(('content_type', 'head'), [
    (MULTIPART, '--part\r\nContent-Type: image/jpeg\r\nContent-Length: SIZE\r\n\r\n'),
    (MULTIPART, '--part\r\nContent-Type: image/jpg\r\nContent-Length: SIZE\r\n\r\n'),
    (MULTIPART, '--part\r\nContent-Type: image/pjpeg\r\n\r\n'),
    (MULTIPART, '--part\r\nContent-Type: image/jpeg; charset=utf-8\r\n\r\n'),
    (MULTIPART, '--part\r\nContent-Type: application/octet-stream\r\n\r\n'),
    (MULTIPART, '--part\r\nContent-Length: SIZE\r\n\r\n'),
    (MULTIPART, '--part\r\nX-Timestamp: 12.5\r\ncontent-type: IMAGE/JPEG\r\n\r\n'),
    (MULTIPART, '--part\nContent-Type: image/jpg\nContent-Length: SIZE\n\n'),
    ('multipart/x-mixed-replace; boundary="part"', '--part\r\nContent-Type: image/jpg\r\n\r\n'),
    ('multipart/x-mixed-replace; boundary=--part', '--part\r\nContent-Type: image/jpeg\r\n\r\n'),
    ('multipart/mixed; boundary=part', '--part\r\nContent-Type: image/jpg\r\n\r\n'),
    ('multipart/x-mixed-replace', '--part\r\nContent-Type: image/jpeg\r\n\r\n')])
def test_parts_of_any_type_are_read_as_images(
    serve: Callable[[str, str], str], content_type: str, head: str,
) -> None:
    capture = open_stream(serve(content_type, head), 5.0)
    images = [image for ok, image in (capture.read() for _ in range(10)) if ok]
    capture.release()
    assert len(images) == 10
    assert images[-1].shape == (120, 160, 3)
    assert images[-1].mean(axis=(0, 1)) == pytest.approx([0, 0, 254], abs=5)


@pytest.mark.parametrize('former', [None, 'rtsp_transport;udp'])
def test_options_of_the_environment_are_left_as_they_were(
    serve: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, former: str | None,
) -> None:
    monkeypatch.delenv(FFMPEG_OPTIONS, raising=False)
    if former is not None:
        monkeypatch.setenv(FFMPEG_OPTIONS, former)
    open_stream(serve(MULTIPART, '--part\r\nContent-Type: image/jpg\r\n\r\n'), 5.0).release()
    assert os.environ.get(FFMPEG_OPTIONS) == former


def test_address_at_which_nothing_listens_is_an_error_with_the_remedy() -> None:
    with pytest.raises(SourceError, match='ffplay'):
        open_stream('http://127.0.0.1:9/video', 1.0)
