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

"""A phone: `imu_apps.py APP HOST PORT [options]` speaks the wire format of an app until killed.

It feels the same always, but for the gyroscope about z, which tells the host's time: seconds
modulo 10. Its clock is `--offset` seconds off and drifts.
"""

import argparse
import http.client
import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

ACCEL, GRAVITY, MAG_UT = (0.25, -0.5, 9.75), (0.0, 0.0, 9.5), (20.0, -10.0, -40.0)
LINEAR = tuple(total - part for total, part in zip(ACCEL, GRAVITY, strict=True))
Packet = Callable[[argparse.Namespace, int, tuple[float, float, float]], bytes]


def sensor_logger(options: argparse.Namespace, stamp_ns: int, gyro: tuple) -> bytes:
    def entry(name: str, values: tuple, sign: float = 1.0) -> dict:
        x, y, z = (sign * value for value in values)
        return {'name': name, 'time': stamp_ns, 'values': {'z': z, 'y': y, 'x': x}, 'accuracy': 3}

    sign = -1.0 if options.ios else 1.0
    payload = [
        entry('gyroscope', gyro), entry('accelerometer', LINEAR, sign),
        entry('gravity', GRAVITY, sign), entry('magnetometer', MAG_UT),
        {'name': 'orientation', 'time': stamp_ns,
         'values': {'qx': 0.0, 'qy': 0.0, 'qz': 0.0, 'qw': 1.0}}]
    return json.dumps({'messageId': 1, 'sessionId': 'a', 'deviceId': options.device,
                       'payload': payload}).encode()


def sensor_server(options: argparse.Namespace, stamp_ns: int, gyro: tuple) -> list[bytes]:
    values = {'android.sensor.accelerometer': ACCEL, 'android.sensor.gyroscope': gyro,
              'android.sensor.magnetic_field': MAG_UT, 'android.sensor.light': (3.0,)}
    return [json.dumps({'type': name, 'accuracy': 3, 'timestamp': stamp_ns,
                        'values': list(found)}).encode()
            for name, found in values.items() if name in options.types]


def hyper_imu(options: argparse.Namespace, stamp_ns: int, gyro: tuple) -> bytes:
    numbers = ','.join(f'{value:.6f}' for value in (*ACCEL, *gyro, *MAG_UT))
    return f'{stamp_ns // 1_000_000},{numbers}\r\n'.encode()


def sensor_streamer(options: argparse.Namespace, stamp_ns: int, gyro: tuple) -> bytes:
    def vector(values: tuple) -> dict:
        return {'timestamp': stamp_ns, 'value': values}

    return json.dumps({'accelerometer': vector(ACCEL), 'gyroscope': vector(gyro),
                       'magneticField': vector(MAG_UT)}).encode() + b'\n'


BUFFERS = {
    'accelerometer': ('acc_time', 'accX', 'accY', 'accZ'),
    'gyroscope': ('gyr_time', 'gyrX', 'gyrY', 'gyrZ'),
    'magnetic_field': ('mag_time', 'magX', 'magY', 'magZ'), 'light': ('light_time', 'light')}


class Experiment:
    """Buffers of phyphox, which grow at the rate; the time counts from its start."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.buffers = {name: [] for names in BUFFERS.values() for name in names}
        self.measuring = not options.paused
        self._options, self._begin_ns = options, 0
        self._lock = threading.Lock()
        threading.Thread(target=self._measure, daemon=True).start()

    def _measure(self) -> None:
        for stamp_ns, gyro in ticks(self._options):
            rows = {'accelerometer': ACCEL, 'gyroscope': gyro, 'magnetic_field': MAG_UT,
                    'light': (3.0,)}
            with self._lock:
                self._begin_ns = self._begin_ns or stamp_ns
                for sensor, values in rows.items() if self.measuring else ():
                    row = ((stamp_ns - self._begin_ns) / 1e9, *values)
                    for name, value in zip(BUFFERS[sensor], row, strict=True):
                        self.buffers[name].append(float(f'{value:.7e}'))

    def config(self) -> dict:
        return {'inputs': [
            {'source': sensor, 'outputs': [
                {axis: name} for axis, name in zip('txyz', names, strict=False)]}
            for sensor, names in BUFFERS.items()]}

    def get(self, query: str) -> dict:
        found = {}
        with self._lock:
            for name, wanted in parse_qsl(query, keep_blank_values=True):
                values = self.buffers[name]
                after, _, times = wanted.partition('|')
                if wanted:
                    keys = self.buffers[times or name]
                    chosen = [value for key, value in zip(keys, values, strict=True)
                              if key > float(after)]
                else:
                    chosen = values[-1:] or [None]
                found[name] = {'size': 0, 'updateMode': 'partial', 'buffer': chosen}
            return {'buffer': found,
                    'status': {'session': '1a2b3c', 'measuring': self.measuring}}

    def clear(self) -> None:
        with self._lock:
            self._begin_ns = 0
            for values in self.buffers.values():
                values.clear()


def answer(options: argparse.Namespace) -> None:
    experiment, garbage = Experiment(options), itertools.cycle(GARBAGE)

    class Remote(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        count = 0

        def do_GET(self) -> None:
            path, _, query = self.path.partition('?')
            if path == '/control':
                experiment.measuring |= query == 'cmd=start'
                if query == 'cmd=clear':
                    experiment.clear()
            document = (experiment.get(query) if path == '/get'
                        else experiment.config() if path == '/config' else {'result': True})
            Remote.count += 1
            spoiled = options.garbage and Remote.count % 4 == 3
            body = next(garbage) if spoiled else json.dumps(document).encode()
            self.send_response(200)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((options.host, options.port), Remote) as server:
        server.daemon_threads = True
        server.serve_forever()


GARBAGE = (b'', b'\xff\xfe\x00', b'{"a":', b'[' * 5000, b'nonsense', b'1,2,3', b'{}', b'[1, 2]',
           b'{"deviceId": "one", "payload": [null, {"name": "gyroscope", "time": -1}]}',
           b'{"accelerometer": {"timestamp": 5, "value": [NaN, 0, 1e999]}}')


def ticks(options: argparse.Namespace) -> Iterator[tuple[int, tuple[float, float, float]]]:
    """Yield the phone's stamp and the gyroscope, at the rate."""
    begin_ns = time.time_ns()
    for index in itertools.count():
        host_ns = begin_ns + round(index * 1e9 / options.rate)
        time.sleep(max(0.0, (host_ns - time.time_ns()) / 1e9))
        drift_ns = round(options.ppm * 1e-6 * (host_ns - begin_ns))
        stamp_ns = host_ns + round(options.offset * 1e9) + drift_ns
        yield stamp_ns, (0.5, -0.25, host_ns % 10_000_000_000 / 1e9)


def packets(options: argparse.Namespace, packet: Packet) -> Iterator[bytes]:
    """Yield packets; with garbage, also pieces of them and nonsense."""
    garbage = itertools.cycle(GARBAGE)
    for index, (stamp_ns, gyro) in enumerate(ticks(options)):
        whole = packet(options, stamp_ns, gyro)
        if options.garbage and index % 3 == 2:
            yield next(garbage)
            yield whole[:len(whole) // 2]
        yield whole


def dial(options: argparse.Namespace) -> socket.socket:
    while True:
        try:
            return socket.create_connection(
                (options.host, options.port), 10.0, (options.bind, 0))
        except ConnectionRefusedError:  # noqa: PERF203  nobody listens yet
            time.sleep(0.05)


def push(options: argparse.Namespace) -> None:
    dial(options).close()
    connection = http.client.HTTPConnection(options.host, options.port, timeout=10.0)
    for body in packets(options, sensor_logger):
        connection.request('POST', '/data', body, {'Content-Type': 'application/json'})
        connection.getresponse().read()


def udp(options: argparse.Namespace) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((options.bind, 0))
        for data in packets(options, hyper_imu):
            sender.sendto(data, (options.host, options.port))


def tcp(options: argparse.Namespace, packet: Packet) -> None:
    with dial(options) as sender:
        for data in packets(options, packet):
            sender.sendall(data.rstrip(b'\n') + b'\n')


def serve(options: argparse.Namespace) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.server import ServerConnection, serve

    def handle(connection: ServerConnection) -> None:
        asked = urlsplit(connection.request.path)
        if asked.path != '/sensors/connect':
            connection.close(1008)
            return
        options.types = json.loads(parse_qs(asked.query)['types'][0])
        garbage = itertools.cycle(GARBAGE)
        try:
            if options.capture:
                for line, _ in zip(options.capture, ticks(options), strict=False):
                    connection.send(line)
                return
            for index, (stamp_ns, gyro) in enumerate(ticks(options)):
                if options.garbage and index % 3 == 2:
                    connection.send(next(garbage).decode('latin-1'))
                for message in sensor_server(options, stamp_ns, gyro):
                    connection.send(message.decode())
                    if options.garbage and index % 3 == 2:
                        connection.send(message[:len(message) // 2].decode())
        except ConnectionClosed:
            pass

    with serve(handle, options.host, options.port) as server:
        server.serve_forever()


APPS = {
    'sensor_logger': push,
    'sensor_server': serve,
    'phyphox': answer,
    'hyper_imu_udp': udp,
    'hyper_imu_tcp': lambda options: tcp(options, hyper_imu),
    'sensor_streamer': lambda options: tcp(options, sensor_streamer),
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument('app', choices=APPS)
    parser.add_argument('host')
    parser.add_argument('port', type=int)
    parser.add_argument('--device', default='one')
    parser.add_argument('--bind', default='127.0.0.1')
    parser.add_argument('--rate', type=float, default=100.0)
    parser.add_argument('--offset', type=float, default=-259_200.0)
    parser.add_argument('--ppm', type=float, default=100.0)
    parser.add_argument('--garbage', action='store_true')
    parser.add_argument('--ios', action='store_true')
    parser.add_argument('--paused', action='store_true')
    parser.add_argument('--capture', type=lambda path: Path(path).read_text().splitlines(),
                        help='messages that sensor_server sends instead, at the rate')
    options = parser.parse_args()
    APPS[options.app](options)
    return 0


if __name__ == '__main__':
    sys.exit(main())
