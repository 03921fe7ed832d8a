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

"""Reader of floor points: pixels of places on the floor, from CSV or YAML tables."""

import csv
import math
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.drivers.ftm.ftm_calibration import MAX_CALIBRATION_BYTES, read_yaml, yaml_rows
from utt_ros.errors import DocumentError, MeasurementError, SettingsError
from utt_ros.files import read_limited
from utt_ros.types import Array

FLOOR_COLUMNS = ('u', 'v', 'x', 'y')


def read_floor_points(path: Path) -> tuple[Array, Array]:
    """Read pixels u, v (N, 2) and places x, y (N, 2) [m], area frame, of points on the floor.

    A CSV file with these columns, or a YAML file with a list named `points`. Raises SettingsError
    for a file that cannot be read and MeasurementError, with the place, for a row of other form.
    """
    if path.suffix.lower() == '.csv':
        rows = _read_floor_csv(path)
    else:
        rows = {f'point {number}': row for number, row in enumerate(
            yaml_rows(read_yaml(path), 'points', path), 1)}
    values = np.array([_numbers(row, f'{path}: {place}') for place, row in rows.items()])
    values = values.reshape(-1, len(FLOOR_COLUMNS))
    return values[:, :2], values[:, 2:]


def _read_floor_csv(path: Path) -> dict[str, Mapping[str, Any]]:
    try:
        text = read_limited(path, MAX_CALIBRATION_BYTES).decode('utf-8-sig')
        reader = csv.DictReader(StringIO(text), skipinitialspace=True)
        rows: dict[str, Mapping[str, Any]] = {f'line {reader.line_num}': row for row in reader}
        names = tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, DocumentError, csv.Error) as err:
        raise SettingsError(f'{path}: {err}') from err
    if set(names) != set(FLOOR_COLUMNS):
        raise SettingsError(f'{path}: columns are {", ".join(map(str, names)) or "none"}: '
                            f'{", ".join(FLOOR_COLUMNS)} are expected')
    return rows


def _numbers(row: Mapping[str, Any], place: str) -> list[float]:
    try:
        numbers = [float(row[name]) for name in FLOOR_COLUMNS]
    except (TypeError, ValueError, KeyError, OverflowError) as err:
        raise MeasurementError(
            f'{place}: {", ".join(FLOOR_COLUMNS)} must be numbers: {err}') from err
    if not all(math.isfinite(number) for number in numbers):
        raise MeasurementError(f'{place}: {numbers} must be finite')
    return numbers
