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

"""Sources of the phone drivers of a plan: their ports, and those that several areas share."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from utt_ros.drivers.reader import ReaderSettings
from utt_ros.drivers.shared_settings import check_shared_ranges, merge_settings
from utt_ros.errors import SettingsError
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.parameter_files import read_node_parameters
from utt_ros.settings import from_mapping

PHONE_DRIVERS = ('ftm', 'imu')
EVERY_ADDRESS = ('', '0.0.0.0', '::')  # noqa: S104 - compared, not bound
DEVICE_SETTINGS = ('devices', 'ports', 'interface', 'root')  # those of a source that opens no port


@dataclass(frozen=True, slots=True)
class PhoneSource:
    """Source of the driver of one area."""

    area: AreaPlan
    kind: str  # of driver
    name: str
    settings: Any
    reader: ReaderSettings

    @property
    def port(self) -> tuple[str, int] | None:
        """Host and port on which it listens for phones; None for a source that does not."""
        items = {item.name: item for item in fields(self.settings)}
        listens = {'host', 'port'} <= set(items) and 'listen' in str(
            items['port'].metadata.get('text', ''))
        return (self.settings.host, self.settings.port) if listens else None

    def collides(self, other: 'PhoneSource') -> bool:
        """Return whether both listen on one port, so that they cannot be open at once.

        Another source or transport may have the same number.
        """
        if self.port is None or other.port is None or self.name != other.name:
            return False
        (host, port), (other_host, other_port) = self.port, other.port
        transports = {getattr(each.settings, 'transport', '') for each in (self, other)}
        hosts = {host, other_host}
        return port == other_port != 0 and len(transports) == 1 and (
            len(hosts) == 1 or not hosts.isdisjoint(EVERY_ADDRESS))

    def overlaps(self, other: 'PhoneSource') -> bool:
        """Return whether both read a device, or listen on a port, that is the same."""
        if self.kind != other.kind or self.name != other.name:
            return False
        return self.collides(other) or bool(self.devices & other.devices)

    @property
    def devices(self) -> set[str]:
        """Devices that it reads; none of a source that listens on a port."""
        if self.port is not None:
            return set()  # its `devices` are ids of phones
        values = [getattr(self.settings, name, ()) for name in DEVICE_SETTINGS]
        return {device for value in values
                for device in ((value,) if isinstance(value, str) else value)}


Group = tuple[PhoneSource, ...]  # sources that one driver process reads, that of its leader first


def phone_groups(plan: LaunchPlan) -> list[Group]:
    """Return the phone sources that a plan reads, by process.

    Areas share what they name alike: a port, or a device. Where their other settings differ, a
    device is read by each of them. Raises SettingsError for a port that cannot be shared.
    """
    groups: list[Group] = []
    for source in _phone_sources(plan):
        index = next((i for i, group in enumerate(groups) if _shares(group, source)), None)
        if index is None:
            groups.append((source,))
        else:
            groups[index] += (source,)
    return groups


def describe_sources(plan: LaunchPlan) -> list[str]:
    """Return a sentence about each port for phones, and each source that areas share."""
    return [describe_group(group) for group in phone_groups(plan)
            if len(group) > 1 or group[0].port is not None]


def describe_group(group: Group) -> str:
    """Return a sentence about the source of one driver process."""
    first, areas = group[0], ', '.join(source.area.name for source in group)
    if first.port is None:
        return f'{areas}: {first.kind} reads {first.name} once for all of them'
    host, port = first.port
    return f'{areas}: {first.kind} listens for phones on {host}:{port}'


def _shares(group: Group, source: PhoneSource) -> bool:
    """Return whether a source joins a group. Raises SettingsError for a port in the way."""
    overlapping = [other for other in group if other.overlaps(source)]
    colliding = [other for other in group if other.collides(source)]
    if not overlapping and not colliding:
        return False
    try:
        _check_sharing((*group, source))
    except SettingsError as err:
        if colliding:
            host, port = colliding[0].port or ('', 0)
            raise SettingsError(
                f'{colliding[0].area.name}: {colliding[0].kind} listens for phones on '
                f'{host}:{port}, and so does {source.area.name}: {source.kind}, but they cannot '
                f'share it: {err}; or give one of them another port') from err
        return False
    return True


def _check_sharing(group: Group) -> None:
    """Raise SettingsError for sources that one driver cannot read for all of their areas."""
    if len({source.kind for source in group}) > 1:
        raise SettingsError('they are drivers of different kinds')
    merge_settings({source.area.name: source.reader for source in group})
    merge_settings({source.area.name: source.settings for source in group})
    if group[0].kind == 'ftm':
        check_shared_ranges([source.area.settings for source in group])


def _phone_sources(plan: LaunchPlan) -> list[PhoneSource]:
    """Return the sources of the drivers of phones that a plan starts."""
    found = (_read_source(area, kind)
             for area in plan.areas if plan.nodes and not area.bags
             for kind in area.drivers if kind in PHONE_DRIVERS)
    return [source for source in found if source is not None]


def _read_source(area: AreaPlan, kind: str) -> PhoneSource | None:
    """Return the source of one driver; None where its node refuses the settings."""
    room = import_module(f'utt_ros.drivers.{kind}')
    parameters = read_node_parameters(area.parameter_files, f'{area.root}/{kind}')
    name = parameters.get('source', room.DEFAULT)
    if name not in room.SOURCES.names():
        return None
    try:
        settings = _settings(room.SOURCES[name].settings, parameters, f'{name}.')
        reader = _settings(ReaderSettings, parameters)
    except SettingsError:
        return None
    return PhoneSource(area, kind, name, settings, reader)


def _settings(cls: type[Any], parameters: Mapping[str, object], prefix: str = '') -> Any:
    names = [item.name for item in fields(cls)]
    return from_mapping(
        cls, {name: parameters[prefix + name] for name in names if prefix + name in parameters})
