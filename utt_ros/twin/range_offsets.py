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

"""Offsets of ranges by access point, and by phone, as surveys and running twins keep them.

    access_points:
    - {ap: '02:00:00:00:00:01', position: [0.0, 0.0, 2.5], offset: -0.9, slope: 0.15,
       offset_error: 0.1, slope_error: 0.01, correlation: -0.9}
    phones:
    - {phone: anna, ap: '', offset: 0.2, error: 0.1}

A range is offset plus (1 + slope) times distance, plus the offset of the phone; an empty `ap`
stands for all that have no row of their own. Lengths are in metres.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml

from utt_ros.errors import DocumentError, SettingsError
from utt_ros.files import read_limited, write_atomically
from utt_ros.parameter_yaml import load_yaml
from utt_ros.settings import AreaSettings, check, from_mapping, setting
from utt_ros.types import Array

MAX_OFFSETS_BYTES = 1 << 20
MAX_PHONE_ROWS = 4096
MAX_MOVED_M = 0.05  # of an access point whose offsets are still its own
_Row = TypeVar('_Row')


@dataclass(frozen=True, slots=True)
class ApOffset:
    """Trend of the ranges to one access point; a row of the file."""

    ap: str = setting('', 'address of the access point; empty when unknown')
    position: tuple[float, ...] = setting(
        (0.0, 0.0, 0.0), 'where it was [m]', low=-1e4, high=1e4)
    offset: float = setting(0.0, 'range at distance 0 [m]', low=-50.0, high=50.0)
    slope: float = setting(0.0, 'excess of ranges per metre', low=-0.5, high=1.0)
    offset_error: float = setting(0.5, 'standard error of the offset [m]', low=1e-3, high=50.0)
    slope_error: float = setting(0.05, 'standard error of the slope', low=1e-4, high=1.0)
    correlation: float = setting(0.0, 'of both errors', low=-0.999, high=0.999)

    def __post_init__(self) -> None:
        check(self)
        if len(self.position) != 3:
            raise SettingsError(f'position has {len(self.position)} numbers: it must have 3')

    @property
    def trend(self) -> Array:
        """Offset and slope (2,)."""
        return np.array([self.offset, self.slope])

    @property
    def covariance(self) -> Array:
        """Covariance (2, 2) of offset and slope."""
        errors = np.array([self.offset_error, self.slope_error])
        correlations = [[1.0, self.correlation], [self.correlation, 1.0]]
        return np.asarray(np.outer(errors, errors) * correlations)


@dataclass(frozen=True, slots=True)
class PhoneOffset:
    """Offset of a phone from the trend of an access point; a row of the file."""

    phone: str = setting('', 'name of the phone')
    ap: str = setting('', 'address of the access point; empty: all without a row of their own')
    offset: float = setting(0.0, 'from the trend [m]', low=-50.0, high=50.0)
    error: float = setting(0.3, 'standard error of the offset [m]', low=1e-3, high=50.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class RangeOffsets:
    """Rows of access points and phones."""

    access_points: tuple[ApOffset, ...] = ()
    phones: tuple[PhoneOffset, ...] = ()
    source: str = ''  # SHA-256 of the survey that a running twin began with
    _by_pair: dict[tuple[str, str], PhoneOffset] = field(
        default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_pair.update({(row.phone, row.ap.lower()): row for row in self.phones})

    def of_access_point(self, area: AreaSettings, number: int) -> ApOffset | None:
        """Return the row of an access point of an area; None when it was elsewhere."""
        address = area.ap_addresses[number].lower() if area.ap_addresses else ''
        position = np.asarray(area.ap_positions[number])
        for row in self.access_points:
            if address in ('', row.ap.lower()) and np.abs(
                    position - row.position).max() <= MAX_MOVED_M:
                return row
        return None

    def of_phone(self, phone: str, address: str) -> PhoneOffset | None:
        """Return the row of a phone and an access point; None without."""
        own = self._by_pair.get((phone, address.lower()))
        return own or self._by_pair.get((phone, ''))


def read_range_offsets(path: Path) -> RangeOffsets:
    """Read a file of offsets. Raises SettingsError."""
    try:
        return parse_range_offsets(read_limited(path, MAX_OFFSETS_BYTES))
    except (OSError, DocumentError, SettingsError, TypeError) as err:
        raise SettingsError(f'{path}: {err}') from err


def parse_range_offsets(content: bytes) -> RangeOffsets:
    """Parse a file of offsets. Raises DocumentError or SettingsError."""
    document = load_yaml(content)
    if not isinstance(document, dict):
        raise SettingsError('lists "access_points" and "phones" are expected')
    source = document.get('source', '')
    if not isinstance(source, str):
        raise SettingsError(f'source is {source!r:.80}: it must be a text')
    return RangeOffsets(
        _rows(document, 'access_points', ApOffset), _rows(document, 'phones', PhoneOffset), source)


def write_range_offsets(path: Path, offsets: RangeOffsets) -> None:
    """Replace a file of offsets. Raises OSError."""
    write_atomically(path, dump_range_offsets(offsets))


def dump_range_offsets(offsets: RangeOffsets) -> bytes:
    """Return the content of a file of offsets."""
    document: dict[str, Any] = {
        name: [_plain(row) for row in getattr(offsets, name)]
        for name in ('access_points', 'phones')}
    if offsets.source:
        document['source'] = offsets.source
    return yaml.safe_dump(
        document, sort_keys=False, allow_unicode=True, default_flow_style=None).encode()


def _plain(row: ApOffset | PhoneOffset) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(row).items()}


def _rows(document: Mapping[Any, Any], name: str, cls: type[_Row]) -> tuple[_Row, ...]:
    rows = document.get(name, [])
    known = {item.name for item in fields(cls)}  # type: ignore[arg-type]
    if not isinstance(rows, list) or not all(
            isinstance(row, dict) and set(row) <= known for row in rows):
        raise SettingsError(f'{name}: a list of rows with {", ".join(sorted(known))} is expected')
    if len(rows) > MAX_PHONE_ROWS:
        raise SettingsError(f'{name} has {len(rows)} rows: at most {MAX_PHONE_ROWS}')
    return tuple(from_mapping(cls, row) for row in rows)
