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
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from errno import EAGAIN, EBUSY, EIO, ETIMEDOUT
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
            scales = [self._value(folder, 'scale', 1.0, axis) for axis in 'xyz']
            offsets = [self._value(folder, 'offset', 0.0, axis) for axis in 'xyz']
            self._scale, self._offset = np.array(scales), np.array(offsets)
            self._mount = _mount(folder, self._name)
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

    def _value(self, folder: Path, attribute: str, default: float, axis: str) -> float:
        for file in (f'in_{self._name}_{axis}_{attribute}', f'in_{self._name}_{attribute}'):
            with suppress(FileNotFoundError):
                return parse_number((folder / file).read_bytes())
        return default


class IioSource(Source[InertialSample | MagneticSample]):
    """Samples stamped by the host, midway between the reads of their first and last value."""

    def __init__(self, settings: IioSettings, now: Callable[[], int] = time.time_ns) -> None:
        super().__init__()
        self._settings, self._now = settings, now
        self._sensors: dict[str, _Sensor] = {}
        self._period_ns = round(NS_PER_S / settings.rate)
        self._due_ns = 0
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
            raise SourceError(f'{folder}: {kind}: {err}: run as a user who may read it') from err
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
    devices = _find(root)
    missing = [CHANNEL_NAMES[kind][0] for kind in REQUIRED if kind not in devices]
    if not missing:
        return ''
    return (f'no device in {root} has {" and ".join(f"in_{name}_x_raw" for name in missing)}: '
            'load the driver of the sensor')


def _find(root: Path) -> dict[str, Path]:
    """Return the first device of each kind of sensor."""
    folders = sorted(root.glob('iio:device*'))
    devices = {kind: next((folder for folder in folders
                         if all((folder / f'in_{name}_{axis}_raw').exists() for axis in 'xyz')),
                        None)
             for kind, (name, _) in CHANNEL_NAMES.items()}
    return {kind: folder for kind, folder in devices.items() if folder is not None}


def _mount(folder: Path, name: str) -> Array:
    for file in (f'in_{name}_mount_matrix', 'in_mount_matrix', 'mount_matrix'):
        with suppress(FileNotFoundError):
            return parse_mount_matrix((folder / file).read_bytes())
    return np.eye(3)


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
