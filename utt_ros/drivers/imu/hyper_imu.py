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

"""IMU source: HyperIMU (Android), packets of numbers by UDP or TCP; docs/sources/hyper_imu.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.formats import HYPER_IMU, HYPER_IMU_OTHERS, parse_hyper_imu
from utt_ros.drivers.imu.network import PortSettings, PortSource
from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.source import SourceEntry
from utt_ros.drivers.transport.sockets import Arrival, DatagramServer, LineServer
from utt_ros.errors import SettingsError
from utt_ros.settings import setting

MAX_COLUMNS = 64
TRANSPORTS = {'udp': DatagramServer, 'tcp': LineServer}


@dataclass(frozen=True, slots=True)
class HyperImuSettings(PortSettings):
    """Settings of HyperIMU; `devices` are IP addresses of phones."""

    port: int = setting(2055, 'port to listen on', low=0, high=65535)
    transport: str = setting('udp', 'udp or tcp, as set in the app')
    columns: tuple[str, ...] = setting(
        ('time', 'accel', 'gyro', 'mag'), 'columns that the app sends, in order: time'
        ' (one number), accel, gyro, mag, skip3 (three each), skip (one)')

    def __post_init__(self) -> None:
        PortSettings.__post_init__(self)
        if self.transport not in TRANSPORTS:
            raise SettingsError(f'transport is {self.transport!r}: it must be udp or tcp')
        known = {*HYPER_IMU, *HYPER_IMU_OTHERS}
        unknown = [name for name in self.columns if name not in known]
        if unknown or len(self.columns) > MAX_COLUMNS:
            raise SettingsError(f'columns are {list(self.columns)[:MAX_COLUMNS]}: '
                                f'at most {MAX_COLUMNS} of {", ".join(sorted(known))}')
        for name in ('accel', 'gyro'):
            if name not in self.columns:
                raise SettingsError(f'columns are {list(self.columns)}: {name} is missing')
        repeated = [name for name in ('time', *HYPER_IMU) if self.columns.count(name) > 1]
        if repeated:
            raise SettingsError(f'columns are {list(self.columns)}: {repeated[0]} is listed twice')


class HyperImuSource(PortSource):
    """HyperIMU; all readings of a packet carry one stamp."""

    def __init__(self, settings: HyperImuSettings) -> None:
        super().__init__()
        self._columns = settings.columns
        self.server = TRANSPORTS[settings.transport](
            settings.host, settings.port, self.counters)
        self.phones = PhoneAssemblers(settings, settings.pairing(), self.counters)

    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        return arrival.peer, parse_hyper_imu(arrival.data, self._columns, arrival.arrival_ns)


ENTRY = SourceEntry('HyperIMU, by UDP or TCP', HyperImuSettings,
                    lambda settings, _area: HyperImuSource(settings), lambda: '')
