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

"""FTM source: ESP32 boards with ESP-IDF's example wifi/ftm. See docs/sources/esp_idf.md."""

from dataclasses import dataclass
from typing import Any

from utt_ros.drivers.ftm.boards import BoardSettings, BoardSource, missing_ports
from utt_ros.drivers.ftm.serial_format import parse_esp_idf
from utt_ros.drivers.phone_registry import is_mac
from utt_ros.drivers.source import SourceEntry
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings, setting


@dataclass(frozen=True, slots=True)
class ConsoleSettings(BoardSettings):
    """Boards, the access point that they range, and the command that starts a measurement."""

    ap: str = setting('', 'BSSID of the ranged access point, which the console does not print')
    command: str = setting(
        'ftm -I', 'command that starts one measurement; empty: the board starts them itself')
    period: float = setting(0.5, 'time between such commands [s]', low=0.05, high=3600.0)

    def __post_init__(self) -> None:
        BoardSettings.__post_init__(self)
        if self.ap and not is_mac(self.ap):
            raise SettingsError(f'ap is {self.ap!r}: like 02:00:00:00:00:01, in lower case')
        if not self.command.isprintable() or not self.command.isascii():
            raise SettingsError(f'command is {self.command!r}: it must be one line of ASCII')


def esp_idf_source(settings: Any, _area: AreaSettings) -> BoardSource:
    return BoardSource(settings, parse_esp_idf, ap=settings.ap, command=settings.command,
                       period_s=settings.period)


ENTRY = SourceEntry("ESP32 with ESP-IDF's ftm example, serial", ConsoleSettings, esp_idf_source,
                    missing_ports)
