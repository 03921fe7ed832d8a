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

"""Memory of drivers, synchronizer and twin while strangers invent names.

It is measured as the number of items in all containers, which depends on no allocator.
"""

import gc
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from utt_ros.association.associator import make_associator
from utt_ros.drivers.ftm.android import AndroidSettings, AndroidSource
from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers, PhoneSettings
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.transport.sockets import Arrival, PortServer
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer
from utt_ros.twin.engine import TwinEngine
from utt_ros.types import NS_PER_S

BEGIN_NS = 1_800_000_000 * NS_PER_S
STEP_NS = 3 * NS_PER_S // 10
STEP_NAMES = 50  # new names of each kind in a step
MAX_SUBJECTS = 32  # of the synchronizer, so that many are refused
MAX_GROWTH, MAX_ADDED_ITEMS = 1.01, 60
WARM_SHARE = 0.5  # of the names, after which buffers are full
FIXED = (BuiltinFunctionType, FunctionType, ModuleType, type)
Step = Callable[[int, int], None]  # from the number of a step and its stamp [ns]


@dataclass(frozen=True, slots=True)
class NamesReport:
    """Items in memory of one part after half of the invented names and after all."""

    part: str
    names: int
    items_before: int
    items_after: int

    @property
    def is_flat(self) -> bool:
        """Return whether memory did not grow; the clock of a known phone keeps a minute."""
        return self.items_after <= MAX_GROWTH * self.items_before + MAX_ADDED_ITEMS


def invent_names(names: int = 10_000, parts: tuple[str, ...] = ()) -> Iterator[NamesReport]:
    """Give invented names to each part, STEP_NAMES every STEP_NS; by default to all of PARTS.

    Parts that match tracks take minutes.
    """
    for part in parts or PARTS:
        owner, step = PARTS[part]()
        steps = names // STEP_NAMES
        items = []
        for begin, end in ((0, round(WARM_SHARE * steps)), (round(WARM_SHARE * steps), steps)):
            for number in range(begin, end):
                step(number, BEGIN_NS + number * STEP_NS)
            items.append(count_items(owner))
        yield NamesReport(part, names, items[0], items[1])


def count_items(root: object) -> int:
    """Count the items of all containers that are reachable from an object, code left out."""
    count, seen, pending = 0, {id(root)}, [root]
    while pending:
        item = pending.pop()
        if isinstance(item, dict | list | set | deque):
            count += len(item)
        elif isinstance(item, np.ndarray):
            count += item.size
        for other in gc.get_referents(item):
            if id(other) not in seen and not isinstance(other, FIXED):
                seen.add(id(other))
                pending.append(other)
    return count


def _invented(number: int) -> list[str]:
    return [f'invented{STEP_NAMES * number + index}' for index in range(STEP_NAMES)]


class _Arrivals(PortServer):
    """Server whose arrivals are put in."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.waiting: list[Arrival] = []

    def open(self) -> None:
        """Do nothing."""

    def read(self, timeout_s: float) -> list[Arrival]:  # noqa: ARG002
        taken, self.waiting = self.waiting, []
        return taken

    def close(self) -> None:
        """Do nothing."""


def _ftm_driver() -> tuple[object, Step]:
    """Devices and access points are invented."""
    servers: list[_Arrivals] = []

    def serve(*arguments: Any) -> _Arrivals:
        servers.append(_Arrivals(*arguments))
        return servers[0]

    source = AndroidSource(AndroidSettings(), serve)  # type: ignore[arg-type]

    def step(number: int, stamp_ns: int) -> None:
        for index, name in enumerate(_invented(number)):
            mac = f'02:00:00:00:{number >> 8 & 255:02x}:{number & 255:02x}'
            result = {'deviceId': name if index else 'known', 'mac': mac, 'status': 0,
                      'distanceMm': 5230, 'distanceStdDevMm': 412, 'rssi': -58,
                      'numAttemptedMeasurements': 8, 'numSuccessfulMeasurements': 7,
                      'rangingTimestampMillis': stamp_ns // 1_000_000}
            servers[0].waiting.append(
                Arrival('10.0.0.2', json.dumps(result).encode(), stamp_ns))
        source.read(0.0)

    return source, step


def _imu_driver() -> tuple[object, Step]:
    settings = PhoneSettings()
    phones = PhoneAssemblers(settings, settings.pairing(), Counter())

    def step(number: int, stamp_ns: int) -> None:
        for name in (*_invented(number), 'known'):
            phones.add(name, [Reading(kind, stamp_ns, (0.0, 0.0, 9.8))
                              for kind in ('gyro', 'accel', 'mag')], stamp_ns)

    return phones, step


def _synchronizer(association: str) -> tuple[object, Step]:
    """Phones, labels and track ids are invented; the twin gets what the synchronizer lets in."""
    area, window = AreaSettings(), WindowSettings()
    settings = SyncSettings(association=association, max_subjects=MAX_SUBJECTS)
    labels = association == 'labels'
    synchronizer = Synchronizer(
        settings, window, associator=None if labels else make_associator(settings, area, window))
    engine = TwinEngine(area, window)

    def step(number: int, stamp_ns: int) -> None:
        names = _invented(number)
        for index, name in enumerate(names):
            at_ns = stamp_ns + index
            synchronizer.add_inertial(name, at_ns, (0.0, 0.0, 9.8, 0.0, 0.0, 0.0))
            synchronizer.add_magnetic(name, at_ns, (0.0, 2e-5, -4e-5))
            synchronizer.add_ftm(name, at_ns, 5.0, 0.4)
        boxes = np.tile(np.array([600.0, 300.0, 5.0, 50.0, 100.0], np.float32), (len(names), 1))
        synchronizer.add_tracks(
            stamp_ns + 50, boxes, [f'seen_{name}' if labels else '' for name in names],
            [f'track_{name}' for name in names], np.ones(len(names), np.float32))
        for batch in synchronizer.poll():
            engine.step(batch)

    return (synchronizer, engine), step


PARTS: dict[str, Callable[[], tuple[object, Step]]] = {
    'ftm driver': _ftm_driver,
    'imu driver': _imu_driver,
    'synchronizer, twin': lambda: _synchronizer('labels'),
    'synchronizer, twin, vifi': lambda: _synchronizer('vifi'),
    'synchronizer, twin, fused': lambda: _synchronizer('fused'),
}
