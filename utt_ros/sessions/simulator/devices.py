"""Simulated phones and a simulated camera, which speak to an area's drivers as real ones do.

Everybody walks in real time, from the moment that is written to a file as soon as it is known. A
phone is a process with a clock of its own: it pushes what it feels as Sensor Logger does, and
sends its ranges as Android's RangingResults, by UDP. The camera draws people where they are and
serves JPEGs by HTTP. No process knows what another one measures.
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
from utt_ros.sessions.simulator.drawing import picture
from utt_ros.sessions.simulator.live_world import boxes_at, clock_of, world
from utt_ros.sessions.simulator.wire_formats import felt, push, results
from utt_ros.sessions.simulator.world import START_NS, simulate
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, PhoneStreams, Session, Stamps

LEAD_S = 4.0  # the camera shows an empty room for so long before anybody walks
BATCH_S = 0.05  # between pushes of a phone
ANSWER_S = 2.0  # longest wait for an answer to a push
QUALITY = 90  # of JPEGs


class _Link:
    """A connection that pushes; what cannot be delivered now is lost, as the app loses it."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection('127.0.0.1', port, timeout=ANSWER_S)

    def push(self, body: bytes) -> None:
        try:
            self._connection.request('POST', '/data', body, {'Content-Type': 'application/json'})
            self._connection.getresponse().read()
        except (OSError, HTTPException):
            self._connection.close()


def phone(
    name: str, streams: PhoneStreams, options: argparse.Namespace, first_ns: int, begin_ns: int,
) -> None:
    """Send what one phone measures when it is measured; `first_ns` is the session's begin."""
    clock, link = clock_of(name, options.seed), _Link(options.imu_port)
    sensors = felt(streams)
    signal_ = streams.ftm_signal
    if signal_ is None:
        signal_ = np.zeros((len(streams.ftm), 3), np.float32)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for low_ns, high_ns in _beats(options.seconds, begin_ns):
            batch = {}
            for sensor, (stamps, values) in sensors.items():
                rows = _between(stamps - first_ns, low_ns, high_ns)
                batch[sensor] = clock.wall_ns(stamps[rows] - first_ns, begin_ns), values[rows]
            if any(len(stamps) for stamps, _ in batch.values()):
                link.push(push(name, batch))
            rows = _between(streams.ftm_stamps_ns - first_ns, low_ns, high_ns)
            boot_ns = clock.boot_ns(streams.ftm_stamps_ns[rows] - first_ns)
            for line in results(name, streams.ap, boot_ns, streams.ftm[rows], signal_[rows]):
                sender.sendto(line, ('127.0.0.1', options.ftm_port))


def _between(since_ns: Stamps, low_ns: int, high_ns: int) -> slice:
    return slice(*np.searchsorted(since_ns, (low_ns, high_ns), side='right'))


def _beats(seconds: float, begin_ns: int) -> Iterator[tuple[int, int]]:
    """Spans of BATCH_S [ns since the begin], each as soon as it is over."""
    step_ns = round(BATCH_S * NS_PER_S)
    for low_ns in range(0, round(seconds * NS_PER_S), step_ns):
        _sleep_until(begin_ns + low_ns + step_ns)
        yield low_ns - 1, low_ns + step_ns - 1


def _sleep_until(host_ns: int) -> None:
    time.sleep(max(0.0, (host_ns - time.time_ns()) / NS_PER_S))


class _Camera(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(('127.0.0.1', port), _Viewer)
        self.newest, self.number, self.changed = b'', 0, Condition()

    def show(self, jpeg: bytes) -> None:
        with self.changed:
            self.newest, self.number = jpeg, self.number + 1
            self.changed.notify_all()


class _Viewer(BaseHTTPRequestHandler):
    server: _Camera

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


def camera(
    area: AreaSettings, session: Session, options: argparse.Namespace, first_ns: int,
    begin_ns: int,
) -> None:
    """Serve pictures of the session, each at the instant that it shows."""
    server = _Camera(options.camera_port)
    Thread(target=server.serve_forever, daemon=True).start()
    for since_ns, jpeg in pictures(area, session, options.seed, first_ns):
        _sleep_until(begin_ns + since_ns)
        server.show(jpeg)


def pictures(
    area: AreaSettings, session: Session, seed: int, first_ns: int,
) -> Iterator[tuple[int, bytes]]:
    """Times since the begin [ns] and JPEGs: an empty room, then the frames of the session."""
    rng = np.random.default_rng(seed)
    stamps = session.frames.stamps_ns - first_ns if session.frames else np.zeros(0, np.int64)
    before = np.arange(-LEAD_S, 0.0, 0.1) * NS_PER_S
    for since_ns in [*before.astype(int).tolist(), *stamps.tolist()]:
        boxes, phases = boxes_at(area, session, first_ns + since_ns)
        image = picture(area, boxes, phases, rng)
        _, jpeg = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        yield since_ns, jpeg.tobytes()


def main(words: Sequence[str] | None = None) -> int:
    """Simulate, begin, and run every peer until its session is over."""
    parser = argparse.ArgumentParser(prog='live_peers', description=__doc__)
    for name in ('seed', 'camera-port', 'ftm-port', 'imu-port'):
        parser.add_argument(f'--{name}', type=int, required=True)
    parser.add_argument('--seconds', type=float, required=True)
    parser.add_argument('--begin', type=Path, required=True,
                        help='file for the time when everybody begins to walk [ns]')
    options = parser.parse_args(words)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    planned = world(options.seed, options.seconds)
    session, first_ns = simulate(planned), START_NS
    begin_ns = time.time_ns() + round((LEAD_S + 0.5) * NS_PER_S)
    write_atomically(options.begin, str(begin_ns).encode())
    peers: list[tuple[Callable[..., None], tuple[object, ...]]] = [
        (camera, (planned.area.settings, session, options, first_ns, begin_ns))]
    peers += [(phone, (name, streams, options, first_ns, begin_ns))
              for name, streams in session.phones.items()]
    context = get_context('fork')
    running = [context.Process(target=peer, args=told, daemon=True) for peer, told in peers]
    for process in running:
        process.start()
    for process in running:
        process.join()
    return int(any(process.exitcode for process in running))


if __name__ == '__main__':
    sys.exit(main())
