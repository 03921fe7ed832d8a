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

"""Buffers of an experiment of phyphox: requests for their new values, and readings in answers.

An experiment stores each sensor in buffers of any name, one per axis and one of times [s] since
its start; `/config` lists them by sensor. `/get?t=12.5&x=12.5|t` returns the values of both where
`t` exceeds 12.5, and `/get?t` the newest one. Numbers have eight significant digits.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from utt_ros.documents import load_json
from utt_ros.drivers.imu.readings import TESLA, Reading, make_reading, refusal_key
from utt_ros.errors import DocumentError, MeasurementError, SourceError
from utt_ros.types import NS_PER_S

MAX_BUFFER_VALUES = 100_000  # of one sensor in an answer
MAX_NAME_LENGTH = 100
MAX_TIME_S = 1e9
COMPONENTS = ('t', 'x', 'y', 'z')
SENSORS: Mapping[str, tuple[str, float]] = {  # kind, SI units per unit of the app
    'accelerometer': ('force', 1.0), 'linear_acceleration': ('accel', 1.0),
    'gravity': ('gravity', 1.0), 'gyroscope': ('gyro', 1.0), 'magnetic_field': ('mag', TESLA)}
REMEDY = ("add one in the app with + and 'Add simple experiment', of accelerometer, gyroscope and "
          'magnetometer')


@dataclass(frozen=True, slots=True)
class SensorBuffers:
    """Names of the buffers of a sensor."""

    kind: str  # of its readings
    scale: float  # to SI units
    names: tuple[str, ...]  # of COMPONENTS


@dataclass(frozen=True, slots=True)
class PhyphoxAnswer:
    """Contents of an answer to `/get`."""

    readings: list[Reading]
    refused: Counter[str]  # rows by key
    newest_s: dict[str, float]  # by buffer of times; without those that have no new value
    is_measuring: bool


def parse_experiment(text: bytes) -> list[SensorBuffers]:
    """Return the sensors of an answer to `/config`, one per kind.

    Raises SourceError when acceleration or rotation, or their times, are not among them.
    """
    inputs = _object(text).get('inputs')
    sensors: dict[str, SensorBuffers] = {}
    for item in inputs if isinstance(inputs, list) else []:
        known = SENSORS.get(item.get('source', '')) if isinstance(item, dict) else None
        names = _component_names(item.get('outputs')) if known else ()
        if known and names:
            sensors.setdefault(known[0], SensorBuffers(*known, names))
    kinds = set(sensors)
    if 'gyro' not in kinds or not ('force' in kinds or {'accel', 'gravity'} <= kinds):
        found = ', '.join(sorted(kinds)) or 'no sensor'
        raise SourceError('acceleration and rotation are needed, but its experiment has '
                          f'{found} with axes and times: {REMEDY}')
    return list(sensors.values())


def newest_query(sensors: Sequence[SensorBuffers]) -> str:
    """Return the path that requests the newest time of each sensor."""
    return '/get?' + '&'.join(sorted({urlencode({sensor.names[0]: ''}).rstrip('=')
                                      for sensor in sensors}))


def values_query(sensors: Sequence[SensorBuffers], newest_s: Mapping[str, float]) -> str:
    """Return the path that requests values after the newest time of each sensor."""
    items = {}
    for times, *axes in (sensor.names for sensor in sensors):
        # never negative: the app takes the logarithm of it
        after = repr(max(0.0, newest_s.get(times, 0.0)))
        items.update({times: after, **dict.fromkeys(axes, f'{after}|{times}')})
    return f'/get?{urlencode(items)}'


def parse_newest(text: bytes, sensors: Sequence[SensorBuffers]) -> dict[str, float]:
    """Return the newest time [s] of each buffer of times; 0 for an empty one."""
    buffers = _buffers(_object(text))
    newest_s = {}
    for sensor in sensors:
        values = _values(buffers, sensor.names[0])
        newest_s[sensor.names[0]] = _seconds(values[-1]) if values else 0.0
    return newest_s


def parse_values(text: bytes, sensors: Sequence[SensorBuffers]) -> PhyphoxAnswer:
    """Parse the answer to `values_query`. Raises MeasurementError for another one.

    A row that has no number for an axis is counted.
    """
    document = _object(text)
    buffers = _buffers(document)
    readings, refused, newest_s = [], Counter[str](), {}
    for sensor in sensors:
        columns = [_values(buffers, name) for name in sensor.names]
        if len({len(column) for column in columns}) > 1:
            raise MeasurementError(f'buffers of {sensor.kind} have '
                                   f'{", ".join(str(len(column)) for column in columns)} values')
        if columns[0]:
            newest_s[sensor.names[0]] = max(map(_seconds, columns[0]))
        for seconds, *axes in zip(*columns, strict=True):
            try:
                readings.append(make_reading(
                    sensor.kind, round(_seconds(seconds) * NS_PER_S), axes, sensor.scale))
            except MeasurementError as err:  # noqa: PERF203  the other rows are kept
                refused[refusal_key(err)] += 1
    status = document.get('status')
    is_measuring = isinstance(status, dict) and status.get('measuring') is True
    return PhyphoxAnswer(readings, refused, newest_s, is_measuring)


def _component_names(outputs: Any) -> tuple[str, ...]:
    """Return the buffers of COMPONENTS; empty when one is missing."""
    listed = outputs if isinstance(outputs, list) else []
    names = {key: name for item in listed if isinstance(item, dict) for key, name in item.items()}
    found = tuple(names.get(key) for key in COMPONENTS)
    usable = all(isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH for name in found)
    return tuple(str(name) for name in found) if usable else ()


def _object(text: bytes) -> dict[str, Any]:
    try:
        document = load_json(text)
    except DocumentError as err:
        raise MeasurementError(str(err)) from err
    if not isinstance(document, dict):
        raise MeasurementError(f'{type(document).__name__} where an object is expected')
    return document


def _buffers(document: dict[str, Any]) -> dict[str, Any]:
    buffers = document.get('buffer')
    if not isinstance(buffers, dict):
        raise MeasurementError('no buffers of phyphox in the answer')
    return buffers


def _values(buffers: dict[str, Any], name: str) -> list[Any]:
    buffer = buffers.get(name)
    values = buffer.get('buffer') if isinstance(buffer, dict) else None
    if not isinstance(values, list):
        raise MeasurementError(f'no buffer {name[:40]}: another experiment was opened')
    if len(values) > MAX_BUFFER_VALUES:
        raise MeasurementError(f'{len(values)} values of {name[:40]}: {MAX_BUFFER_VALUES} at most')
    return values


def _seconds(value: Any) -> float:
    """Return a time [s]; 0, which no reading has, for anything else."""
    is_time = type(value) in (int, float) and 0 <= value < MAX_TIME_S
    return float(value) if is_time else 0.0
