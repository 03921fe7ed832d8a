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

"""IMU source: SensorServer (Android), a WebSocket per phone. See docs/sources/sensor_server.md."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event, Thread
from urllib.parse import quote

from websockets.sync.client import connect

from utt_ros.drivers.imu.formats import ANDROID, parse_sensor_server
from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers, PhoneSettings
from utt_ros.drivers.imu.readings import Reading, refusal_key
from utt_ros.drivers.phone_registry import check_addresses
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.transport.inbox import Inbox
from utt_ros.drivers.transport.sockets import Arrival
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import MeasurementError, SourceError
from utt_ros.settings import check, setting

MAX_PENDING_MESSAGES = 20_000
MAX_PENDING_BYTES = 8_388_608
MAX_MESSAGE_BYTES = 65_536
MAX_STATE_LENGTH = 300
CONNECT_S = 3.0
RECEIVE_S = 0.2
RETRY_S = 5.0  # of one phone


@dataclass(frozen=True, slots=True)
class SensorServerSettings(PhoneSettings):
    """Settings of SensorServer; `devices` are addresses of phones."""

    devices: tuple[str, ...] = setting(
        ('192.168.1.2:8080',), 'addresses of the phones as the app shows them, host:port')
    phones: tuple[str, ...] = setting(
        ('phone',), 'names of these phones in topics, one for each device')
    magnetometer: bool = setting(True, 'also request the magnetic field')

    def __post_init__(self) -> None:
        check(self)
        check_addresses(self.devices, self.phones)


class _Link(Thread):
    """Thread that keeps the connection to one phone."""

    def __init__(self, device: str, magnetometer: bool, inbox: Inbox) -> None:
        super().__init__(name=f'link to {device}', daemon=True)
        kinds = [name for name, (kind, _) in ANDROID.items() if magnetometer or kind != 'mag']
        types = quote(json.dumps(kinds, separators=(',', ':')))
        self._device, self._inbox = device, inbox
        self._url = f'ws://{device}/sensors/connect?types={types}'
        self._ended = Event()
        self.state = 'opening'  # or 'open', or the cause of the loss

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                self._listen()
            except Exception as err:  # noqa: BLE001, PERF203  retried, whatever the cause
                # escaped, since headers of an unknown server may not be text
                text = f'{type(err).__name__}: {err}'[:MAX_STATE_LENGTH]
                self.state = text.encode('ascii', 'backslashreplace').decode('ascii')
                self._ended.wait(RETRY_S)

    def stop(self) -> None:
        self._ended.set()

    def _listen(self) -> None:
        with connect(self._url, open_timeout=CONNECT_S, close_timeout=1.0, proxy=None,
                     compression=None, max_size=MAX_MESSAGE_BYTES) as connection:
            self.state = 'open'
            while not self._ended.is_set():
                try:
                    data = connection.recv(RECEIVE_S, decode=False)
                except TimeoutError:
                    continue
                self._inbox.put(Arrival(self._device, data, time.time_ns()))


class SensorServerSource(Source[InertialSample | MagneticSample]):
    """SensorServer; stamps count from the phone's boot, the accelerometer includes gravity."""

    def __init__(self, settings: SensorServerSettings) -> None:
        super().__init__()
        self._settings = settings
        self._phones = PhoneAssemblers(settings, settings.pairing(), self.counters)
        self._links: dict[str, _Link] = {}
        self._trouble = ''
        self._inbox = Inbox(MAX_PENDING_MESSAGES, MAX_PENDING_BYTES, self.counters)

    def open(self) -> None:
        self.close()
        settings = self._settings
        self._inbox = Inbox(MAX_PENDING_MESSAGES, MAX_PENDING_BYTES, self.counters)
        self._links = {
            phone: _Link(device, settings.magnetometer, self._inbox)
            for device, phone in zip(settings.devices, settings.phones, strict=True)}
        for link in self._links.values():
            link.start()

    def read(self, timeout_s: float) -> list[InertialSample | MagneticSample]:
        """Return complete samples. Raises SourceError when no phone is connected."""
        samples: list[InertialSample | MagneticSample] = []
        arrivals = self._inbox.take(timeout_s)
        for device, data, arrival_ns in arrivals:
            samples += self._phones.add(device, self._parse(data), arrival_ns)
        states = {phone: link.state for phone, link in self._links.items()}
        if not arrivals and not {'open', 'opening'} & set(states.values()):
            raise SourceError('; '.join(f'{phone}: {state}' for phone, state in states.items())
                              + ': start SensorServer there, and compare the address it shows')
        return samples

    def close(self) -> None:
        for link in self._links.values():
            link.stop()
        for link in self._links.values():
            link.join(CONNECT_S + 1.0)
        self._links = {}

    def status(self) -> Mapping[str, object]:
        """Return the state of each connection, and the clocks of phones."""
        links = {f'{phone}.connection': link.state for phone, link in self._links.copy().items()}
        lost = [f'{phone}: {link.state}' for phone, link in self._links.copy().items()
                if link.state not in ('open', 'opening')]
        return {**links, 'trouble': '; '.join(lost) or self._trouble, **self._phones.status()}

    def _parse(self, data: bytes) -> list[Reading]:
        try:
            reading = parse_sensor_server(data)
        except MeasurementError as err:
            self.counters[refusal_key(err)] += 1
            self._trouble = str(err)
            return []
        if reading is None:
            self.counters['other_sensor'] += 1
            return []
        return [reading]


ENTRY = SourceEntry('SensorServer, a WebSocket of each phone', SensorServerSettings,
                    lambda settings, _area: SensorServerSource(settings), lambda: '')
