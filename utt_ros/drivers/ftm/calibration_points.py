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

"""Reader of calibration points: ranges at known distances, from CSV or YAML tables."""

import csv
import math
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from utt_ros.drivers.ftm.ftm_calibration import (
    MAX_CALIBRATION_BYTES,
    CalibrationPoint,
    read_yaml,
    yaml_rows,
)
from utt_ros.drivers.phone_registry import is_mac, is_plausible_range
from utt_ros.errors import DocumentError, MeasurementError, SettingsError
from utt_ros.files import read_limited
from utt_ros.sensor_limits import RANGE_LIMITS_M, is_name

Rows = list[tuple[str, Mapping[str, Any]]]  # place in the file, fields
POINT_COLUMNS = ('phone', 'ap', 'distance_m', 'range_m')


def read_calibration_points(path: Path) -> list[CalibrationPoint]:
    """Read points of a CSV file, or of a YAML file with a list named `points`.

    Columns are phone, ap (optional), distance_m and range_m. Raises SettingsError for a file that
    cannot be read and MeasurementError, with the place, for a row outside the limits.
    """
    if path.suffix.lower() == '.csv':
        rows = _read_csv(path)
    else:
        rows = [(f'point {number}', row) for number, row in enumerate(
            yaml_rows(read_yaml(path), 'points', path), 1)]
    return [_point(row, f'{path}: {place}') for place, row in rows]


def _read_csv(path: Path) -> Rows:
    try:
        text = read_limited(path, MAX_CALIBRATION_BYTES).decode('utf-8-sig')
        reader = csv.DictReader(StringIO(text), skipinitialspace=True)
        rows: Rows = [(f'line {reader.line_num}', row) for row in reader]
        names: Sequence[str] = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, DocumentError, csv.Error) as err:
        raise SettingsError(f'{path}: {err}') from err
    if set(POINT_COLUMNS) - {'ap'} - set(names) or set(names) - set(POINT_COLUMNS):
        raise SettingsError(
            f'{path}: columns are {", ".join(map(str, names)) or "none"}: '
            f'{", ".join(POINT_COLUMNS)} are expected; ap is optional')
    return rows


def _point(row: Mapping[str, Any], place: str) -> CalibrationPoint:
    phone, ap = str(row.get('phone', '')), str(row.get('ap') or '').lower()
    if not is_name(phone):
        raise MeasurementError(f'{place}: phone is {phone!r}: letters, digits and underscores')
    if ap and not is_mac(ap):
        raise MeasurementError(f'{place}: ap is {ap!r}: like 02:00:00:00:00:01, or empty')
    try:
        distance_m, range_m = (float(row[name]) for name in POINT_COLUMNS[2:])
    except (TypeError, ValueError, KeyError, OverflowError) as err:
        raise MeasurementError(f'{place}: distance_m and range_m must be numbers: {err}') from err
    if not 0.0 <= distance_m <= RANGE_LIMITS_M[1] or not is_plausible_range(range_m, math.nan):
        raise MeasurementError(
            f'{place}: distance {distance_m:g} m outside 0..{RANGE_LIMITS_M[1]:g} or range '
            f'{range_m:g} m outside {RANGE_LIMITS_M[0]:g}..{RANGE_LIMITS_M[1]:g}')
    return CalibrationPoint(phone, ap, distance_m, range_m)
