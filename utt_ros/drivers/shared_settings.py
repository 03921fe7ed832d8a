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

"""Settings of a source that several areas share, and which of its samples each area receives.

docs/building.md explains the rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings

PHONE_LISTS = ('devices', 'phones', 'inverted')  # joined, where a source has them


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Samples of a shared source that an area receives: those of phones that can be in it."""

    phones: frozenset[str] = frozenset()  # empty: every phone
    other_aps: frozenset[str] = frozenset()  # addresses of access points of other areas only

    def takes(self, phone: str, ap: str = '') -> bool:
        """Return whether an area receives a sample; `ap`: access point of a range."""
        return (not self.phones or phone in self.phones) and ap.lower() not in self.other_aps


def sample_filter(
    settings: Any, area: AreaSettings, others: Sequence[AreaSettings],
) -> SampleFilter:
    """Return the filter of an area with these settings of its source beside other areas.

    A range to an access point that no area lists passes: each synchronizer counts and names it.
    """
    own = {address.lower() for address in area.ap_addresses}
    listed = {address.lower() for other in others for address in other.ap_addresses}
    return SampleFilter(frozenset(getattr(settings, 'phones', ())), frozenset(listed - own))


def check_shared_ranges(areas: Sequence[AreaSettings]) -> None:
    """Raise SettingsError for an area that would take ranges of other areas for its own."""
    nameless = next((area.area for area in areas if not area.ap_addresses), None)
    if nameless is not None and len(areas) > 1:
        raise SettingsError(f'{nameless} does not name its access points: list them with their '
                            'addresses in access_points, since each range goes to the area of its '
                            'access point')


def merge_settings(settings: Mapping[str, Any]) -> Any:
    """Return the settings of one source for all areas, from those of one class by area.

    Lists of phones are joined, everything else must be equal. Raises SettingsError.
    """
    (first, merged), *others = settings.items()
    for area, other in others:
        merged = _join(first, merged, area, other)
        first = f'{first}, {area}'
    return merged


def _join(area: str, settings: Any, other_area: str, other: Any) -> Any:
    """Join the settings of an area with those of another one."""
    names = {item.name for item in fields(settings)}
    lists = set(PHONE_LISTS) if {'devices', 'phones'} <= names else set()
    for name in sorted(names - lists):
        value, its = getattr(settings, name), getattr(other, name)
        if value != its:
            raise SettingsError(f'{name} is {value!r} in {area} and {its!r} in {other_area}')
    if not lists:
        return settings
    return replace(settings, **_join_phones(area, settings, other_area, other))


def _join_phones(
    area: str, settings: Any, other_area: str, other: Any,
) -> dict[str, tuple[str, ...]]:
    names = dict(zip(settings.devices, settings.phones, strict=True))
    its = dict(zip(other.devices, other.phones, strict=True))
    if bool(names) is not bool(its):
        listing, silent = (area, other_area) if names else (other_area, area)
        raise SettingsError(f'devices are listed in {listing} and not in {silent}: list them in '
                            'all areas, or in none')
    for device in names.keys() & its.keys():
        if names[device] != its[device]:
            raise SettingsError(f'device {device!r} is {names[device]!r} in {area} and '
                                f'{its[device]!r} in {other_area}')
    joined = {'devices': tuple({**names, **its}), 'phones': tuple({**names, **its}.values())}
    if not hasattr(settings, 'inverted'):
        return joined
    common = set(names.values()) & set(its.values())
    differing = sorted(set(settings.inverted) ^ set(other.inverted))
    for phone in differing:
        if not names or phone in common:
            raise SettingsError(f'{phone!r} is inverted in one of {area} and {other_area} only')
    return joined | {'inverted': tuple(dict.fromkeys((*settings.inverted, *other.inverted)))}
