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

"""IMU source: sensors of this machine, by Linux's industrial I/O. See docs/sources/iio.md."""

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import EAGAIN, EBUSY, EIO, ETIMEDOUT
from itertools import product
from math import isfinite
from pathlib import Path
from threading import Event

import numpy as np

from utt_ros.drivers.clock_sync import StreamClocks
from utt_ros.drivers.imu.readings import Vector, make_reading, refusal_key
from utt_ros.drivers.phone_registry import check_phones
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import MeasurementError, SourceError
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S, Array

ROOT = '/sys/bus/iio/devices'
CHANNEL_NAMES = {  # kernel's name and SI unit of a kind; the magnetometer is in gauss
    'accel': ('accel', 1.0), 'gyro': ('anglvel', 1.0), 'mag': ('magn', 1e-4)}
REQUIRED = ('accel', 'gyro')
TRANSIENT_ERRORS = {EAGAIN, EIO, ETIMEDOUT}  # of a bus; the next read may succeed
MAX_VALUE_BYTES = 256
MAX_ROTATION_ERROR = 0.02  # of a mount matrix times its transpose from the identity
# words of `label`, `location` and `name` that do not say where a sensor is
SENSOR_WORDS = {'accel', 'accelerometer', 'gyro', 'gyroscope', 'anglvel', 'mag', 'magn',
                'magnetometer', 'imu', 'sensor'}
PLACE_SYNONYMS = {'lid': 'display', 'screen': 'display', 'keyboard': 'base'}


@dataclass(frozen=True, slots=True)
class IioSettings:
    """Industrial I/O devices, read one value after the other."""

    phone: str = setting('phone', 'name of this machine in topics')
    rate: float = setting(100.0, 'rate at which the sensors are read [Hz]', low=1.0, high=1000.0)
    root: str = setting(ROOT, 'folder of the devices')

    def __post_init__(self) -> None:
        check(self)
        check_phones('phone', ['this machine'], [self.phone])


class _Sensor:
    """Open files of one accelerometer, gyroscope or magnetometer."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._kind = kind
        self._name, self._unit = CHANNEL_NAMES[kind]
        self._files: list[int] = []
        try:
            scales = [self._value(folder, 'scale', None, axis) for axis in 'xyz']
            offsets = [self._value(folder, 'offset', 0.0, axis) for axis in 'xyz']
            self._scale, self._offset = np.array(scales), np.array(offsets)
            mount = _mount(folder, self._name)
            self.label = _describe(folder, mount)
            self._mount = np.eye(3) if mount is None else mount
            for axis in 'xyz':
                file = folder / f'in_{self._name}_{axis}_raw'
                self._files.append(os.open(file, os.O_RDONLY | os.O_CLOEXEC))
        except (OSError, MeasurementError):
            self.close()
            raise

    def read(self, stamp_ns: int) -> Vector:
        """Read a vector in SI units and device axes. Raises OSError, MeasurementError."""
        raw = np.array([parse_number(os.pread(file, MAX_VALUE_BYTES, 0)) for file in self._files])
        values = self._mount @ ((raw + self._offset) * self._scale)
        return make_reading(self._kind, stamp_ns, values.tolist(), self._unit).values

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())

    def _value(self, folder: Path, attribute: str, default: float | None, axis: str) -> float:
        for file in (f'in_{self._name}_{axis}_{attribute}', f'in_{self._name}_{attribute}'):
            with suppress(FileNotFoundError):
                return parse_number((folder / file).read_bytes())
        if default is None:
            raise MeasurementError(
                f'in_{self._name}_{attribute} is missing, without which raw values have no unit')
        return default


class IioSource(Source[InertialSample | MagneticSample]):
    """Samples stamped by the host, midway between the reads of their first and last value."""

    def __init__(self, settings: IioSettings, now: Callable[[], int] = time.time_ns) -> None:
        super().__init__()
        self._settings, self._now = settings, now
        self._sensors: dict[str, _Sensor] = {}
        self._period_ns = round(NS_PER_S / settings.rate)
        self._due_ns, self._trouble = 0, ''
        self._clocks = StreamClocks(self.counters)
        self._wait = Event()

    def open(self) -> None:
        self.close()
        root = Path(self._settings.root)
        reason = missing_sensors(root)
        if reason:
            raise SourceError(reason)
        try:
            for kind, folder in _find(root).items():
                self._sensors[kind] = _Sensor(folder, kind)
        except (OSError, MeasurementError) as err:
            self.close()
            advice = ('run as a user who may read it' if isinstance(err, OSError)
                      else 'correct its driver')
            raise SourceError(f'{folder}: {kind}: {err}: {advice}') from err
        self._due_ns = time.monotonic_ns()

    def read(self, timeout_s: float) -> list[InertialSample | MagneticSample]:
        """Return a sample when it is due; failures to read are counted."""
        if not self._sensors:
            raise SourceError('the sensors are closed')
        wait_ns = self._due_ns - time.monotonic_ns()
        if wait_ns > timeout_s * NS_PER_S:
            self._wait.wait(timeout_s)
            return []
        if wait_ns > 0:
            self._wait.wait(wait_ns / NS_PER_S)
        missed = max(0, -wait_ns // self._period_ns)
        if missed:
            self.counters['missed'] += missed
        self._due_ns += (1 + missed) * self._period_ns
        try:
            return self._sample()
        except MeasurementError as err:
            self.counters[refusal_key(err)] += 1
            self._trouble = str(err)
        except OSError as err:
            if err.errno not in TRANSIENT_ERRORS:
                advice = ('end the program that uses its buffer' if err.errno == EBUSY
                          else 'check that the device is there')
                raise SourceError(f'{self._settings.root}: {err.strerror}: {advice}') from err
            self.counters['unreadable'] += 1
        return []

    def close(self) -> None:
        for sensor in self._sensors.values():
            sensor.close()
        self._sensors = {}

    def status(self) -> Mapping[str, object]:
        """Return the device of each sensor, and whether it has a mount matrix."""
        labels = {kind: sensor.label for kind, sensor in self._sensors.copy().items()}
        return {**labels, 'trouble': self._trouble}

    def _sample(self) -> list[InertialSample | MagneticSample]:
        start_ns = self._now()
        vectors = {kind: sensor.read(start_ns) for kind, sensor in self._sensors.items()}
        stamp_ns = (start_ns + self._now()) // 2
        phone = self._settings.phone
        self._clocks.check_host(stamp_ns)
        if self._clocks.admit(phone, 'inertial', stamp_ns) is None:
            return []
        arrays = {kind: np.array(vector, np.float32) for kind, vector in vectors.items()}
        samples: list[InertialSample | MagneticSample] = [
            InertialSample(phone, stamp_ns, arrays['accel'], arrays['gyro'])]
        if 'mag' in arrays:
            samples.append(MagneticSample(phone, stamp_ns, arrays['mag']))
        return samples


def missing_sensors(root: Path = Path(ROOT)) -> str:
    """Return which sensors are missing, and the remedy; empty when none is."""
    devices = _devices(root)
    missing = [CHANNEL_NAMES[kind][0] for kind in REQUIRED if not devices[kind]]
    if missing:
        names = ' and '.join(f'in_{name}_x_raw' for name in missing)
        return f'no device in {root} has {names}: load the driver of the sensor'
    if not _find(root):
        places = [f'{folder.name} ({_place(folder)})'
                  for kind in REQUIRED for folder in devices[kind]]
        return (f'the accelerometers and gyroscopes in {root} are at different places, so their '
                f'axes differ: {", ".join(places)}: load the driver of the other sensor')
    return ''


def _devices(root: Path) -> dict[str, list[Path]]:
    """Return the devices of each kind of sensor, by their numbers."""
    folders = sorted(root.glob('iio:device*'), key=lambda folder: (len(folder.name), folder.name))
    return {kind: [folder for folder in folders
                   if all((folder / f'in_{name}_{axis}_raw').exists() for axis in 'xyz')]
            for kind, (name, _) in CHANNEL_NAMES.items()}


def _find(root: Path) -> dict[str, Path]:
    """Return the devices that belong together; none when no accelerometer and gyroscope do.

    Sensors of one device have the same axes, as have those of one chip, and those at one place.
    """
    devices = _devices(root)
    pairs = [pair for pair in product(devices['accel'], devices['gyro']) if _relation(*pair) >= 0]
    if not pairs:
        return {}
    accel, gyro = max(pairs, key=lambda pair: _relation(*pair))  # the first of equal ones
    found = {'accel': accel, 'gyro': gyro}
    magnetometers = [folder for folder in devices['mag'] if _relation(gyro, folder) >= 0]
    if magnetometers:
        found['mag'] = max(magnetometers, key=lambda folder: _relation(gyro, folder))
    return found


def _relation(first: Path, second: Path) -> int:
    """Return how closely two devices belong together; -1: they are at different places."""
    if first == second:
        return 4
    places = _place(first), _place(second)
    if all(places):
        return 3 if places[0] == places[1] else -1
    if first.is_symlink() and first.resolve().parent == second.resolve().parent:
        return 2  # of one bus address
    chips = _words(first, 'name'), _words(second, 'name')
    return int(bool(chips[0]) and chips[0] == chips[1])


def _place(folder: Path) -> str:
    """Return where a device is, by `label` or `location`; empty when unknown."""
    words = _words(folder, 'label') or _words(folder, 'location')
    return ' '.join(PLACE_SYNONYMS.get(word, word) for word in words)


def _words(folder: Path, attribute: str) -> list[str]:
    """Return the words of an attribute except those for a kind of sensor."""
    try:
        text = (folder / attribute).read_bytes()[:MAX_VALUE_BYTES].decode('utf-8', 'replace')
    except OSError:
        return []
    return [word for word in re.split(r'[^a-z0-9]+', text.lower())
            if word and word not in SENSOR_WORDS]


def _describe(folder: Path, mount: Array | None) -> str:
    name = ' '.join(_words(folder, 'name'))
    place = _place(folder)
    return (f'{folder.name}{f" {name}" if name else ""}{f" ({place})" if place else ""}, '
            f'{"no mount matrix" if mount is None else "mount matrix applied"}')


def _mount(folder: Path, name: str) -> Array | None:
    for file in (f'in_{name}_mount_matrix', 'in_mount_matrix', 'mount_matrix'):
        with suppress(FileNotFoundError):
            matrix = parse_mount_matrix((folder / file).read_bytes())
            if np.abs(matrix @ matrix.T - np.eye(3)).max() > MAX_ROTATION_ERROR:
                raise MeasurementError(
                    f'{file} is {matrix.tolist()}: its rows must be orthogonal and of length 1')
            return matrix
    return None


def parse_number(data: bytes) -> float:
    """Parse a raw value, a scale or an offset. Raises MeasurementError."""
    try:
        value = float(data)
    except ValueError as err:
        raise MeasurementError(f'{data[:40]!r} is not a number') from err
    if not isfinite(value):
        raise MeasurementError(f'{data[:40]!r} is not finite')
    return value


def parse_mount_matrix(data: bytes) -> Array:
    """Parse a mount matrix such as b'0, 1, 0; -1, 0, 0; 0, 0, 1': (3, 3), sensor to device.

    Raises MeasurementError.
    """
    rows = [[parse_number(cell) for cell in row.split(b',')] for row in data.split(b';')]
    if [len(row) for row in rows] != [3, 3, 3]:
        raise MeasurementError(f'{data[:60]!r} is not a 3 x 3 matrix')
    return np.array(rows)


ENTRY = SourceEntry('sensors of this machine, by industrial I/O', IioSettings,
                    lambda settings, _area: IioSource(settings), missing_sensors)
