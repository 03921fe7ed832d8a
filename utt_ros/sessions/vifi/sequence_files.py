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

"""The files of one Vi-Fi sequence, in SI units: mm -> m, microtesla -> T, ms and s -> ns.

Rows that are malformed, not finite, out of order or repeat a time are discarded or sorted, and
counted in `DiscardCounts`. A file of which no row can be read raises SessionError with its path.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from utt_ros.documents import load_json
from utt_ros.errors import SessionError
from utt_ros.sessions.vifi.safe_pickle import load_array
from utt_ros.types import GRAVITY_MPS2, Array, GroundTruth, Indices, NameArray, Stamps

Parsed = TypeVar('Parsed')
DiscardCounts = Counter[str]  # by reason
MISSING_NUMBERS = {'', 'nan', 'null', 'none', 'n/a', 'na', '-'}  # of exports of other tools
RangingColumns = tuple[Stamps, Array, Array, tuple[str, ...]]  # see `read_wifi_csv`
MotionColumns = tuple[Stamps, Array, Stamps, Array]  # see `read_imu_csv`

IMU19 = {'ACCEL': 3, 'GYRO': 3, 'MAG': 3, 'GRAV': 3, 'LINEAR': 3, 'Quaternion': 4}
IMU19_ORDERS = (
    ('ACCEL', 'GYRO', 'MAG', 'GRAV', 'LINEAR', 'Quaternion'),
    ('ACCEL', 'GRAV', 'LINEAR', 'Quaternion', 'MAG', 'GYRO'),
)


def read_times(path: Path) -> Array:
    """Read the times (T,) [s] of the frames, which may be non-finite or out of order."""
    return _parsed(path, lambda data: np.array(load_json(data), dtype=np.float64).reshape(-1))


def read_array(path: Path, features: int) -> Array:
    """Read one synchronised array (T, subjects, features)."""
    def parse(data: bytes) -> Array:
        array = load_array(data)
        if array.ndim != 4 or array.shape[2:] != (1, features):
            raise SessionError(f'shape {array.shape}: it must be (T, subjects, 1, {features})')
        return np.asarray(array[:, :, 0], dtype=np.float64)
    return _parsed(path, parse)


def read_imu19(path: Path) -> Array:
    """Read accel, gyro and mag (T, subjects, 9) from an IMU19 file.

    The order of columns differs between files; it is the one in which GRAV has a norm of 9.81
    m/s^2 and the quaternion a norm of 1.
    """
    array = read_array(path, 19)
    ends = {order: np.cumsum([IMU19[name] for name in order]) for order in IMU19_ORDERS}
    for order in IMU19_ORDERS:
        parts = dict(zip(order, np.split(array, ends[order][:-1], axis=2), strict=True))
        gravity, quaternion = (
            np.linalg.norm(parts[name], axis=2) for name in ('GRAV', 'Quaternion'))
        known = np.isfinite(gravity) & np.isfinite(quaternion)
        fits = (np.abs(gravity - GRAVITY_MPS2) < 0.3) & (np.abs(quaternion - 1) < 0.02)
        if not known.any() or fits[known].mean() > 0.9:
            return np.concatenate([parts[name] for name in ('ACCEL', 'GYRO', 'MAG')], axis=2)
    raise SessionError(
        f'{path}: in no known order of columns has GRAV a norm of {GRAVITY_MPS2:.2f} m/s^2 and '
        'the quaternion a norm of 1')


def read_wifi_csv(
    path: Path, discarded: DiscardCounts, access_points: Collection[str] = (),
) -> RangingColumns:
    """Read stamps (A,), range and std (A, 2) [m], RSSI [dBm] and counts (A, 3), BSSIDs (A).

    Ranges of `access_points` are kept; where there are none, those of the most frequent one.
    Columns of a raw file: t_ms, WiFi-FTM, MAC, range mm, std mm, attempted, successful, time of
    the ranging, RSSI, status, hash.
    """
    def parse(data: bytes) -> RangingColumns:
        rows = [line for line in _lines(data, discarded) if 'WiFi-FTM' in line]
        table, kept = _table(rows, (0, 3, 4, 5, 6, 8, 9), discarded)
        successful = table[:, 6] == 0
        table, kept = table[successful], kept[successful]
        aps = np.array([rows[row].split(',')[2].strip() for row in kept], np.str_)
        table, aps = _of_access_points(table, aps, access_points, discarded)
        return (_ms_to_ns(table[:, 0]), table[:, 1:3] / 1e3, table[:, [5, 3, 4]],
                tuple(aps.tolist()))
    return _parsed(path, parse, discarded)


def read_imu_csv(path: Path, discarded: DiscardCounts) -> MotionColumns:
    """Read stamps (B,), accel and gyro (B, 6) [m/s^2, rad/s], stamps (C,), mag (C, 3) [T].

    Columns of a raw file: t_ms, tag, values. Gyroscope rows with other times than the
    accelerometer's are linearly interpolated to those.
    """
    def parse(data: bytes) -> MotionColumns:
        rows: dict[str, list[str]] = {'ACCEL': [], 'GYRO': [], 'MAG': []}
        for line in _lines(data, discarded):
            tag = line.split(',', 2)[1].strip() if ',' in line else line
            if tag in rows:
                rows[tag].append(line)
        tables = {tag: _table(lines, (0, 2, 3, 4), discarded)[0] for tag, lines in rows.items()}
        accel, gyro, mag = (
            table[valid_row_order(table[:, 0], table, discarded)] for table in tables.values())
        accel, rates = _at_times_of(accel, gyro)
        return (_ms_to_ns(accel[:, 0]), np.concatenate([accel[:, 1:], rates], axis=1),
                _ms_to_ns(mag[:, 0]), mag[:, 1:] * 1e-6)
    return _parsed(path, parse, discarded)


def read_truth_csv(path: Path, discarded: DiscardCounts) -> dict[int, GroundTruth]:
    """Read ground truth by subject: a header, then t_unix, subject, x_m, y_m, heading_rad."""
    def parse(data: bytes) -> dict[int, GroundTruth]:
        table, _ = _table(_lines(data, discarded)[1:], (0, 1, 2, 3, 4), discarded)
        truth = {}
        for subject in np.unique(table[np.isfinite(table[:, 1]), 1]):
            rows = table[table[:, 1] == subject]
            rows = rows[valid_row_order(rows[:, 0], rows, discarded)]
            truth[int(subject)] = GroundTruth(
                seconds_to_ns(rows[:, 0]), rows[:, 2:4].copy(), rows[:, 4].copy())
        return truth
    return _parsed(path, parse, discarded)


def synced_ranging(times: Array, ftm_mm: Array, rssi: Array) -> RangingColumns:
    """Recover rangings from one subject's rows (T, 2) of the FTM and (T, 1) of the RSSI array.

    A ranging is repeated in every frame to which it is nearest in time, so it was measured about
    the middle of these frames; the first of them may precede the measurement [R]. Two consecutive
    rangings with equal range and std cannot be distinguished.
    """
    known = np.isfinite(ftm_mm).all(axis=1)
    frames = np.flatnonzero(known)
    changed = np.r_[True, (np.diff(ftm_mm, axis=0) != 0).any(axis=1)][frames]
    first = np.flatnonzero(changed)
    last = np.r_[first[1:], len(frames)] - 1
    middle = frames[(first + last + 1) // 2]
    signal = np.concatenate([rssi[middle], np.zeros((len(middle), 2))], axis=1)
    return seconds_to_ns(times[middle]), ftm_mm[middle] / 1e3, signal, ('',) * len(middle)


def synced_motion(times: Array, agm: Array, discarded: DiscardCounts) -> MotionColumns:
    """Convert one subject's rows (T, 9) [m/s^2, rad/s, microtesla], as in `read_imu_csv`."""
    known = np.isfinite(agm).any(axis=1)
    times, agm = times[known], agm[known]
    rows = valid_row_order(times, agm, discarded)
    stamps_ns = seconds_to_ns(times[rows])
    return stamps_ns, agm[rows, :6], stamps_ns, agm[rows, 6:] * 1e-6


def valid_row_order(times: Array, values: Array, discarded: DiscardCounts) -> npt.NDArray[np.intp]:
    """Indices of the finite rows in order of times, the first of each time; count the others."""
    finite = np.isfinite(times) & np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    rows = np.flatnonzero(finite)
    ordered, first = np.unique(times[rows], return_index=True)
    discarded['not finite'] += len(times) - len(rows)
    discarded['repeated'] += len(rows) - len(ordered)
    discarded['out of order'] += int((np.diff(times[rows]) < 0).sum())
    return np.asarray(rows[first])


def seconds_to_ns(seconds: Array) -> Stamps:
    """Round to microseconds, the resolution of a double for times since 1970."""
    return np.asarray(np.rint(seconds * 1e6).astype(np.int64) * 1000)


def _ms_to_ns(milliseconds: Array) -> Stamps:
    return np.asarray(np.rint(milliseconds * 1e3).astype(np.int64) * 1000)


def _of_access_points(
    table: Array, aps: NameArray, access_points: Collection[str], discarded: DiscardCounts,
) -> tuple[Array, NameArray]:
    """Rows (A, F) of these access points in order of times, and their addresses; count others."""
    counts = Counter(aps.tolist())
    wanted = {name.lower() for name in access_points}
    chosen = [ap for ap in counts if ap.lower() in wanted] if wanted else [
        ap for ap, _ in counts.most_common(1)]
    parts: list[Indices] = [np.empty(0, np.intp)]
    for ap in chosen:  # two may range at one time
        rows = np.flatnonzero(aps == ap)
        parts.append(rows[valid_row_order(table[rows, 0], table[rows], discarded)])
    discarded['of further access points'] += sum(counts[ap] for ap in counts.keys() - {*chosen})
    kept = np.concatenate(parts)
    kept = kept[np.argsort(table[kept, 0], kind='stable')]
    return table[kept], aps[kept]


def _at_times_of(accel: Array, gyro: Array) -> tuple[Array, Array]:
    """Rows of accel (B, 4) within the times of gyro (G, 4), and gyro (B, 3) at their times."""
    if not len(gyro):
        return accel[:0], gyro[:, 1:]
    if np.array_equal(accel[:, 0], gyro[:, 0]):
        return accel, gyro[:, 1:]
    inside = (accel[:, 0] >= gyro[0, 0]) & (accel[:, 0] <= gyro[-1, 0])
    accel = accel[inside]
    axes = [np.interp(accel[:, 0], gyro[:, 0], gyro[:, axis]) for axis in (1, 2, 3)]
    return accel, np.stack(axes, axis=1)


def _parsed(
    path: Path, parse: Callable[[bytes], Parsed], discarded: DiscardCounts | None = None,
) -> Parsed:
    try:
        data = path.read_bytes()
        return parse(_decompressed(data, discarded) if path.suffix == '.gz' else data)
    except SessionError as err:
        raise SessionError(f'{path}: {err}') from err
    except Exception as err:  # foreign files raise errors of many types
        raise SessionError(f'{path}: {type(err).__name__}: {err}') from err


def _decompressed(data: bytes, discarded: DiscardCounts | None) -> bytes:
    """Decompress a gzip file; one that is cut up to the cut, and count it, where counts are."""
    with gzip.GzipFile(fileobj=BytesIO(data)) as file:
        whole = bytearray()
        try:
            while part := file.read1():
                whole += part
        except (EOFError, zlib.error):
            if not whole or discarded is None:
                raise
            discarded['cut files'] += 1
        return bytes(whole)


def _lines(data: bytes, discarded: DiscardCounts) -> list[str]:
    """Lines with text; those with bytes of other files are counted."""
    lines = [line for line in data.decode('utf-8-sig', 'replace').splitlines() if line.strip()]
    texts = [line for line in lines if '\ufffd' not in line and '\0' not in line]
    discarded['malformed'] += len(lines) - len(texts)
    return texts


def _table(
    rows: Sequence[str], columns: tuple[int, ...], discarded: DiscardCounts,
) -> tuple[Array, npt.NDArray[np.intp]]:
    """Read numbers (R, columns) and the indices (R,) of their rows; count malformed rows.

    A number that is missing is NaN. Raises SessionError when every row is malformed.
    """
    if not rows:
        return np.empty((0, len(columns))), np.empty(0, np.intp)
    try:
        return np.loadtxt(rows, delimiter=',', usecols=columns, ndmin=2), np.arange(len(rows))
    except ValueError:
        numbers = [_numbers(row, columns) for row in rows]
    kept = [index for index, found in enumerate(numbers) if found is not None]
    discarded['malformed'] += len(rows) - len(kept)
    if not kept:
        raise SessionError(f'none of its {len(rows)} rows can be read, such as {rows[0][:80]!r}')
    return np.array([numbers[index] for index in kept], np.float64), np.array(kept, np.intp)


def _numbers(row: str, columns: tuple[int, ...]) -> list[float] | None:
    """Read some columns of a row; None when it is cut or holds another text."""
    fields = [field.strip() for field in row.split(',')]
    try:
        return [np.nan if fields[column].lower() in MISSING_NUMBERS else float(fields[column])
                for column in columns]
    except (IndexError, ValueError):
        return None
