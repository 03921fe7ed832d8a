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

"""Parsers of the messages of IMU apps. Pure functions that raise MeasurementError."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from utt_ros.documents import load_json
from utt_ros.drivers.clock_sync import parse_stamp
from utt_ros.drivers.imu.readings import TESLA, Reading, make_reading, refusal_key
from utt_ros.errors import DocumentError, MeasurementError
from utt_ros.types import NS_PER_MS

MAX_READINGS = 50_000  # of one body
SensorKind = tuple[str, float]  # kind, SI units per unit of the app

SENSOR_LOGGER: Mapping[str, SensorKind] = {
    'accelerometer': ('accel', 1.0), 'gravity': ('gravity', 1.0), 'gyroscope': ('gyro', 1.0),
    'magnetometer': ('mag', TESLA), 'totalacceleration': ('force', 1.0),
    'accelerometeruncalibrated': ('raw_force', 1.0), 'gyroscopeuncalibrated': ('raw_gyro', 1.0),
    'magnetometeruncalibrated': ('raw_mag', TESLA)}
ANDROID: Mapping[str, SensorKind] = {
    'android.sensor.accelerometer': ('accel', 1.0), 'android.sensor.gyroscope': ('gyro', 1.0),
    'android.sensor.magnetic_field': ('mag', TESLA)}
SENSOR_STREAMER: Mapping[str, SensorKind] = {
    'accelerometer': ('accel', 1.0), 'gyroscope': ('gyro', 1.0), 'magneticField': ('mag', TESLA)}
HYPER_IMU: Mapping[str, SensorKind] = {
    'accel': ('accel', 1.0), 'gyro': ('gyro', 1.0), 'mag': ('mag', TESLA)}
HYPER_IMU_OTHERS = {'time': 1, 'skip': 1, 'skip3': 3}  # number of values of other columns


class SensorLoggerPush(NamedTuple):
    """Push of Sensor Logger."""

    device: str
    readings: list[Reading]
    refused: Counter[str]  # entries by key


def parse_sensor_logger(body: bytes) -> SensorLoggerPush:
    """Parse a push of Sensor Logger: accel without gravity, gravity, stamps in ns since the epoch.

    Other sensors are left out, and counted in a push of nothing else. Names of sensors are in any
    case. Raises MeasurementError when it is not a push.
    """
    message = _object(body)
    device, payload = message.get('deviceId'), message.get('payload')
    if not isinstance(device, str) or not isinstance(payload, list):
        raise MeasurementError('no deviceId and payload of Sensor Logger')
    if len(payload) > MAX_READINGS:
        raise MeasurementError(f'{len(payload)} readings in one body: {MAX_READINGS} at most')
    readings, refused = [], Counter[str]()
    for entry in payload:
        try:
            readings += _logged(entry)
        except MeasurementError as err:  # noqa: PERF203  the other entries are kept
            refused[refusal_key(err)] += 1
    if payload and not readings and not refused:
        refused['other_sensor'] = len(payload)
    return SensorLoggerPush(device, readings, refused)


def _logged(entry: Any) -> list[Reading]:
    if not isinstance(entry, dict):
        raise MeasurementError(f'{type(entry).__name__} where a reading is expected')
    name = entry.get('name')
    sensor = SENSOR_LOGGER.get(name.lower()) if isinstance(name, str) else None
    if sensor is None:
        return []
    return [make_reading(sensor[0], entry.get('time'), _xyz(entry.get('values')), sensor[1])]


def parse_sensor_server(message: str | bytes) -> Reading | None:
    """Parse a message of SensorServer's /sensors/connect, stamps in ns since boot.

    Return None for another sensor. Raises MeasurementError.
    """
    fields = _object(message)
    name = fields.get('type')
    if not isinstance(name, str):
        raise MeasurementError('no type of a sensor: connect to /sensors/connect')
    if name not in ANDROID:
        return None
    kind, scale = ANDROID[name]
    return make_reading(kind, fields.get('timestamp'), fields.get('values'), scale)


def parse_sensor_streamer(line: bytes) -> list[Reading]:
    """Parse a packet of SensorStreamer; releases send a list `value`, or x, y and z.

    Raises MeasurementError.
    """
    readings = []
    for name, fields in _object(line).items():
        if name in SENSOR_STREAMER:
            if not isinstance(fields, dict):
                raise MeasurementError(f'{name} is {type(fields).__name__}: an object expected')
            kind, scale = SENSOR_STREAMER[name]
            values = fields['value'] if 'value' in fields else _xyz(fields)
            readings.append(make_reading(kind, fields.get('timestamp'), values, scale))
    return readings


def parse_hyper_imu(line: bytes, columns: Sequence[str], arrival_ns: int) -> list[Reading]:
    """Parse a packet of HyperIMU: comma-separated numbers in the order of `columns`.

    A sensor has three numbers, `time` [ms since the epoch] and `skip` one, `skip3` three. Without
    a column `time` the stamp is the arrival. Raises MeasurementError.
    """
    width = packet_width(columns)
    cells = line.decode('ascii', 'replace').strip().rstrip(',').split(',', width + 1)
    if len(cells) != width:
        raise MeasurementError(
            f'{len(cells)} numbers in a packet: {width} expected for {list(columns)}')
    stamp_ns, index, vectors = arrival_ns, 0, []
    for column in columns:
        if column == 'time':
            stamp_ns = _milliseconds(cells[index])
        elif column in HYPER_IMU:
            vectors.append((column, [_decimal(cell) for cell in cells[index:index + 3]]))
        index += HYPER_IMU_OTHERS.get(column, 3)
    return [make_reading(HYPER_IMU[column][0], stamp_ns, values, HYPER_IMU[column][1])
            for column, values in vectors]


def packet_width(columns: Sequence[str]) -> int:
    """Return the number of values in a packet with these columns."""
    return sum(HYPER_IMU_OTHERS.get(column, 3) for column in columns)


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        document = load_json(text)
    except DocumentError as err:
        raise MeasurementError(str(err)) from err
    if not isinstance(document, dict):
        raise MeasurementError(f'{type(document).__name__} where a JSON object is expected')
    return document


def _xyz(fields: Any) -> list[Any]:
    if not isinstance(fields, dict):
        raise MeasurementError(f'{type(fields).__name__} where x, y and z are expected')
    return [fields.get(axis) for axis in 'xyz']


def _milliseconds(text: str) -> int:
    """Return nanoseconds."""
    stamp_ns = parse_stamp(text, NS_PER_MS)
    if stamp_ns is None:
        raise MeasurementError(f'time {text[:40]!r}: milliseconds since the epoch expected')
    return stamp_ns


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError as err:
        raise MeasurementError(f'{text[:40]!r} is not a number') from err
