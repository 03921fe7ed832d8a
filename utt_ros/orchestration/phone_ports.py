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

"""Ports on which the drivers of a plan listen for phones: which, and that no two are the same."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from itertools import combinations

from utt_ros.errors import SettingsError
from utt_ros.orchestration.launch_plan import LaunchPlan
from utt_ros.parameter_files import read_node_parameters

PHONE_DRIVERS = ('ftm', 'imu')
EVERY_ADDRESS = ('', '0.0.0.0', '::')  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class PhonePort:
    """Port of one driver."""

    area: str
    driver: str
    protocol: str  # the source and its transport: another one may have the same number
    host: str
    port: int  # 0: any free one

    def __str__(self) -> str:
        return f'{self.area}: {self.driver} listens for phones on {self.host}:{self.port}'

    def collides(self, other: 'PhonePort') -> bool:
        """Return whether both cannot be open at once, or would share what phones send."""
        hosts = {self.host, other.host}
        return bool(self.port) and (self.protocol, self.port) == (other.protocol, other.port) and (
            len(hosts) == 1 or not hosts.isdisjoint(EVERY_ADDRESS))


def phone_ports(plan: LaunchPlan) -> list[PhonePort]:
    """Return the ports of the drivers that a plan starts."""
    found = (_port(area.name, kind, read_node_parameters(
        area.parameter_files, f'{area.root}/{kind}'))
        for area in plan.areas if plan.nodes and not area.bags
        for kind in area.drivers if kind in PHONE_DRIVERS)
    return [port for port in found if port is not None]


def check_phone_ports(plan: LaunchPlan) -> None:
    """Raise SettingsError where two drivers of a plan listen on the same port."""
    for first, second in combinations(phone_ports(plan), 2):
        if first.collides(second):
            raise SettingsError(f'{first}, and {second.area}: {second.driver} on {second.host}:'
                                f'{second.port}: give one of them another port')


def _port(area: str, kind: str, parameters: Mapping[str, object]) -> PhonePort | None:
    """Return the port of one driver; None for a source that opens none."""
    room = import_module(f'utt_ros.drivers.{kind}')
    source = parameters.get('source', room.DEFAULT)
    if source not in room.SOURCES.names():
        return None  # its node refuses it, with the list of known ones
    known = {item.name: item for item in fields(room.SOURCES[source].settings)}
    if not {'host', 'port'} <= set(known) or 'listen' not in str(
            known['port'].metadata.get('text', '')):
        return None
    host, port, transport = (
        parameters.get(f'{source}.{name}', known[name].default if name in known else '')
        for name in ('host', 'port', 'transport'))
    if not isinstance(port, int):
        return None  # refused by its node as well
    return PhonePort(area, kind, f'{source} {transport}', str(host), port)
