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

"""Managed node that reads one sensor source; subclasses publish its samples."""

import re
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor

from utt_ros.bridge.node.managed_node import ManagedNode
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.trouble_log import TroubleLog
from utt_ros.drivers.reader import ReaderSettings
from utt_ros.drivers.shared_reader import SharedReader
from utt_ros.drivers.shared_settings import merge_settings
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.errors import SettingsError, SourceError
from utt_ros.plugins import Registry
from utt_ros.settings import AreaSettings

DEVICE_SETTINGS = (  # names of settings that tell which device it is, the most exact first
    'location', 'svo', 'serial', 'interface', 'ports', 'devices', 'image', 'root')
MAX_SILENCE_S = 3.0  # warn about a source that is silent for longer


def hardware_name(source: str, settings: Any) -> str:
    """Return the source and its device, or the port on which it listens, without a password."""
    values = {item.name: getattr(settings, item.name) for item in fields(settings)}
    device = next((values[name] for name in DEVICE_SETTINGS if values.get(name)), '')
    if not device and 'port' in values:
        device = f'{values.get("host", "")}:{values["port"]}'
    text = ','.join(map(str, device)) if isinstance(device, tuple) else str(device)
    return f'{source} {re.sub("//[^/@]*@", "//", text)}'.rstrip()


class Driver(ManagedNode):
    """Base of the driver nodes. Only an active driver reads its source.

    Parameters: those of the area, `autostart`, `source` (a name in the registry), those of the
    reader, and those of the chosen source with its name before them (`iw.interface`).

    Drivers of several areas share a source in one process: one of them leads, which makes the
    source and has the executor; each has parameters, states, topics and diagnostics of its own.
    """

    reader_settings: type[ReaderSettings] = ReaderSettings
    reader: SharedReader

    def __init__(
        self, name: str, sources: Registry[SourceEntry], default: str,
        words: Sequence[str] | None = None, beside: Sequence['Driver'] = (),
    ) -> None:
        """`words`: ROS arguments of a driver that is led; `beside`: those that this one leads."""
        super().__init__(name, words)
        self.area = declare_settings(self, AreaSettings)
        self.chosen: str = self.declare_parameter(
            'source', default, ParameterDescriptor(read_only=True)).value
        try:
            self.entry = sources[self.chosen]
        except SettingsError as err:
            raise SettingsError(f'{name}: {err}') from err
        self.settings = declare_settings(self, self.entry.settings, f'{self.chosen}.')
        self.hardware_id = hardware_name(self.chosen, self.settings)
        self.queue_settings = declare_settings(self, self.reader_settings)
        self._troubles = TroubleLog(
            lambda text: self.get_logger().warning(f'{self.chosen}: {text}'))
        self._refused = 0
        self._is_woken = False
        self.prepare()
        self.members: tuple[Driver, ...] = (self, *beside)  # all of its process, if it leads
        if words is None:
            self._lead()

    def _lead(self) -> None:
        """Make the source, and start all drivers that share it."""
        by_area = {driver.area.area: driver for driver in self.members}
        for area, driver in by_area.items():
            if driver.chosen != self.chosen:
                raise SettingsError(f'source is {self.chosen!r} in {self.area.area} and '
                                    f'{driver.chosen!r} in {area}, which shall share one')
        merge_settings({area: driver.queue_settings for area, driver in by_area.items()})
        settings = merge_settings({area: driver.settings for area, driver in by_area.items()})
        source = self.wrap(self.entry.make(settings, self.area))
        reader = SharedReader(source, self.queue_settings, self._wake)
        for driver in self.members:
            driver.reader = reader
            driver.share([other.area for other in self.members if other is not driver])
        for driver in self.members:
            driver.start()

    def share(self, others: Sequence[AreaSettings]) -> None:
        """Prepare for sharing the source with other areas. Raises SettingsError."""

    def prepare(self) -> None:
        """Read further parameters and create publishers, before the driver becomes active."""

    def wrap(self, source: Source[Any]) -> Source[Any]:
        """Return a source that processes the samples of `source`."""
        return source

    def disclose(self, text: str) -> str:
        """Return what of a text of the source may be published and logged."""
        return text

    def disclose_status(self, status: Mapping[str, object]) -> Mapping[str, object]:
        """Return what of the status of the source may be published."""
        return status

    @abstractmethod
    def publish(self, samples: Sequence[Any]) -> None:
        """Publish samples, oldest first; an exception loses this sample only."""

    def receive(self, sample: Any) -> None:
        """Publish a sample; where that fails, the others are not lost."""
        try:
            self.publish((sample,))
        except Exception as err:  # noqa: BLE001 - whatever a sample causes
            self._refused += 1
            self.get_logger().warning(
                f'not published: {type(err).__name__}: {err}', throttle_duration_sec=5.0)

    def begin_work(self) -> None:
        """Start reading. Raises SourceError while an earlier thread still holds the source."""
        try:
            self.reader.add(self.receive)
        except SourceError as err:
            raise SourceError(f'{self.chosen}: {err}') from err
        address = self.reader.source.address
        if address:
            self.get_logger().info(f'{self.chosen} listens on {address}')

    def end_work(self) -> None:
        if not self.reader.remove(self.receive):
            self.get_logger().error(f'{self.chosen} does not release its device')

    def _wake(self) -> None:
        """Schedule `_deliver`; the events executor does not support guard conditions."""
        executor = self.executor
        if executor is not None and not self._is_woken:
            self._is_woken = True
            executor.create_task(self._deliver)

    def _deliver(self) -> None:
        self._is_woken = False
        self.reader.deliver()

    def _values(self) -> Mapping[str, object]:
        status = self.reader.status()
        if status is None or not self.is_active:
            return {'source': self.chosen}
        bad = status.state != 'open' or status.silent_s > MAX_SILENCE_S
        of_source = self.reader.source.status()
        source = self.disclose_status(of_source)
        silent = f'silent for {status.silent_s:.0f} s' if status.silent_s > MAX_SILENCE_S else ''
        message = self.disclose(status.error) or silent
        now_s = time.monotonic()
        self._troubles.report('state', message, now_s)
        self._troubles.report('input', self.disclose(str(of_source.get('trouble', ''))), now_s,
                              sum(status.refused.values()))
        return {
            'level': 'warn' if bad or status.dropped else 'ok',
            'message': message or (f'{status.dropped} samples dropped, since the queue was full'
                                   if status.dropped else status.state if bad else ''),
            'source': self.chosen, 'state': status.state, 'samples': status.samples,
            'rate_hz': f'{status.rate_hz:.1f}', 'silent_s': f'{status.silent_s:.1f}',
            'dropped': status.dropped, 'reopened': status.reopened,
            'not_published': self._refused,
            **{f'refused_{reason}': count for reason, count in sorted(status.refused.items())},
            **source,
        }
