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

"""IMU source: SensorStreamer (Android), JSON by TCP. See docs/sources/sensor_streamer.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.formats import parse_sensor_streamer
from utt_ros.drivers.imu.network import PortSettings, PortSource
from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.source import SourceEntry
from utt_ros.drivers.transport.sockets import Arrival, LineServer
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class SensorStreamerSettings(PortSettings):
    """Settings of SensorStreamer as TCP client; `devices` are IP addresses of phones."""

    port: int = setting(5000, 'port to listen on', low=0, high=65535)


class SensorStreamerSource(PortSource):
    """SensorStreamer; each sensor has its own stamp."""

    def __init__(self, settings: SensorStreamerSettings) -> None:
        super().__init__()
        self.server = LineServer(settings.host, settings.port, self.counters)
        self.phones = PhoneAssemblers(settings, settings.pairing(), self.counters)

    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        readings = parse_sensor_streamer(arrival.data)
        if not readings:
            self.counters['other_sensor'] += 1
        return arrival.peer, readings


ENTRY = SourceEntry('SensorStreamer, by TCP', SensorStreamerSettings,
                    lambda settings, _area: SensorStreamerSource(settings), lambda: '')
