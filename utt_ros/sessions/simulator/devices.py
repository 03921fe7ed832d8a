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

"""Simulated phones and camera as processes, for an area's drivers on real wire formats.

People walk in real time; the start of their session is written to a file as soon as it is set. A
phone is a process with its own clocks: it pushes its IMU as Sensor Logger does and sends its
ranges as Android's RangingResults, by UDP. The camera draws people at their positions and serves
JPEGs by HTTP. Processes share the simulated session and no measurements.
"""

import argparse
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from threading import Condition, Thread

import cv2
import numpy as np

from utt_ros.files import write_atomically
from utt_ros.sessions.simulator.drawing import draw_picture
from utt_ros.sessions.simulator.live_world import boxes_at, live_session_plan, phone_clock
from utt_ros.sessions.simulator.wire_formats import (
    ranging_results,
    sensor_logger_body,
    sensor_logger_readings,
)
from utt_ros.sessions.simulator.world import START_NS, simulate_session
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, PhoneStreams, Session, Stamps

LEAD_S = 4.0  # of an empty room in the pictures before the session
BATCH_S = 0.05  # between pushes of a phone
MAX_RESPONSE_S = 2.0  # wait for the response to a push
JPEG_QUALITY = 90


class _PushConnection:
    """Connection for pushes; one that cannot be delivered now is lost, as with the app."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection('127.0.0.1', port, timeout=MAX_RESPONSE_S)

    def push(self, body: bytes) -> None:
        try:
            self._connection.request('POST', '/data', body, {'Content-Type': 'application/json'})
            self._connection.getresponse().read()
        except (OSError, HTTPException):
            self._connection.close()


def run_phone(
    name: str, streams: PhoneStreams, args: argparse.Namespace, first_ns: int, begin_ns: int,
) -> None:
    """Send the measurements of a phone in real time; `first_ns` is the start of its session."""
    clock, connection = phone_clock(name, args.seed), _PushConnection(args.imu_port)
    readings = sensor_logger_readings(streams)
    ftm_signal = streams.ftm_signal
    if ftm_signal is None:
        ftm_signal = np.zeros((len(streams.ftm), 3), np.float32)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for low_ns, high_ns in _batches(args.seconds, begin_ns):
            batch = {}
            for sensor, (stamps, values) in readings.items():
                rows = _between(stamps - first_ns, low_ns, high_ns)
                batch[sensor] = clock.wall_ns(stamps[rows] - first_ns, begin_ns), values[rows]
            if any(len(stamps) for stamps, _ in batch.values()):
                connection.push(sensor_logger_body(name, batch))
            rows = _between(streams.ftm_stamps_ns - first_ns, low_ns, high_ns)
            boot_ns = clock.boot_ns(streams.ftm_stamps_ns[rows] - first_ns)
            for datagram in ranging_results(
                    name, streams.range_aps[rows], boot_ns, streams.ftm[rows], ftm_signal[rows]):
                sender.sendto(datagram, ('127.0.0.1', args.ftm_port))


def _between(since_ns: Stamps, low_ns: int, high_ns: int) -> slice:
    return slice(*np.searchsorted(since_ns, (low_ns, high_ns), side='right'))


def _batches(seconds: float, begin_ns: int) -> Iterator[tuple[int, int]]:
    """Yield spans of BATCH_S [ns since the start] as they end."""
    step_ns = round(BATCH_S * NS_PER_S)
    for low_ns in range(0, round(seconds * NS_PER_S), step_ns):
        _sleep_until(begin_ns + low_ns + step_ns)
        yield low_ns - 1, low_ns + step_ns - 1


def _sleep_until(host_ns: int) -> None:
    time.sleep(max(0.0, (host_ns - time.time_ns()) / NS_PER_S))


class _PictureServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(('127.0.0.1', port), _PictureHandler)
        self.newest, self.number, self.changed = b'', 0, Condition()

    def show(self, jpeg: bytes) -> None:
        with self.changed:
            self.newest, self.number = jpeg, self.number + 1
            self.changed.notify_all()


class _PictureHandler(BaseHTTPRequestHandler):
    server: _PictureServer

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=picture')
        self.end_headers()
        camera, seen = self.server, self.server.number
        while True:
            with camera.changed:
                camera.changed.wait_for(lambda: camera.number > seen)  # noqa: B023
                jpeg, seen = camera.newest, camera.number
            head = f'--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n'
            try:
                self.wfile.write(head.encode() + jpeg + b'\r\n')
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""


def run_camera(
    area: AreaSettings, session: Session, args: argparse.Namespace, first_ns: int,
    begin_ns: int,
) -> None:
    """Serve pictures of the session in real time."""
    server = _PictureServer(args.camera_port)
    Thread(target=server.serve_forever, daemon=True).start()
    for since_ns, jpeg in session_pictures(area, session, args.seed, first_ns):
        _sleep_until(begin_ns + since_ns)
        server.show(jpeg)


def session_pictures(
    area: AreaSettings, session: Session, seed: int, first_ns: int,
) -> Iterator[tuple[int, bytes]]:
    """Yield times since the start [ns] and JPEGs: an empty room, then the frames."""
    rng = np.random.default_rng(seed)
    stamps = session.frames.stamps_ns - first_ns if session.frames else np.zeros(0, np.int64)
    lead_ns = np.arange(-LEAD_S, 0.0, 0.1) * NS_PER_S
    for since_ns in [*lead_ns.astype(int).tolist(), *stamps.tolist()]:
        boxes, phases = boxes_at(area, session, first_ns + since_ns)
        image = draw_picture(area, boxes, phases, rng)
        _, jpeg = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        yield since_ns, jpeg.tobytes()


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate a session and run every device until it ends."""
    parser = argparse.ArgumentParser(prog='devices', description=__doc__)
    for name in ('seed', 'camera-port', 'ftm-port', 'imu-port'):
        parser.add_argument(f'--{name}', type=int, required=True)
    parser.add_argument('--seconds', type=float, required=True)
    parser.add_argument('--begin', type=Path, required=True,
                        help='file to write the start of the session to [ns]')
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    plan = live_session_plan(args.seed, args.seconds)
    session, first_ns = simulate_session(plan), START_NS
    begin_ns = time.time_ns() + round((LEAD_S + 0.5) * NS_PER_S)
    write_atomically(args.begin, str(begin_ns).encode())
    devices: list[tuple[Callable[..., None], tuple[object, ...]]] = [
        (run_camera, (plan.area.settings, session, args, first_ns, begin_ns))]
    devices += [(run_phone, (name, streams, args, first_ns, begin_ns))
              for name, streams in session.phones.items()]
    context = get_context('fork')
    processes = [context.Process(target=device, args=device_args, daemon=True)
                 for device, device_args in devices]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return int(any(process.exitcode for process in processes))


if __name__ == '__main__':
    sys.exit(main())
