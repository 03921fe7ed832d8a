"""The files of one Vi-Fi sequence, in SI units: mm -> m, microtesla -> T, ms and s -> ns.

Rows that are not finite, stand out of order or repeat a time are sorted out and counted in a
`Tally`. A file that is not what its name says raises SessionError, which names it.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from utt_ros.errors import SessionError
from utt_ros.sessions.vifi.safe_pickle import load_array
from utt_ros.types import GRAVITY_MPS2, Array, Stamps, GroundTruth

T = TypeVar('T')
Tally = Counter[str]
Ranging = tuple[Stamps, Array, Array, str]
Motion = tuple[Stamps, Array, Stamps, Array]

IMU19 = {'ACCEL': 3, 'GYRO': 3, 'MAG': 3, 'GRAV': 3, 'LINEAR': 3, 'Quaternion': 4}
ORDERS = (
    ('ACCEL', 'GYRO', 'MAG', 'GRAV', 'LINEAR', 'Quaternion'),
    ('ACCEL', 'GRAV', 'LINEAR', 'Quaternion', 'MAG', 'GYRO'),
)


def read_times(path: Path) -> Array:
    """Times (T,) [s] of the frames, as written: perhaps not finite, perhaps out of order."""
    return _parsed(path, lambda data: np.array(json.loads(data), dtype=np.float64).reshape(-1))


def read_array(path: Path, features: int) -> Array:
    """One synchronised array (T, subjects, features)."""
    def parse(data: bytes) -> Array:
        array = load_array(data)
        if array.ndim != 4 or array.shape[2:] != (1, features):
            raise SessionError(f'shape {array.shape}: it must be (T, subjects, 1, {features})')
        return np.asarray(array[:, :, 0], dtype=np.float64)
    return _parsed(path, parse)


def read_imu19(path: Path) -> Array:
    """Accel, gyro, mag (T, subjects, 9) of an IMU19 file, whose order differs between files.

    The order is that in which GRAV is 9.81 m/s^2 long and the quaternion 1.
    """
    array = read_array(path, 19)
    ends = {order: np.cumsum([IMU19[name] for name in order]) for order in ORDERS}
    for order in ORDERS:
        parts = dict(zip(order, np.split(array, ends[order][:-1], axis=2), strict=True))
        gravity, quaternion = (
            np.linalg.norm(parts[name], axis=2) for name in ('GRAV', 'Quaternion'))
        known = np.isfinite(gravity) & np.isfinite(quaternion)
        fits = (np.abs(gravity - GRAVITY_MPS2) < 0.3) & (np.abs(quaternion - 1) < 0.02)
        if not known.any() or fits[known].mean() > 0.9:
            return np.concatenate([parts[name] for name in ('ACCEL', 'GYRO', 'MAG')], axis=2)
    raise SessionError(
        f'{path}: in no known order of columns is GRAV {GRAVITY_MPS2:.2f} m/s^2 and the '
        'quaternion 1 long')


def read_wifi(path: Path, tally: Tally) -> Ranging:
    """Stamps (A,), range and std (A, 2) [m], RSSI [dBm] and counts (A, 3), BSSID.

    Columns of a raw file: t_ms, WiFi-FTM, MAC, range mm, std mm, attempted, successful, time of
    the ranging, RSSI, status, hash.
    """
    def parse(data: bytes) -> Ranging:
        rows = [line for line in _lines(data) if ',WiFi-FTM,' in line]
        table = _table(rows, (0, 3, 4, 5, 6, 8, 9))
        table = table[table[:, 6] == 0]  # the status of success
        table = table[in_order(table[:, 0], table, tally)]
        return (_ms_to_ns(table[:, 0]), table[:, 1:3] / 1e3, table[:, [5, 3, 4]],
                rows[0].split(',')[2].strip())
    return _parsed(path, parse)


def read_imu(path: Path, tally: Tally) -> Motion:
    """Stamps (B,), accel and gyro (B, 6) [m/s^2, rad/s], stamps (C,), mag (C, 3) [T].

    Columns of a raw file: t_ms, tag, values. Where gyroscope rows have times of their own they are
    linearly interpolated to those of the accelerometer.
    """
    def parse(data: bytes) -> Motion:
        rows: dict[str, list[str]] = {'ACCEL': [], 'GYRO': [], 'MAG': []}
        for line in _lines(data):
            tag = line.split(',', 2)[1].strip() if ',' in line else line
            if tag in rows:
                rows[tag].append(line)
        tables = {tag: _table(found, (0, 2, 3, 4)) for tag, found in rows.items()}
        accel, gyro, mag = (
            table[in_order(table[:, 0], table, tally)] for table in tables.values())
        accel, turning = _at_times_of(accel, gyro)
        return (_ms_to_ns(accel[:, 0]), np.concatenate([accel[:, 1:], turning], axis=1),
                _ms_to_ns(mag[:, 0]), mag[:, 1:] * 1e-6)
    return _parsed(path, parse)


def read_truth(path: Path, tally: Tally) -> dict[int, GroundTruth]:
    """Truth by subject; a header, then t_unix, subject, x_m, y_m, heading_rad."""
    def parse(data: bytes) -> dict[int, GroundTruth]:
        table = _table(_lines(data)[1:], (0, 1, 2, 3, 4))
        found = {}
        for subject in np.unique(table[np.isfinite(table[:, 1]), 1]):
            rows = table[table[:, 1] == subject]
            rows = rows[in_order(rows[:, 0], rows, tally)]
            found[int(subject)] = GroundTruth(
                seconds_to_ns(rows[:, 0]), rows[:, 2:4].copy(), rows[:, 4].copy())
        return found
    return _parsed(path, parse)


def synced_ranging(times: Array, ftm_mm: Array, rssi: Array) -> Ranging:
    """The rangings behind one subject's rows (T, 2) of the FTM array and (T, 1) of the RSSI array.

    A ranging stands in every frame to which it is the nearest in time, so it was measured about
    the middle of these frames; the first of them may lie before the measurement [R]. A ranging
    that repeats range and std of the one before cannot be told from it.
    """
    known = np.isfinite(ftm_mm).all(axis=1)
    frames = np.flatnonzero(known)
    changed = np.r_[True, (np.diff(ftm_mm, axis=0) != 0).any(axis=1)][frames]
    first = np.flatnonzero(changed)
    last = np.r_[first[1:], len(frames)] - 1
    middle = frames[(first + last + 1) // 2]
    signal = np.concatenate([rssi[middle], np.zeros((len(middle), 2))], axis=1)
    return seconds_to_ns(times[middle]), ftm_mm[middle] / 1e3, signal, ''


def synced_motion(times: Array, agm: Array, tally: Tally) -> Motion:
    """Accel, gyro and mag of one subject's rows (T, 9) [m/s^2, rad/s, microtesla]."""
    known = np.isfinite(agm).any(axis=1)
    times, agm = times[known], agm[known]
    rows = in_order(times, agm, tally)
    stamps_ns = seconds_to_ns(times[rows])
    return stamps_ns, agm[rows, :6], stamps_ns, agm[rows, 6:] * 1e-6


def in_order(times: Array, values: Array, tally: Tally) -> npt.NDArray[np.intp]:
    """The rows to take, in order of times: finite ones, of each time the first."""
    finite = np.isfinite(times) & np.isfinite(values).reshape(len(times), -1).all(1)
    rows = np.flatnonzero(finite)
    ordered, first = np.unique(times[rows], return_index=True)
    tally['not finite'] += len(times) - len(rows)
    tally['repeated'] += len(rows) - len(ordered)
    tally['out of order'] += int((np.diff(times[rows]) < 0).sum())
    return np.asarray(rows[first])


def seconds_to_ns(seconds: Array) -> Stamps:
    """To the microsecond, which is what a double holds of the time since 1970."""
    return np.asarray(np.rint(seconds * 1e6).astype(np.int64) * 1000)


def _ms_to_ns(milliseconds: Array) -> Stamps:
    return np.asarray(np.rint(milliseconds * 1e3).astype(np.int64) * 1000)


def _at_times_of(accel: Array, gyro: Array) -> tuple[Array, Array]:
    """Rows of accel (B, 4) at whose times gyro (G, 4) is known, and gyro (B, 3) there."""
    if np.array_equal(accel[:, 0], gyro[:, 0]):
        return accel, gyro[:, 1:]
    inside = (accel[:, 0] >= gyro[0, 0]) & (accel[:, 0] <= gyro[-1, 0])
    accel = accel[inside]
    axes = [np.interp(accel[:, 0], gyro[:, 0], gyro[:, axis]) for axis in (1, 2, 3)]
    return accel, np.stack(axes, axis=1)


def _parsed(path: Path, parse: Callable[[bytes], T]) -> T:
    try:
        data = path.read_bytes()
        return parse(gzip.decompress(data) if path.suffix == '.gz' else data)
    except SessionError as err:
        raise SessionError(f'{path}: {err}') from err
    except Exception as err:  # a file of a stranger can be wrong in any way
        raise SessionError(f'{path}: {type(err).__name__}: {err}') from err


def _lines(data: bytes) -> list[str]:
    return data.decode('utf-8').splitlines()


def _table(rows: Sequence[str], columns: tuple[int, ...]) -> Array:
    if not rows:
        raise SessionError('it has no row of measurements')
    return np.loadtxt(rows, delimiter=',', usecols=columns, ndmin=2)
