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

"""Access points of an area as its settings list them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from utt_ros.errors import SettingsError

DEFAULT_AP_POSITION = (0.0, 0.0, 2.5)
MAX_AP_COORDINATE_M = 1e4
MAX_ACCESS_POINTS = 32
AP_ADDRESS = re.compile(r'[!-~]{1,64}')


class AccessPoint(NamedTuple):
    """Access point of an area."""

    address: str  # BSSID, or what else the FTM source reports
    position: tuple[float, float, float]  # [m] area frame


def read_access_points(name: str, value: Any) -> tuple[AccessPoint, ...]:
    """Read the setting `name`, a mapping of addresses to positions. Raises SettingsError."""
    if isinstance(value, tuple) and all(isinstance(item, AccessPoint) for item in value):
        return value
    if not isinstance(value, Mapping):
        raise SettingsError(f'{name} is {value!r:.200}: it must hold positions by address, '
                            f'such as {{"02:00:00:00:00:01": {list(DEFAULT_AP_POSITION)}}}')
    points = []
    for address, given in value.items():
        numbers = list(given) if isinstance(given, list | tuple) else []
        if len(numbers) != 3 or any(
                type(number) not in (int, float) or not abs(number) <= MAX_AP_COORDINATE_M
                for number in numbers):
            raise SettingsError(
                f'{name}.{address!s:.80} is {given!r:.200}: it must be three numbers, each within '
                f'{MAX_AP_COORDINATE_M:g}, such as {list(DEFAULT_AP_POSITION)}')
        x, y, z = map(float, numbers)
        points.append(AccessPoint(str(address), (x, y, z)))
    return tuple(points)


def check_access_points(points: Sequence[AccessPoint]) -> None:
    """Raise SettingsError for too many access points, or addresses that cannot be told apart."""
    if len(points) > MAX_ACCESS_POINTS:
        raise SettingsError(f'access_points has {len(points)}: at most {MAX_ACCESS_POINTS}')
    names: dict[str, str] = {}
    for address, _ in points:
        if not AP_ADDRESS.fullmatch(address):
            raise SettingsError(
                f'access_points has {address!r:.80}: it must be 1 to 64 characters without blanks')
        if (other := names.setdefault(ap_name(address), address)) is not address:
            raise SettingsError(f'access_points has {other!r} and {address!r}: they must differ '
                                'in more than case and punctuation')


def ap_name(address: str) -> str:
    """Return an address in the form that it has in names of frames."""
    return re.sub(r'\W', '_', address.lower(), flags=re.ASCII)
