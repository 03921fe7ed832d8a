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

"""Sessions from recordings in the layout of the Vi-Fi data set, synchronised and raw.

    [seqs/](indoor|outdoor)/<scene>/<sequence>/
        RGBg_ts16_dfv4p4_ls.json           times of the camera frames
        sync_ts16_dfv4p4/*_sync_dfv4p4.pkl  one row per camera frame
        WiFi/Subject<i>.csv[.gz]  IMU/Subject<i>.csv[.gz]  native rates, preferred
        GND/positions.csv.gz                ground truth, optional
    splits.json  scenes.json                split of a sequence, geometry of a scene

A scene becomes an area, Subject<i> the phone `subject<i>`, the boxes in column i the track
`track<i>` that is labelled with it. Interpolated arrays (`_li`) hold later samples and are never
read.
"""

import logging
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from utt_ros.errors import SessionError
from utt_ros.sessions.session_bags import write_session
from utt_ros.sessions.vifi.dataset_layout import SYNC_FOLDER, VifiRecording
from utt_ros.sessions.vifi.phone_clocks import MIN_OFFSET_S, compare_spans, estimate_offset
from utt_ros.sessions.vifi.sequence_files import (
    DiscardCounts,
    MotionColumns,
    RangingColumns,
    read_array,
    read_imu19,
    read_imu_csv,
    read_times,
    read_truth_csv,
    read_wifi_csv,
    seconds_to_ns,
    synced_motion,
    synced_ranging,
    valid_row_order,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, Array, Frames, PhoneStreams, Session

RawColumns = TypeVar('RawColumns', RangingColumns, MotionColumns)
LOG = logging.getLogger(__name__)

TIME_FILES = tuple(f'{name}_ts16_dfv4p4_ls.json' for name in ('RGBg', 'RGBh', 'RGB'))
ARRAY_FEATURES = {'BBX5H': 5, 'BBX5': 5, 'FTM': 2, 'RSSI': 1, 'IMU19': 19, 'IMUagm9': 9}
ARRAY_ALIASES = {'BBX5H': 'BBX5', 'IMU19': 'IMU', 'IMUagm9': 'IMU'}
SUBJECT_FILE = re.compile(r'Subject(\d+)\.csv(\.gz)?')
COPY_FILE = re.compile(  # of browsers, file managers and editors
    r'Subject(\d+)(?: ?\(\d+\)| - Copy| copy| Kopie)(?: ?\(?\d+\)?)?\.csv(?:\.gz)?')


def import_recording(recording: VifiRecording, area: AreaSettings, bag: Path) -> DiscardCounts:
    """Write a sequence as a bag; return counts of discarded rows. Raises SessionError."""
    session, discarded = read_recording(recording, area.ap_addresses)
    write_session(session, area, bag)
    return discarded


def read_recording(
    recording: VifiRecording, access_points: Sequence[str] = (),
) -> tuple[Session, DiscardCounts]:
    """Read a sequence and count discarded rows. Raises SessionError.

    `access_points` are the addresses of the area, see `read_wifi_csv`.
    """
    discarded: DiscardCounts = DiscardCounts()
    folder = recording.folder
    times, arrays = _synced(folder, discarded)
    wifi, imu = (_raw_files(folder / name, discarded) for name in ('WiFi', 'IMU'))
    gnd = folder / 'GND/positions.csv.gz'
    truth = read_truth_csv(gnd, discarded) if gnd.is_file() else {}
    subjects = sorted({*wifi, *imu, *truth})
    if arrays:
        columns = next(iter(arrays.values())).shape[1]
        if subjects and subjects[-1] >= columns:
            raise SessionError(f'{folder}: there is a subject {subjects[-1]}, '
                               f'but the synchronised arrays have {columns}, counted from 0')
        subjects = list(range(columns))
    phones = {}
    for i in subjects:
        synced = (_synced_ranging(times, arrays, i), _synced_motion(times, arrays, i, discarded))
        read_wifi = partial(read_wifi_csv, access_points=access_points)
        raw = (_raw(read_wifi, wifi.get(i), discarded),
               _raw(read_imu_csv, imu.get(i), discarded))
        offset_ns = _clock_offset(
            folder, i, (_of_first(raw[0], access_points), raw[1]), synced, discarded)
        ranging = _shifted(raw[0], offset_ns) if raw[0] is not None else synced[0]
        motion = _shifted(raw[1], offset_ns) if raw[1] is not None else synced[1]
        if len(ranging[0]) or len(motion[0]):
            phones[f'subject{i}'] = _phone(ranging, motion)
    session = Session(
        area=recording.area,
        name=recording.name,
        split=recording.split,
        frames=_frames(times, arrays['BBX5']) if 'BBX5' in arrays else None,
        phones=phones,
        truth={f'subject{i}': positions for i, positions in truth.items()})
    return session, +discarded


def _synced(folder: Path, discarded: DiscardCounts) -> tuple[Array, dict[str, Array]]:
    """Times (T,) [s] of the frames and existing arrays (T, subjects, features) by name."""
    arrays: dict[str, Array] = {}
    for name, features in ARRAY_FEATURES.items():
        path = folder / SYNC_FOLDER / f'{name}_sync_dfv4p4.pkl'
        if path.is_file():
            array = read_imu19(path) if name == 'IMU19' else read_array(path, features)
            arrays.setdefault(ARRAY_ALIASES.get(name, name), array)
    shapes = {name: array.shape[:2] for name, array in arrays.items()}
    if not arrays:
        return np.empty(0), {}
    if len(set(shapes.values())) > 1:
        raise SessionError(f'{folder / SYNC_FOLDER}: (frames, subjects) differ: {shapes}')
    count = next(iter(shapes.values()))[0]
    lists = {name: read_times(folder / name) for name in TIME_FILES if (folder / name).is_file()}
    times = next((times for times in lists.values() if len(times) == count), None)
    if times is None:
        lengths = {name: len(times) for name, times in lists.items()}
        raise SessionError(f'{folder}: no list of {count} frame times: {lengths or "no list"}')
    rows = valid_row_order(times, times, discarded)
    return times[rows], {name: array[rows] for name, array in arrays.items()}


def _frames(times: Array, boxes: Array) -> Frames:
    """Camera frames of boxes (T, subjects, 5); a subject is seen where its box is finite."""
    seen = np.isfinite(boxes[..., [0, 1, 3, 4]]).all(axis=-1)
    subjects = np.nonzero(seen)[1]
    seen_boxes = boxes[seen].astype(np.float32)
    seen_boxes[~(seen_boxes[:, 2] > 0), 2] = np.nan
    return Frames(
        stamps_ns=seconds_to_ns(times),
        starts=np.cumsum([0, *seen.sum(axis=1)], dtype=np.int64),
        boxes=seen_boxes,
        subjects=tuple(f'subject{i}' for i in subjects),
        track_ids=tuple(f'track{i}' for i in subjects))


def _synced_ranging(times: Array, arrays: dict[str, Array], subject: int) -> RangingColumns:
    if 'FTM' not in arrays:
        return np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 3)), ()
    unknown = np.full((len(times), 1), np.nan)
    rssi = arrays['RSSI'][:, subject] if 'RSSI' in arrays else unknown
    return synced_ranging(times, arrays['FTM'][:, subject], rssi)


def _synced_motion(
    times: Array, arrays: dict[str, Array], subject: int, discarded: DiscardCounts,
) -> MotionColumns:
    agm = arrays['IMU'][:, subject] if 'IMU' in arrays else np.full((len(times), 9), np.nan)
    return synced_motion(times, agm, discarded)


def _raw(
    read: Callable[[Path, DiscardCounts], RawColumns], path: Path | None, discarded: DiscardCounts,
) -> RawColumns | None:
    """Read a raw file; None when there is none, or none of its rows is a measurement."""
    if path is None:
        return None
    columns = read(path, discarded)
    if not len(columns[0]):
        discarded['raw files without measurements'] += 1
        return None
    return columns


def _of_first(
    ranging: RangingColumns | None, access_points: Sequence[str],
) -> RangingColumns | None:
    """Ranges of the first access point, as the synchronised arrays hold them."""
    if ranging is None or len(access_points) < 2:
        return ranging
    stamps_ns, ranges, signal, aps = ranging
    own = np.array([ap.lower() == access_points[0].lower() for ap in aps], bool)
    return stamps_ns[own], ranges[own], signal[own], (access_points[0],) * int(own.sum())


def _shifted(columns: RawColumns, offset_ns: int) -> RawColumns:
    """Add an offset to all stamps of some columns."""
    shifted = tuple(column + offset_ns if isinstance(column, np.ndarray)
                    and column.dtype == np.int64 else column for column in columns)
    return cast(RawColumns, shifted)


def _clock_offset(
    folder: Path, subject: int, raw: tuple[RangingColumns | None, MotionColumns | None],
    synced: tuple[RangingColumns, MotionColumns], discarded: DiscardCounts,
) -> int:
    """Estimate the time [ns] to add to the stamps of a phone; log and count one that is large."""
    offset_s, suspected_s = None, None
    for own, copy, columns in zip(raw, synced, (1, 3), strict=True):
        if own is None or not len(copy[0]):
            continue
        raw_s, synced_s = own[0] / NS_PER_S, copy[0] / NS_PER_S
        if offset_s is None:  # of rangings, else of accelerations
            offset_s = estimate_offset(
                synced_s, copy[1][:, :columns], raw_s, own[1][:, :columns])
        if suspected_s is None:
            suspected_s = compare_spans(synced_s, raw_s)
    if offset_s is not None and abs(offset_s) >= MIN_OFFSET_S:
        LOG.warning('%s: %.3f s are added to the clock of subject%d, so that its raw rows are at '
                    'the times of their synchronised copies', folder, offset_s, subject)
        discarded['phone clocks corrected'] += 1
        return round(offset_s * 1e3) * 1_000_000
    if offset_s is None and suspected_s is not None and abs(suspected_s) >= MIN_OFFSET_S:
        LOG.warning('%s: raw rows of subject%d begin and end %.1f s before the synchronised ones: '
                    'its clock may be off', folder, subject, suspected_s)
        discarded['phone clocks that may be off'] += 1
    return 0


def _phone(ranging: RangingColumns, motion: MotionColumns) -> PhoneStreams:
    ftm_stamps_ns, ftm, signal, aps = ranging
    inertial_stamps_ns, inertial, magnetic_stamps_ns, magnetic = motion
    return PhoneStreams(
        ftm_stamps_ns=ftm_stamps_ns,
        ftm=ftm.astype(np.float32),
        inertial_stamps_ns=inertial_stamps_ns,
        inertial=inertial.astype(np.float32),
        magnetic_stamps_ns=magnetic_stamps_ns,
        magnetic=magnetic.astype(np.float32),
        ftm_signal=signal.astype(np.float32),
        ap=aps[0] if aps else '',
        ftm_aps=aps if len(set(aps)) > 1 else None)


def _raw_files(folder: Path, discarded: DiscardCounts) -> dict[int, Path]:
    """Raw files by subject; further copies of one are counted.

    Raises SessionError for another file name.
    """
    files: dict[int, Path] = {}
    found: list[tuple[int, Path]] = []
    for path in sorted(folder.glob('[!.]*.csv*')):  # not ._Subject0.csv of a Mac
        if copy := COPY_FILE.fullmatch(path.name):
            found.append((int(copy[1]), path))
            continue
        match = SUBJECT_FILE.fullmatch(path.name)
        if match is None:
            raise SessionError(f'{path}: it must be named Subject<i>.csv or Subject<i>.csv.gz')
        found.append((int(match[1]), path))
    for subject, path in sorted(found, key=lambda item: not SUBJECT_FILE.fullmatch(item[1].name)):
        if files.setdefault(subject, path) != path:  # Subject0.csv before its .gz and copies
            discarded['copies of files'] += 1
    return files
