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

"""IMU source: Sensor Logger (Android, iOS), JSON by HTTP. See docs/sources/sensor_logger.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.formats import parse_sensor_logger
from utt_ros.drivers.imu.network import PortSettings, PortSource
from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers, check_inverted
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.source import SourceEntry
from utt_ros.drivers.transport.sockets import Arrival
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class SensorLoggerSettings(PortSettings):
    """Settings of Sensor Logger; `devices` are its device ids."""

    port: int = setting(8000, 'port to listen on', low=0, high=65535)
    reorder: float = setting(
        0.3, 'time that readings wait for earlier ones that arrive later [s]; more than the batch'
        ' period of the app, since pushes may overtake each other', low=0.0, high=10.0)
    inverted: tuple[str, ...] = setting(
        (), 'phones that send accelerations with the sign of iOS: iPhones with "Standardise Units'
        ' & Frames" off')

    def __post_init__(self) -> None:
        PortSettings.__post_init__(self)
        check_inverted(self.inverted, self.phones)


class SensorLoggerSource(PortSource):
    """Sensor Logger; its accelerometer excludes gravity, which is added."""

    def __init__(self, settings: SensorLoggerSettings) -> None:
        from utt_ros.drivers.transport.http import HttpServer  # noqa: PLC0415  0.3 s, 9 MB

        super().__init__()
        self.server = HttpServer(settings.host, settings.port, self.counters)
        self.phones = PhoneAssemblers(
            settings, settings.pairing(adds_gravity=True), self.counters, settings.inverted)

    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        push = parse_sensor_logger(arrival.data)
        self.counters.update(push.refused)
        return push.device, push.readings


ENTRY = SourceEntry('Sensor Logger, pushed by HTTP', SensorLoggerSettings,
                    lambda settings, _area: SensorLoggerSource(settings), lambda: '')
