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

"""Base of FTM sources of Android phones, which send RangingResults as JSON lines."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from utt_ros.drivers.clock_sync import StreamClocks
from utt_ros.drivers.ftm.android_json import AndroidResult, parse_android
from utt_ros.drivers.phone_registry import PhoneRegistry, check_phones
from utt_ros.drivers.source import Source
from utt_ros.drivers.transport.sockets import Arrival, HostClock, PortServer
from utt_ros.drivers.types import FtmSample
from utt_ros.settings import check, setting


@dataclass(frozen=True, slots=True)
class AndroidSettings:
    """Address to which phones send, and names of the phones."""

    host: str = setting('0.0.0.0', 'address to listen on; 0.0.0.0: all of this machine')  # noqa: S104
    port: int = setting(9710, 'port to listen on', low=1, high=65535)
    devices: tuple[str, ...] = setting(
        (), 'deviceId of each phone; empty: any, which names the phone')
    phones: tuple[str, ...] = setting((), 'name of each of these phones in topics')

    def __post_init__(self) -> None:
        check(self)
        check_phones('devices', self.devices, self.phones)


class AndroidSource(Source[FtmSample]):
    """Source of JSON lines in datagrams or in bodies of POST requests to any path."""

    def __init__(
        self, settings: AndroidSettings, server: type[PortServer], now: HostClock = time.time_ns,
    ) -> None:
        super().__init__()
        self._clocks = StreamClocks(self.counters)
        self._registry = PhoneRegistry(settings.devices, settings.phones, self._clocks.forget)
        self._server = server(settings.host, settings.port, self.counters, now)

    @property
    def address(self) -> str:
        return self._server.address

    def open(self) -> None:
        self._server.open()

    def read(self, timeout_s: float) -> Sequence[FtmSample]:
        return [sample for arrival in self._server.read(timeout_s)
                for sample in self._take(arrival)]

    def close(self) -> None:
        self._server.close()

    def status(self) -> Mapping[str, object]:
        """Return the address, the newest unknown phone, and the clocks of phones."""
        return {'address': self.address, **self._registry.status(), **self._clocks.status()}

    def _take(self, arrival: Arrival) -> list[FtmSample]:
        results, refused = parse_android(arrival.data)
        self.counters.update(refused)
        devices: dict[str, list[AndroidResult]] = {}
        for result in results:
            devices.setdefault(result.device, []).append(result)
        return [sample for device, subset in devices.items()
                for sample in self._take_device(device, subset, arrival.arrival_ns)]

    def _take_device(
        self, device: str, results: list[AndroidResult], arrival_ns: int,
    ) -> Iterator[FtmSample]:
        phone = self._registry.name(device, arrival_ns)
        newest_ns = max(result.boot_ns for result in results)
        if not phone or not self._clocks.observe(phone, newest_ns, arrival_ns):
            self.counters['other_clock' if phone else 'unknown_phone'] += len(results)
            return
        for result in sorted(results, key=lambda result: result.boot_ns):
            stamp_ns = self._clocks.stamp(phone, result.mac, result.boot_ns)
            if stamp_ns is not None:
                yield FtmSample(
                    phone, stamp_ns, result.range_m, result.std_m, result.mac, result.rssi_dbm,
                    result.attempted, result.successful)
