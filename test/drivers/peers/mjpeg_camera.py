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

"""An HTTP camera: a video, again and again, as multipart/x-mixed-replace.

mjpeg_camera.py VIDEO PORT RATE_HZ HOW: `well`; `badly`: every third JPEG is cut or noise;
`shortly`: says no more after 20 pictures, and keeps the connection.
Writes the port as soon as it listens.
"""

import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import cv2


def pictures(path: str) -> list[bytes]:
    capture = cv2.VideoCapture(path)
    found = []
    while True:
        ok, image = capture.read()
        if not ok:
            return found
        found.append(cv2.imencode('.jpg', image)[1].tobytes())


def spoiled(jpeg: bytes, number: int) -> bytes:
    noise = random.Random(number)
    if number % 3:
        return jpeg
    return noise.randbytes(len(jpeg)) if number % 2 else jpeg[:len(jpeg) // 3]


class Camera(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=part')
        self.end_headers()
        for number in count(1):
            while HOW == 'shortly' and number > 20:
                time.sleep(1.0)
            jpeg = JPEGS[number % len(JPEGS)]
            jpeg = spoiled(jpeg, number) if HOW == 'badly' else jpeg
            head = f'--part\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n'
            try:
                self.wfile.write(head.encode() + jpeg + b'\r\n')
            except OSError:
                return
            time.sleep(1 / RATE)

    def log_message(self, *_: object) -> None:
        pass


JPEGS = pictures(sys.argv[1])
RATE, HOW = float(sys.argv[3]), sys.argv[4]
server = ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])), Camera)
server.daemon_threads = True
sys.stdout.write(f'{server.server_port}\n')
sys.stdout.flush()
server.serve_forever()
