"""What apps send -> readings. Pure functions; what cannot be understood is a MeasurementError."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from utt_ros.drivers.imu.readings import TESLA, Reading, reading
from utt_ros.errors import MeasurementError
from utt_ros.types import NS_PER_MS

MAX_READINGS = 50_000  # of one body
Sensor = tuple[str, float]  # kind, and what makes SI units

SENSOR_LOGGER: Mapping[str, Sensor] = {
    'accelerometer': ('accel', 1.0), 'gravity': ('gravity', 1.0), 'gyroscope': ('gyro', 1.0),
    'magnetometer': ('mag', TESLA)}
ANDROID: Mapping[str, Sensor] = {
    'android.sensor.accelerometer': ('accel', 1.0), 'android.sensor.gyroscope': ('gyro', 1.0),
    'android.sensor.magnetic_field': ('mag', TESLA)}
SENSOR_STREAMER: Mapping[str, Sensor] = {
    'accelerometer': ('accel', 1.0), 'gyroscope': ('gyro', 1.0), 'magneticField': ('mag', TESLA)}
HYPER_IMU: Mapping[str, Sensor] = {
    'accel': ('accel', 1.0), 'gyro': ('gyro', 1.0), 'mag': ('mag', TESLA)}
HYPER_IMU_OTHERS = {'time': 1, 'skip': 1, 'skip3': 3}  # values of other columns


class Body(NamedTuple):
    """What a push of Sensor Logger holds."""

    device: str
    readings: list[Reading]
    bad: int  # entries of our sensors that could not be understood


def sensor_logger(body: bytes) -> Body:
    """A push of Sensor Logger: accel without gravity, gravity apart, stamps in ns since the epoch.

    Other sensors are left out. Raises MeasurementError when it is no such push.
    """
    message = _object(body)
    device, payload = message.get('deviceId'), message.get('payload')
    if not isinstance(device, str) or not isinstance(payload, list):
        raise MeasurementError('no deviceId and payload of Sensor Logger')
    if len(payload) > MAX_READINGS:
        raise MeasurementError(f'{len(payload)} readings in one body: {MAX_READINGS} at most')
    readings, bad = [], 0
    for entry in payload:
        try:
            readings += _logged(entry)
        except MeasurementError:  # noqa: PERF203  one bad entry must not cost the others
            bad += 1
    return Body(device, readings, bad)


def _logged(entry: Any) -> list[Reading]:
    if not isinstance(entry, dict):
        raise MeasurementError(f'{type(entry).__name__} where a reading is expected')
    name = entry.get('name')
    sensor = SENSOR_LOGGER.get(name) if isinstance(name, str) else None
    if sensor is None:
        return []
    return [reading(sensor[0], entry.get('time'), _xyz(entry.get('values')), sensor[1])]


def sensor_server(message: str | bytes) -> Reading | None:
    """A message of SensorServer's /sensors/connect, stamps in ns since boot; None: not our sensor.

    Raises MeasurementError.
    """
    found = _object(message)
    name = found.get('type')
    if not isinstance(name, str):
        raise MeasurementError('no type of a sensor: connect to /sensors/connect')
    if name not in ANDROID:
        return None
    kind, scale = ANDROID[name]
    return reading(kind, found.get('timestamp'), found.get('values'), scale)


def sensor_streamer(line: bytes) -> list[Reading]:
    """A packet of SensorStreamer; values as a list `value` or as x, y and z, as releases differ.

    Raises MeasurementError.
    """
    readings = []
    for name, found in _object(line).items():
        if name in SENSOR_STREAMER:
            if not isinstance(found, dict):
                raise MeasurementError(f'{name} is {type(found).__name__}: an object expected')
            kind, scale = SENSOR_STREAMER[name]
            values = found['value'] if 'value' in found else _xyz(found)
            readings.append(reading(kind, found.get('timestamp'), values, scale))
    return readings


def hyper_imu(line: bytes, columns: Sequence[str], arrival_ns: int) -> list[Reading]:
    """A packet of HyperIMU: numbers between commas, in the order of `columns`.

    A sensor has three numbers, `time` [ms since the epoch] and `skip` one, `skip3` three. Without
    a column `time` the stamp is the arrival. Raises MeasurementError.
    """
    cells = line.decode('ascii', 'replace').strip().rstrip(',').split(',', width(columns) + 1)
    if len(cells) != width(columns):
        raise MeasurementError(
            f'{len(cells)} numbers in a packet: {width(columns)} expected for {list(columns)}')
    stamp_ns, place, found = arrival_ns, 0, []
    for column in columns:
        if column == 'time':
            stamp_ns = _milliseconds(cells[place]) * NS_PER_MS
        elif column in HYPER_IMU:
            found.append((column, [_decimal(cell) for cell in cells[place:place + 3]]))
        place += HYPER_IMU_OTHERS.get(column, 3)
    return [reading(HYPER_IMU[column][0], stamp_ns, values, HYPER_IMU[column][1])
            for column, values in found]


def width(columns: Sequence[str]) -> int:
    """How many numbers a packet with these columns has."""
    return sum(HYPER_IMU_OTHERS.get(column, 3) for column in columns)


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise MeasurementError(f'no JSON: {err}') from err
    if not isinstance(found, dict):
        raise MeasurementError(f'{type(found).__name__} where a JSON object is expected')
    return found


def _xyz(found: Any) -> list[Any]:
    if not isinstance(found, dict):
        raise MeasurementError(f'{type(found).__name__} where x, y and z are expected')
    return [found.get(axis) for axis in 'xyz']


def _milliseconds(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise MeasurementError(f'time {text[:40]!r}: milliseconds since the epoch expected')
    return int(text)


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError as err:
        raise MeasurementError(f'{text[:40]!r} is no number') from err
