"""Sessions from recordings in the layout of the Vi-Fi data set, synchronised and raw.

    [seqs/](indoor|outdoor)/<scene>/<sequence>/
        RGBg_ts16_dfv4p4_ls.json           times of the camera frames
        sync_ts16_dfv4p4/*_sync_dfv4p4.pkl  one row per camera frame
        WiFi/Subject<i>.csv[.gz]  IMU/Subject<i>.csv[.gz]  native rates, preferred
        GND/positions.csv.gz                truth, where it is known
    splits.json  scenes.json                split of a sequence, geometry of a scene

A scene becomes an area, Subject<i> the phone `subject<i>`, the boxes in column i the track
`track<i>` that is labelled with it. Interpolated arrays (`_li`) hold later samples and are never
read.
"""

import re
from pathlib import Path

import numpy as np

from utt_ros.errors import SessionError
from utt_ros.sessions.session_bags import write_session
from utt_ros.sessions.vifi.dataset_layout import SYNC, Recording
from utt_ros.sessions.vifi.sequence_files import (
    Motion,
    Ranging,
    Tally,
    in_order,
    read_array,
    read_imu,
    read_imu19,
    read_times,
    read_truth,
    read_wifi,
    seconds_to_ns,
    synced_motion,
    synced_ranging,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, Frames, PhoneStreams, Session

TIMES = tuple(f'{name}_ts16_dfv4p4_ls.json' for name in ('RGBg', 'RGBh', 'RGB'))
ARRAYS = {'BBX5H': 5, 'BBX5': 5, 'FTM': 2, 'RSSI': 1, 'IMU19': 19, 'IMUagm9': 9}
ALIASES = {'BBX5H': 'BBX5', 'IMU19': 'IMU', 'IMUagm9': 'IMU'}
SUBJECT = re.compile(r'Subject(\d+)\.csv(\.gz)?')


def import_recording(recording: Recording, area: AreaSettings, bag: Path) -> Tally:
    """Write a sequence as a bag; returns what was sorted out. Raises SessionError."""
    session, tally = read_recording(recording)
    write_session(session, area, bag)
    return tally


def read_recording(recording: Recording) -> tuple[Session, Tally]:
    """Read a sequence; also counts of what was sorted out. Raises SessionError."""
    tally: Tally = Tally()
    folder = recording.folder
    times, arrays = _synced(folder, tally)
    wifi, imu, gnd = _raw(folder / 'WiFi'), _raw(folder / 'IMU'), folder / 'GND/positions.csv.gz'
    truth = read_truth(gnd, tally) if gnd.is_file() else {}
    subjects = sorted({*wifi, *imu, *truth})
    if arrays:
        columns = next(iter(arrays.values())).shape[1]
        if subjects and subjects[-1] >= columns:
            raise SessionError(f'{folder}: there is a subject {subjects[-1]}, '
                               f'but the synchronised arrays have {columns}, counted from 0')
        subjects = list(range(columns))
    phones = {}
    for i in subjects:
        ranging = read_wifi(wifi[i], tally) if i in wifi else _synced_ranging(times, arrays, i)
        motion = read_imu(imu[i], tally) if i in imu else _synced_motion(times, arrays, i, tally)
        if len(ranging[0]) or len(motion[0]):
            phones[f'subject{i}'] = _phone(ranging, motion)
    session = Session(
        area=recording.area,
        name=recording.name,
        split=recording.split,
        frames=_frames(times, arrays['BBX5']) if 'BBX5' in arrays else None,
        phones=phones,
        truth={f'subject{i}': found for i, found in truth.items()})
    return session, +tally


def _synced(folder: Path, tally: Tally) -> tuple[Array, dict[str, Array]]:
    """Times (T,) [s] of the frames, and by name the arrays (T, subjects, features) that exist."""
    arrays: dict[str, Array] = {}
    for name, features in ARRAYS.items():
        path = folder / SYNC / f'{name}_sync_dfv4p4.pkl'
        if path.is_file():
            array = read_imu19(path) if name == 'IMU19' else read_array(path, features)
            arrays.setdefault(ALIASES.get(name, name), array)
    shapes = {name: array.shape[:2] for name, array in arrays.items()}
    if not arrays:
        return np.empty(0), {}
    if len(set(shapes.values())) > 1:
        raise SessionError(f'{folder / SYNC}: (frames, subjects) differ: {shapes}')
    count = next(iter(shapes.values()))[0]
    lists = {path.name: read_times(path) for name in TIMES if (path := folder / name).is_file()}
    times = next((times for times in lists.values() if len(times) == count), None)
    if times is None:
        lengths = {name: len(times) for name, times in lists.items()}
        raise SessionError(f'{folder}: no list of {count} frame times: {lengths or "no list"}')
    rows = in_order(times, times, tally)
    return times[rows], {name: array[rows] for name, array in arrays.items()}


def _frames(times: Array, boxes: Array) -> Frames:
    """Camera frames of boxes (T, subjects, 5): a subject is seen where its box is finite."""
    seen = np.isfinite(boxes[..., [0, 1, 3, 4]]).all(axis=-1)
    subjects = np.nonzero(seen)[1]
    found = boxes[seen].astype(np.float32)
    found[~(found[:, 2] > 0), 2] = np.nan
    return Frames(
        stamps_ns=seconds_to_ns(times),
        starts=np.cumsum([0, *seen.sum(axis=1)], dtype=np.int64),
        boxes=found,
        subjects=tuple(f'subject{i}' for i in subjects),
        track_ids=tuple(f'track{i}' for i in subjects))


def _synced_ranging(times: Array, arrays: dict[str, Array], subject: int) -> Ranging:
    if 'FTM' not in arrays:
        return np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 3)), ''
    unknown = np.full((len(times), 1), np.nan)
    rssi = arrays['RSSI'][:, subject] if 'RSSI' in arrays else unknown
    return synced_ranging(times, arrays['FTM'][:, subject], rssi)


def _synced_motion(times: Array, arrays: dict[str, Array], subject: int, tally: Tally) -> Motion:
    agm = arrays['IMU'][:, subject] if 'IMU' in arrays else np.full((len(times), 9), np.nan)
    return synced_motion(times, agm, tally)


def _phone(ranging: Ranging, motion: Motion) -> PhoneStreams:
    ftm_stamps_ns, ftm, signal, ap = ranging
    inertial_stamps_ns, inertial, magnetic_stamps_ns, magnetic = motion
    return PhoneStreams(
        ftm_stamps_ns=ftm_stamps_ns,
        ftm=ftm.astype(np.float32),
        inertial_stamps_ns=inertial_stamps_ns,
        inertial=inertial.astype(np.float32),
        magnetic_stamps_ns=magnetic_stamps_ns,
        magnetic=magnetic.astype(np.float32),
        ftm_signal=signal.astype(np.float32),
        ap=ap)


def _raw(folder: Path) -> dict[int, Path]:
    """Raw files by subject. Raises SessionError for a file of nobody."""
    found = {}
    for path in sorted(folder.glob('*.csv*')):
        match = SUBJECT.fullmatch(path.name)
        if match is None:
            raise SessionError(f'{path}: it must be named Subject<i>.csv or Subject<i>.csv.gz')
        found[int(match[1])] = path
    return found
