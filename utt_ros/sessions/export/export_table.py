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

"""A table of an export: its topics, columns with units, and the conversion of messages."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Cells = npt.NDArray[Any]
TableRows = Mapping[str, Cells]  # columns of equal length, by name


class Column(NamedTuple):
    """A column; NaN in a float64 column is exported as an empty value."""

    name: str
    kind: str  # int64, float64, bool or str
    text: str  # meaning and unit


@dataclass(frozen=True, slots=True)
class ExportTable:
    """A table, and the topics whose messages are its rows."""

    name: str
    type: str  # of the messages
    topic: re.Pattern[str]  # with the group `area`, and `owner` where there is one
    owner: str  # column of the group `owner`; empty: none
    own_columns: tuple[Column, ...]
    read: Callable[[Sequence[bytes]], dict[str, Any]]  # own columns and stamp_ns of messages
    frame: str = ''  # of positions: area or map
    is_default: bool = True

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns in their order."""
        owner = (Column(self.owner, 'str', OWNERS[self.owner]),) if self.owner else ()
        places = () if not self.frame else GEOGRAPHIC if self.frame == 'map' else (
            *MAPPED, *GEOGRAPHIC)
        return (*LEADING, *owner, *self.own_columns, *places)

    def rows(self, messages: Sequence[bytes], names: Mapping[str, str]) -> dict[str, Cells]:
        """Convert messages of one topic; `names` gives recording, area and owner."""
        read = {name: np.asarray(cells) for name, cells in self.read(messages).items()}
        count = len(read['stamp_ns'])
        fixed = {name: np.full(count, text) for name, text in names.items()}
        return {**fixed, **read, 'time': iso_times(read['stamp_ns'])}


OWNERS = {'subject': 'person, named after the phone', 'phone': 'name of the phone'}
LEADING = (
    Column('stamp_ns', 'int64', 'time of the measurement or estimate, since 1970 UTC [ns]'),
    Column('time', 'str', 'the same, ISO 8601, UTC'),
    Column('recording', 'str', 'bag below the exported folder'),
    Column('area', 'str', 'area of the topic; of people the surest one'))
MAPPED = (
    Column('map_x_m', 'float64', 'position in the frame map; empty without map_pose [m]'),
    Column('map_y_m', 'float64', 'position in the frame map [m]'))
GEOGRAPHIC = (
    Column('latitude_deg', 'float64', 'WGS84; empty without map_origin [deg]'),
    Column('longitude_deg', 'float64', 'WGS84 [deg]'))
POSITION = (
    Column('x_m', 'float64', 'position in the frame of the area, ahead of its origin [m]'),
    Column('y_m', 'float64', 'position in the frame of the area, to the left [m]'))
COVARIANCE = (
    Column('var_x_m2', 'float64', 'variance of x, in the frame of the estimate [m^2]'),
    Column('cov_xy_m2', 'float64', 'covariance of x and y [m^2]'),
    Column('var_y_m2', 'float64', 'variance of y [m^2]'))


def float_columns(*columns: tuple[str, str]) -> tuple[Column, ...]:
    """Return columns of numbers from names and meanings."""
    return tuple(Column(name, 'float64', text) for name, text in columns)


def iso_times(stamps_ns: Cells) -> Cells:
    """Format stamps [ns] as ISO 8601 in UTC."""
    return np.datetime_as_string(
        np.asarray(stamps_ns, np.int64).view('datetime64[ns]'), unit='ns', timezone='UTC')
