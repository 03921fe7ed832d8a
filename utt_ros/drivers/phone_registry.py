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

"""Phone registry: names of phones by device id, and checks of addresses and ranges."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from utt_ros.errors import SettingsError
from utt_ros.sensor_limits import MAX_RANGE_STD_M, MAX_SUBJECT_NAME_LENGTH, RANGE_LIMITS_M, is_name
from utt_ros.types import NS_PER_S

MAX_PHONES = 64
MAX_DEVICE_ID_LENGTH = 256  # of ids that are stored
MAX_SHOWN_LENGTH = 64  # of ids in diagnostics
MIN_SILENCE_NS = 30 * NS_PER_S  # of a phone that loses its place to another
MAX_PORT = 65_535
ADDRESS = re.compile(r'[\w.\-]+:(?P<port>\d{1,5})')
MAC = re.compile(r'[0-9a-f]{2}(:[0-9a-f]{2}){5}', re.ASCII)


def is_mac(text: str) -> bool:
    """Return whether it is a hardware address such as '02:00:00:00:00:01', in lower case."""
    return MAC.fullmatch(text) is not None


def is_plausible_range(range_m: float, std_m: float) -> bool:
    """Return whether a range and its standard deviation (NaN: unknown) [m] are within limits."""
    low, high = RANGE_LIMITS_M
    return low <= range_m <= high and not (std_m < 0.0 or std_m > MAX_RANGE_STD_M)


def check_phones(
        key_name: str, keys: Sequence[str], phones: Sequence[str], *,
        repeated: bool = False) -> None:
    """Check a list of unique ids and the list of their phones, which may repeat if `repeated`.

    Raises SettingsError.
    """
    if len(keys) != len(phones):
        raise SettingsError(
            f'{key_name} has {len(keys)} entries and phones {len(phones)}: one phone for each')
    if len(keys) > MAX_PHONES:
        raise SettingsError(f'{key_name} has {len(keys)} entries: {MAX_PHONES} at most')
    for name, values in ((key_name, keys), ('phones', phones)):
        if any(not isinstance(value, str) for value in values):
            raise SettingsError(f'{name} is {list(values)}: it must hold strings')
        duplicates = [value for value, count in Counter(values).items() if count > 1]
        if duplicates and not (repeated and name == 'phones'):
            raise SettingsError(f'{name} holds {duplicates[0]!r} more than once')
    for phone in phones:
        if not is_name(phone):
            raise SettingsError(
                f'phones holds {phone!r}: a letter, then letters, digits and single underscores')


def check_addresses(devices: Sequence[str], phones: Sequence[str]) -> None:
    """Check addresses of phones, host:port, at least one. Raises SettingsError."""
    check_phones('devices', devices, phones)
    ports = [match and int(match['port']) for match in map(ADDRESS.fullmatch, devices)]
    if not ports or any(port is None or port > MAX_PORT for port in ports):
        raise SettingsError(f'devices are {list(devices)}: one or more of host:port, '
                            f'ports up to {MAX_PORT}')


class PhoneRegistry:
    """Phone names by the device ids that apps send.

    Without a list of devices each id is registered under a name made of its letters and digits,
    unless another id holds that name. When MAX_PHONES are registered, a new one takes the place of
    the one that has been silent for the longest time, MIN_SILENCE_NS or more.
    """

    def __init__(
        self, devices: Sequence[str], phones: Sequence[str],
        forget: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`forget` gets the name of each phone that lost its place."""
        self._names = dict(zip(devices, phones, strict=True))
        self._phones = set(phones)
        self._heard_ns: dict[str, int] = {}  # of registered devices, the most silent one first
        self._is_open = not devices
        self._forget = forget
        self._refusal = ''  # of the newest device without a name

    def name(self, device: str, now_ns: int) -> str:
        """Return the phone of a device at its arrival; empty when it has none."""
        known = self._names.get(device, '')
        if self._is_open:
            known = known or self._register(device, now_ns)
            if known:
                self._heard_ns.pop(device, None)
                self._heard_ns[device] = now_ns
        elif not known:
            self._refuse(device, 'is not listed in devices')
        return known

    def status(self) -> Mapping[str, object]:
        """Return the newest device that was refused, and the reason, once there is one."""
        return {'unknown_phone': self._refusal} if self._refusal else {}

    def _register(self, device: str, now_ns: int) -> str:
        if len(device) > MAX_DEVICE_ID_LENGTH:
            return self._refuse(device, f'has more than {MAX_DEVICE_ID_LENGTH} characters')
        name = re.sub('[^A-Za-z0-9]+', '_', device).strip('_')[:MAX_SUBJECT_NAME_LENGTH]
        if name[:1].isdigit():
            name = f'phone_{name}'[:MAX_SUBJECT_NAME_LENGTH].strip('_')
        if not is_name(name):
            return self._refuse(device, 'has no name of letters and digits')
        if name in self._phones:
            return self._refuse(device, f'would be {name}, as another device is')
        if len(self._names) >= MAX_PHONES and not self._replace(now_ns):
            return self._refuse(device, f'is one more than {MAX_PHONES}: list those wanted')
        self._names[device] = name
        self._phones.add(name)
        return name

    def _replace(self, now_ns: int) -> bool:
        device, heard_ns = next(iter(self._heard_ns.items()))
        if abs(now_ns - heard_ns) < MIN_SILENCE_NS:
            return False
        del self._heard_ns[device]
        phone = self._names.pop(device)
        self._phones.remove(phone)
        self._forget(phone)
        return True

    def _refuse(self, device: str, reason: str) -> str:
        self._refusal = f'device {device[:MAX_SHOWN_LENGTH]!r} {reason}'
        return ''
