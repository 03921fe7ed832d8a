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

"""Assemblers of many phones at one source: names, clocks and assembly of their readings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from utt_ros.drivers.clock_sync import StreamClocks
from utt_ros.drivers.imu.assembler import PairingSettings, SampleAssembler
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.phone_registry import PhoneRegistry, check_phones
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import SettingsError
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S

MAX_BATCH_NS = 60 * NS_PER_S  # span of one arrival
CHUNK_READINGS = 1000  # below MAX_PENDING_READINGS, so that a long batch does not overflow
INVERTED_KINDS = ('accel', 'gravity', 'force', 'raw_force')
STANDARD_GRAVITY_MPS2 = 9.80665  # iOS sends raw forces in multiples of it


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """Devices of the phones, and assembly of their readings."""

    devices: tuple[str, ...] = setting(
        (), 'device ids of the app, or IP addresses, of the phones; empty: every device')
    phones: tuple[str, ...] = setting((), 'names of these phones in topics, one for each device')
    reorder: float = setting(
        0.0, 'time that readings wait for earlier ones that arrive later [s]', low=0.0, high=10.0)
    max_gap: float = setting(
        0.1, 'longest gap of the gyroscope that is interpolated [s]', low=0.001, high=2.0)

    def __post_init__(self) -> None:
        check(self)
        check_phones('devices', self.devices, self.phones)

    def pairing(self, *, adds_gravity: bool = False) -> PairingSettings:
        return PairingSettings(
            round(self.reorder * NS_PER_S), round(self.max_gap * NS_PER_S), adds_gravity)


class PhoneAssemblers:
    """Assemblers of all phones of a source; phones in `inverted` have units and signs of iOS."""

    def __init__(
        self, settings: PhoneSettings, pairing: PairingSettings, counters: 'Counter[str]',
        inverted: Sequence[str] = (),
    ) -> None:
        self._registry = PhoneRegistry(settings.devices, settings.phones, self._forget)
        self._pairing, self._counters, self._inverted = pairing, counters, inverted
        self._clocks = StreamClocks(counters)
        self._assemblers: dict[str, SampleAssembler] = {}

    def add(
        self, device: str, readings: Sequence[Reading], arrival_ns: int,
    ) -> list[InertialSample | MagneticSample]:
        """Add one arrival of a device; return the completed samples, on the host's clock."""
        if self._clocks.check_host(arrival_ns):
            for assembler in self._assemblers.values():
                assembler.clear()
        phone = self._registry.name(device, arrival_ns)
        if not phone:
            self._counters['unknown_phone'] += 1
            return []
        if not readings:
            return []
        newest_ns = max(reading.peer_ns for reading in readings)
        jumps = self._clocks.jumps(phone)
        if not self._clocks.observe(phone, newest_ns, arrival_ns):
            self._counters['other_clock'] += len(readings)
            return []
        assembler = self._assembler(phone)
        if self._clocks.jumps(phone) > jumps:
            assembler.clear()
        usable = sorted(self._usable(phone, readings, newest_ns), key=attrgetter('peer_ns'))
        samples = []
        for start in range(0, len(usable), CHUNK_READINGS):
            assembler.add(usable[start:start + CHUNK_READINGS])
            samples += assembler.take()
        return samples

    def status(self) -> Mapping[str, object]:
        """Return the newest unknown phone; offset, drift and spread of each phone's clock."""
        return {**self._registry.status(), **self._clocks.status()}

    def _forget(self, phone: str) -> None:
        self._clocks.forget(phone)
        self._assemblers.pop(phone, None)

    def _assembler(self, phone: str) -> SampleAssembler:
        if phone not in self._assemblers:
            self._assemblers[phone] = SampleAssembler(
                phone, self._pairing, self._counters, partial(self._clocks.stamp, phone))
        return self._assemblers[phone]

    def _usable(self, phone: str, readings: Sequence[Reading], newest_ns: int) -> list[Reading]:
        recent = [reading for reading in readings
                  if newest_ns - reading.peer_ns < MAX_BATCH_NS]
        if len(recent) < len(readings):
            self._counters['late'] += len(readings) - len(recent)
        return [_negated(reading) for reading in recent] if phone in self._inverted else recent


def check_inverted(inverted: Sequence[str], phones: Sequence[str]) -> None:
    """Raise SettingsError when `inverted` names a phone that is not listed."""
    unknown = sorted(set(inverted) - set(phones))
    if phones and unknown:
        raise SettingsError(
            f'inverted has {unknown[0]!r}: it must be one of {", ".join(sorted(phones))}')


def _negated(reading: Reading) -> Reading:
    if reading.kind not in INVERTED_KINDS:
        return reading
    scale = -STANDARD_GRAVITY_MPS2 if reading.kind == 'raw_force' else -1.0
    x, y, z = reading.values
    return Reading(reading.kind, reading.peer_ns, (scale * x, scale * y, scale * z))
