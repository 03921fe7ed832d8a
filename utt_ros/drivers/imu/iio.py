"""Sensors of this machine by Linux's industrial I/O. See docs/sources/iio.md."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from errno import EAGAIN, EBUSY, EIO, ETIMEDOUT
from pathlib import Path
from threading import Event

import numpy as np

from utt_ros.drivers.imu.iio_text import Matrix, mount_matrix, number
from utt_ros.drivers.imu.readings import Vector, reading
from utt_ros.drivers.phone_registry import SET_BACK_NS, check_phones
from utt_ros.drivers.source import Entry, Source
from utt_ros.drivers.types import Inertial, Magnetic
from utt_ros.errors import MeasurementError, SourceError
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S

ROOT = '/sys/bus/iio/devices'
KINDS = {'accel': ('accel', 1.0), 'gyro': ('anglvel', 1.0), 'mag': ('magn', 1e-4)}  # gauss
NEEDED = ('accel', 'gyro')
PASSING = {EAGAIN, EIO, ETIMEDOUT}  # of a bus; the next read may work
MAX_FILE_BYTES = 256


@dataclass(frozen=True, slots=True)
class IioSettings:
    """Sensors that the kernel knows, read one value after the other."""

    phone: str = setting('phone', 'name of this machine in topics')
    rate: float = setting(100.0, 'how often the sensors are read [Hz]', low=1.0, high=1000.0)
    root: str = setting(ROOT, 'folder with the devices')

    def __post_init__(self) -> None:
        check(self)
        check_phones('phone', ['this machine'], [self.phone])


class _Sensor:
    """One accelerometer, gyroscope or magnetometer: its files, open."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._kind = kind
        self._name, self._unit = KINDS[kind]
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
        """Read in SI units and the axes of the device. Raises OSError, MeasurementError."""
        raw = np.array([number(os.pread(file, MAX_FILE_BYTES, 0)) for file in self._files])
        values = self._mount @ ((raw + self._offset) * self._scale)
        return reading(self._kind, stamp_ns, values.tolist(), self._unit).values

    def close(self) -> None:
        """Close its files."""
        while self._files:
            os.close(self._files.pop())

    def _value(self, folder: Path, what: str, default: float, axis: str) -> float:
        for file in (f'in_{self._name}_{axis}_{what}', f'in_{self._name}_{what}'):
            with suppress(FileNotFoundError):
                return number((folder / file).read_bytes())
        return default


class Iio(Source[Inertial | Magnetic]):
    """Stamps are the host's, half-way between the first and the last value of a sample."""

    def __init__(self, settings: IioSettings, now: Callable[[], int] = time.time_ns) -> None:
        super().__init__()
        self._settings, self._now = settings, now
        self._sensors: dict[str, _Sensor] = {}
        self._period_ns = round(NS_PER_S / settings.rate)
        self._due_ns = self._last_ns = 0
        self._wait = Event()

    def open(self) -> None:
        """Find the sensors."""
        self.close()
        root = Path(self._settings.root)
        missing = lacking(root)
        if missing:
            raise SourceError(missing)
        try:
            for kind, folder in _find(root).items():
                self._sensors[kind] = _Sensor(folder, kind)
        except (OSError, MeasurementError) as err:
            self.close()
            raise SourceError(f'{folder}: {kind}: {err}: run as a user who may read it') from err
        self._due_ns = time.monotonic_ns()

    def read(self, timeout_s: float) -> list[Inertial | Magnetic]:
        """One sample when it is due; what cannot be read is counted."""
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
        except MeasurementError:
            self.counters['malformed'] += 1
        except OSError as err:
            if err.errno not in PASSING:
                advice = ('end the program that uses its buffer' if err.errno == EBUSY
                          else 'check that the device is there')
                raise SourceError(f'{self._settings.root}: {err.strerror}: {advice}') from err
            self.counters['unreadable'] += 1
        return []

    def close(self) -> None:
        """Close all files."""
        for sensor in self._sensors.values():
            sensor.close()
        self._sensors = {}

    def _sample(self) -> list[Inertial | Magnetic]:
        begin_ns = self._now()
        found = {kind: sensor.read(begin_ns) for kind, sensor in self._sensors.items()}
        stamp_ns = (begin_ns + self._now()) // 2
        if stamp_ns < self._last_ns - SET_BACK_NS:
            self.counters['host_set_back'] += 1
        elif stamp_ns <= self._last_ns:
            self.counters['backwards'] += 1
            return []
        self._last_ns = stamp_ns
        phone = self._settings.phone
        arrays = {kind: np.array(values, np.float32) for kind, values in found.items()}
        samples: list[Inertial | Magnetic] = [
            Inertial(phone, stamp_ns, arrays['accel'], arrays['gyro'])]
        if 'mag' in arrays:
            samples.append(Magnetic(phone, stamp_ns, arrays['mag']))
        return samples


def lacking(root: Path = Path(ROOT)) -> str:
    """Why there is nothing to read, and what to do; empty when there is something."""
    found = _find(root)
    missing = [KINDS[kind][0] for kind in NEEDED if kind not in found]
    if not missing:
        return ''
    return (f'no device in {root} has {" and ".join(f"in_{name}_x_raw" for name in missing)}: '
            'load the driver of the sensor')


def _find(root: Path) -> dict[str, Path]:
    """The first device with each kind of sensor."""
    folders = sorted(root.glob('iio:device*'))
    found = {kind: next((folder for folder in folders
                         if all((folder / f'in_{name}_{axis}_raw').exists() for axis in 'xyz')),
                        None)
             for kind, (name, _) in KINDS.items()}
    return {kind: folder for kind, folder in found.items() if folder is not None}


def _mount(folder: Path, name: str) -> Matrix:
    for file in (f'in_{name}_mount_matrix', 'in_mount_matrix', 'mount_matrix'):
        with suppress(FileNotFoundError):
            return mount_matrix((folder / file).read_bytes())
    return np.eye(3)


ENTRY = Entry('sensors of this machine, by industrial I/O', IioSettings,
              lambda settings, _area: Iio(settings), lacking)
