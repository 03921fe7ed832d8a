"""Ranges at known distances, from tables that people write."""

import csv
import math
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from utt_ros.drivers.ftm.ftm_calibration import MAX_FILE_BYTES, Point, read_yaml, rows_of
from utt_ros.drivers.phone_registry import is_mac, is_plausible
from utt_ros.errors import MeasurementError, SettingsError
from utt_ros.sensor_limits import RANGE_LIMITS_M, is_name

Rows = list[tuple[str, Mapping[str, Any]]]
COLUMNS = ('phone', 'ap', 'distance_m', 'range_m')


def read_points(path: Path) -> list[Point]:
    """Points of a CSV file, or of a YAML file with a list named `points`.

    Columns are phone, ap (may be left out), distance_m and range_m. Raises SettingsError for a
    file that cannot be read and MeasurementError, with the place, for a row that cannot be true.
    """
    if path.suffix.lower() == '.csv':
        rows = _read_csv(path)
    else:
        rows = [(f'point {number}', row) for number, row in enumerate(
            rows_of(read_yaml(path), 'points', path), 1)]
    return [_point(row, f'{path}: {place}') for place, row in rows]


def _read_csv(path: Path) -> Rows:
    try:
        with path.open('rb') as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise SettingsError(
                f'{path} is longer than {MAX_FILE_BYTES} bytes: split it, several may be given')
        text = data.decode('utf-8-sig')
        reader = csv.DictReader(StringIO(text), skipinitialspace=True)
        rows: Rows = [(f'line {reader.line_num}', row) for row in reader]
        names: Sequence[str] = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise SettingsError(f'{path}: {err}') from err
    if set(COLUMNS) - {'ap'} - set(names) or set(names) - set(COLUMNS):
        raise SettingsError(
            f'{path}: columns are {", ".join(map(str, names)) or "none"}: {", ".join(COLUMNS)} '
            'are expected; ap may be left out')
    return rows


def _point(row: Mapping[str, Any], place: str) -> Point:
    phone, ap = str(row.get('phone', '')), str(row.get('ap') or '').lower()
    if not is_name(phone):
        raise MeasurementError(f'{place}: phone is {phone!r}: letters, digits and underscores')
    if ap and not is_mac(ap):
        raise MeasurementError(f'{place}: ap is {ap!r}: like 02:00:00:00:00:01, or empty')
    try:
        distance_m, range_m = (float(row[name]) for name in COLUMNS[2:])
    except (TypeError, ValueError, KeyError) as err:
        raise MeasurementError(f'{place}: distance_m and range_m must be numbers: {err}') from err
    if not 0.0 <= distance_m <= RANGE_LIMITS_M[1] or not is_plausible(range_m, math.nan):
        raise MeasurementError(
            f'{place}: distance {distance_m:g} m outside 0..{RANGE_LIMITS_M[1]:g} or range {range_m:g} m '
            f'outside {RANGE_LIMITS_M[0]:g}..{RANGE_LIMITS_M[1]:g}')
    return Point(phone, ap, distance_m, range_m)
