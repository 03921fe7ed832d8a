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

import gzip
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros.cli.main import main
from utt_ros.geometry.camera import CameraModel
from utt_ros.sessions.session_bags import find_sessions, read_area, read_session, read_split
from utt_ros.sessions.vifi.dataset_layout import find_recordings
from utt_ros.sessions.vifi.importer import read_recording

pytestmark = pytest.mark.slow

START = 1_600_000_000.0
FRAMES, SUBJECTS = 40, 2
TIMES = START + np.arange(FRAMES) / 10
MINI = Path(__file__).parents[4] / 'shared' / 'data' / 'realwalk-mini'


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == '.gz' else data)


def put_array(folder: Path, name: str, array: Any) -> None:
    array = np.asarray(array, dtype=np.float64)[:, :, None]
    put(folder / 'sync_ts16_dfv4p4' / f'{name}_sync_dfv4p4.pkl', pickle.dumps(array, 4))


def put_times(folder: Path, times: Any) -> None:
    put(folder / 'RGBg_ts16_dfv4p4_ls.json',
        json.dumps([f'{time:.6f}' for time in times]).encode())


def boxes() -> Any:
    array = np.full((FRAMES, SUBJECTS, 5), [640.0, 360, 4.5, 60, 200])
    array[..., 0] += np.arange(FRAMES)[:, None]
    array[:5, 0] = np.nan
    array[10, 1, 2] = np.nan
    return array


def ranges() -> Any:
    """New ranges at frames 1, 4, 7, ...; nothing is known of subject 1 from frame 20 on."""
    array = np.stack([1000.0 * (1 + (np.arange(FRAMES) + 2) // 3), np.full(FRAMES, 250.0)], -1)
    both = np.stack([array, array + 7], axis=1)
    both[20:, 1] = np.nan
    return both


def inertial(order: str = 'agm') -> Any:
    accel, gyro, mag = [0.5, 1.0, 9.7], [0.1, 0.2, 0.3], [20.0, -5.0, 40.0]
    gravity, linear, quaternion = [0.0, 0.3, 9.8], [0.5, 0.7, -0.1], [0.0, 0.0, 0.6, 0.8]
    row = {'agm': accel + gyro + mag + gravity + linear + quaternion,
           'alg': accel + gravity + linear + quaternion + mag + gyro,
           'odd': gravity + accel + linear + mag + gyro + quaternion}[order]
    return np.tile(row, (FRAMES, SUBJECTS, 1))


def wifi_rows(count: int = 12) -> list[str]:
    return [f'{START * 1e3 + 300 * i:.0f},WiFi-FTM, 02:00:00:00:00:07,{2500.0 + i},400.0,8.0,7.0,'
            f'{9000 + i},-61.0,0.0,123' for i in range(count)]


def imu_rows(count: int = 80) -> list[str]:
    return [f'{START * 1e3 + 20 * i:.0f},{tag},{values}' for i in range(count) for tag, values in (
        ('ACCEL', f'{i}.5,1.0,9.7'), ('GYRO', '0.1,0.2,0.3'), ('MAG', '20.0,-5.0,40.0'),
        ('Quaternion', '0,0,0.6,0.8'))]


def truth_rows() -> list[str]:
    return ['t_unix,subject,x_m,y_m,heading_rad', *(
        f'{time:.3f},{subject},{i}.25,-1.5,0.75' for subject in range(SUBJECTS)
        for i, time in enumerate(TIMES))]


def put_rows(path: Path, rows: list[str]) -> None:
    put(path, '\n'.join([*rows, '']).encode())


def make(root: Path, name: str = '20200101_000000', scene: str = 'indoor/scene0',
         raw: bool = True) -> Path:
    """One whole sequence."""
    folder = root / 'seqs' / scene / name
    put_times(folder, TIMES)
    put_array(folder, 'BBX5', boxes())
    put_array(folder, 'FTM', ranges())
    put_array(folder, 'RSSI', np.full((FRAMES, SUBJECTS, 1), -55.0))
    put_array(folder, 'IMU19', inertial())
    if raw:
        for i in range(SUBJECTS):
            put_rows(folder / 'WiFi' / f'Subject{i}.csv.gz', wifi_rows())
            put_rows(folder / 'IMU' / f'Subject{i}.csv', imu_rows())
        put_rows(folder / 'GND' / 'positions.csv.gz', truth_rows())
    return folder


def utt_import(source: Path, out: Path, *options: str) -> int:
    return main(['import', 'vifi', str(source), '--out', str(out), '--jobs', '1', *options])


def imported(source: Path, out: Path) -> Any:
    assert utt_import(source, out) == 0
    (bags,) = find_sessions(out).values()
    return read_session(bags[0])


def test_raw_files_are_read_at_their_own_rates_in_si_units(tmp_path: Path) -> None:
    make(tmp_path)
    session = imported(tmp_path, tmp_path / 'out')
    assert (session.area, session.name, session.split) == ('scene0', '20200101_000000', '')
    phone = session.phones['subject0']
    assert phone.inertial_stamps_ns.tolist() == [int(START) * 10**9 + i * 20_000_000
                                                 for i in range(80)]
    assert phone.inertial[3] == pytest.approx([3.5, 1.0, 9.7, 0.1, 0.2, 0.3])
    assert phone.magnetic[3] == pytest.approx([20e-6, -5e-6, 40e-6])
    assert phone.ftm[4] == pytest.approx([2.504, 0.4])
    assert phone.ftm_signal[4].tolist() == [-61, 8, 7]
    assert phone.ap == '02:00:00:00:00:07'
    truth = session.truth['subject1']
    assert truth.stamps_ns[3] == int(START) * 10**9 + 300_000_000
    assert (*truth.positions_m[3], truth.headings_rad[3]) == pytest.approx((3.25, -1.5, 0.75))


def test_boxes_carry_subject_and_track_and_are_absent_where_unseen(tmp_path: Path) -> None:
    make(tmp_path)
    frames = imported(tmp_path, tmp_path / 'out').frames
    assert np.diff(frames.starts).tolist() == [1] * 5 + [2] * 35
    assert frames.subjects[:7] == ('subject1',) * 5 + ('subject0', 'subject1')
    assert frames.track_ids[:7] == ('track1',) * 5 + ('track0', 'track1')
    assert frames.boxes[0].tolist() == [640, 360, 4.5, 60, 200]
    row = frames.starts[10] + 1
    assert np.isnan(frames.boxes[row, 2])
    assert frames.boxes[row, 0] == 650


def test_without_raw_files_the_synchronised_arrays_are_read(tmp_path: Path) -> None:
    folder = make(tmp_path, raw=False)
    put(folder / 'sync_ts16_dfv4p4' / 'FTM_li_sync_dfv4p4.pkl', b'interpolated: not to be read')
    session = imported(tmp_path, tmp_path / 'out')
    assert session.truth == {}
    first, second = session.phones['subject0'], session.phones['subject1']
    assert first.inertial_stamps_ns.tolist() == session.frames.stamps_ns.tolist()
    assert first.inertial[0] == pytest.approx([0.5, 1.0, 9.7, 0.1, 0.2, 0.3])
    assert first.magnetic[0] == pytest.approx([20e-6, -5e-6, 40e-6])
    frame = (first.ftm_stamps_ns - int(START) * 10**9) // 10**8
    assert frame.tolist() == [0, *range(2, FRAMES, 3)]  # the middle of each run of three
    assert first.ftm[:3] == pytest.approx(np.array([[1, .25], [2, .25], [3, .25]]))
    assert first.ftm_signal[0].tolist() == [-55, 0, 0]
    assert len(second.ftm) == 8


def test_names_of_indoor_files_are_read_and_boxes_of_bystanders_are_not(tmp_path: Path) -> None:
    folder = make(tmp_path)
    sync = folder / 'sync_ts16_dfv4p4'
    (sync / 'BBX5_sync_dfv4p4.pkl').rename(sync / 'BBX5H_sync_dfv4p4.pkl')
    (folder / 'RGBg_ts16_dfv4p4_ls.json').rename(folder / 'RGBh_ts16_dfv4p4_ls.json')
    put_times(folder, np.arange(FRAMES + 170))  # a list of all frames, longer than the arrays
    put_array(folder, 'BBX5_Others', np.zeros((FRAMES, 9, 5)))
    frames = imported(tmp_path, tmp_path / 'out').frames
    assert len(frames.boxes) == 2 * FRAMES - 5
    assert frames.stamps_ns[0] == START * 1e9


def test_rows_out_of_order_repeated_or_not_finite_are_discarded_and_counted(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path)
    rows = wifi_rows()
    wrong = [rows[0].replace('2500.0', 'nan'), 'nan' + rows[0][13:], rows[2]]
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz', [*rows[6:], *rows[:6], *wrong])
    times = TIMES.copy()
    times[7] = np.nan
    times[[20, 21]] = times[[21, 20]]
    put_times(folder, times)
    session = imported(tmp_path, tmp_path / 'out')
    assert session.phones['subject0'].ftm[:, 0] == pytest.approx(2.5 + np.arange(12) / 1e3)
    assert len(session.frames.stamps_ns) == FRAMES - 1
    assert (np.diff(session.frames.stamps_ns) > 0).all()
    assert '3 not finite, 3 out of order, 1 repeated' in capsys.readouterr().out


def cut_pickle(folder: Path) -> None:
    path = folder / 'sync_ts16_dfv4p4' / 'BBX5_sync_dfv4p4.pkl'
    path.write_bytes(path.read_bytes()[:400])


class Malice:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f'touch {self.mark}',)


def poison(folder: Path) -> None:
    put(folder / 'sync_ts16_dfv4p4' / 'FTM_sync_dfv4p4.pkl',
        pickle.dumps(Malice(folder / 'owned'), 4))


def no_times(folder: Path) -> None:
    (folder / 'RGBg_ts16_dfv4p4_ls.json').unlink()


def other_count_of_times(folder: Path) -> None:
    put_times(folder, TIMES[:-1])


def mangled_times(folder: Path) -> None:
    put(folder / 'RGBg_ts16_dfv4p4_ls.json', b'["a", {}]')


def other_shape(folder: Path) -> None:
    put_array(folder, 'FTM', np.zeros((FRAMES, SUBJECTS, 3)))


def other_subjects(folder: Path) -> None:
    put_array(folder, 'IMU19', np.concatenate([inertial(), inertial()], axis=1))


def other_order(folder: Path) -> None:
    put_array(folder, 'IMU19', inertial('odd'))


def empty_csv(folder: Path) -> None:
    put_rows(folder / 'WiFi' / 'Subject1.csv.gz', [])


def text_for_numbers(folder: Path) -> None:
    put_rows(folder / 'IMU' / 'Subject0.csv', [*imu_rows(), '12,ACCEL,1,two,3'])


def short_row(folder: Path) -> None:
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz', [*wifi_rows(), '12,WiFi-FTM,3'])


def cut_gzip(folder: Path) -> None:
    path = folder / 'WiFi' / 'Subject0.csv.gz'
    path.write_bytes(path.read_bytes()[:-30])


def binary_csv(folder: Path) -> None:
    put(folder / 'IMU' / 'Subject0.csv', bytes(range(256)))


def no_gyroscope(folder: Path) -> None:
    put_rows(folder / 'IMU' / 'Subject0.csv', [row for row in imu_rows() if 'GYRO' not in row])


def unknown_subject(folder: Path) -> None:
    put_rows(folder / 'WiFi' / 'Subject5.csv.gz', wifi_rows())


def nameless_file(folder: Path) -> None:
    put_rows(folder / 'IMU' / 'nicholas.csv', imu_rows())


def broken_truth(folder: Path) -> None:
    put_rows(folder / 'GND' / 'positions.csv.gz', ['header', '1,2'])


def without_magnetometer(folder: Path) -> None:
    put_rows(folder / 'IMU' / 'Subject0.csv', [row for row in imu_rows() if 'MAG' not in row])


def header_only(folder: Path) -> None:
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz', ['time,type,mac,range,std'])


def failures_only(folder: Path) -> None:
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz',
             [row.replace('-61.0,0.0', '-61.0,1.0') for row in wifi_rows()])


def words(folder: Path) -> None:
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz', [
        *wifi_rows(), wifi_rows(13)[-1].replace('400.0', 'NULL'),
        wifi_rows(14)[-1].replace('400.0', ''), wifi_rows(15)[-1].replace('400.0', 'x')])


def zeros_at_the_end(folder: Path) -> None:
    path = folder / 'IMU' / 'Subject0.csv'
    path.write_bytes(path.read_bytes() + bytes(100) + b'\xff\xfe\n')


def blank_lines(folder: Path) -> None:
    put_rows(folder / 'IMU' / 'Subject0.csv', ['', *imu_rows(), '', '   '])


def cut_truth(folder: Path) -> None:
    put_rows(folder / 'GND' / 'positions.csv.gz', [*truth_rows(), '160000'])


def files_of_a_mac(folder: Path) -> None:
    for name in ('WiFi/._Subject0.csv.gz', 'IMU/._Subject0.csv', 'IMU/.DS_Store'):
        put(folder / name, b'\x00\x05\x16\x07')


def copies(folder: Path) -> None:
    for name in ('Subject0 (1).csv', 'Subject0(2).csv', 'Subject0 - Copy.csv',
                 'Subject0 copy 2.csv', 'Subject1.csv.gz'):
        put_rows(folder / 'IMU' / name, imu_rows(5))


def renamed_by_a_browser(folder: Path) -> None:
    (folder / 'IMU' / 'Subject0.csv').rename(folder / 'IMU' / 'Subject0 (1).csv')


def second_access_point(folder: Path) -> None:
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz', [*wifi_rows(), *(
        row.replace(':07', ':08').replace('160000', '160001') for row in wifi_rows(3))])


def test_ranges_of_listed_access_points_are_kept_with_their_addresses(tmp_path: Path) -> None:
    folder = make(tmp_path)
    others = (row.replace(':07', f':{ap}') for ap, count in (('08', 3), ('09', 2))
              for row in wifi_rows(count))  # at the times of the first
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz', [*wifi_rows(), *others])
    recording, = find_recordings(tmp_path)
    listed = ('02:00:00:00:00:07', '02:00:00:00:00:08')
    session, discarded = read_recording(recording, listed)
    phone = session.phones['subject0']
    assert phone.range_aps == (*listed * 3, *listed[:1] * 9)
    assert (np.diff(phone.ftm_stamps_ns) >= 0).all()
    assert phone.ap == listed[0]
    assert discarded['of further access points'] == 2
    alone = read_recording(recording)[0].phones['subject0']
    assert np.array_equal(alone.ftm, phone.ftm[[ap == listed[0] for ap in phone.range_aps]])


PARTIAL = [  # what the damage costs: ranges, IMU and compass rows that are left, and its count
    (empty_csv, (12, 80, 80), 'raw files without measurements'),
    (text_for_numbers, (12, 80, 80), '1 malformed'),
    (short_row, (12, 80, 80), '1 malformed'),
    (cut_gzip, (0, 80, 80), '1 cut files'),
    (binary_csv, (12, 40, 40), '2 malformed, 1 raw files without measurements'),
    (no_gyroscope, (12, 40, 40), 'raw files without measurements'),
    (without_magnetometer, (12, 80, 0), ''),
    (header_only, (14, 80, 80), 'raw files without measurements'),
    (failures_only, (14, 80, 80), 'raw files without measurements'),
    (words, (12, 80, 80), '1 malformed, 2 not finite'),
    (zeros_at_the_end, (12, 80, 80), '1 malformed'),
    (blank_lines, (12, 80, 80), ''),
    (cut_truth, (12, 80, 80), '1 malformed'),
    (files_of_a_mac, (12, 80, 80), ''),
    (copies, (12, 80, 80), '5 copies of files'),
    (renamed_by_a_browser, (12, 80, 80), ''),
    (second_access_point, (12, 80, 80), '3 of further access points'),
]


@pytest.mark.parametrize(('damage', 'left', 'count'), PARTIAL,
                         ids=[item[0].__name__ for item in PARTIAL])
def test_damage_of_a_file_costs_what_it_is_and_is_counted(
        tmp_path: Path, damage: Callable[[Path], None], left: tuple[int, ...], count: str,
        capsys: pytest.CaptureFixture[str]) -> None:
    damage(make(tmp_path))
    phone = imported(tmp_path, tmp_path / 'out').phones['subject0']
    sizes = len(phone.ftm), len(phone.inertial), len(phone.magnetic)
    printed = capsys.readouterr().out
    assert sizes[1:] == left[1:]
    assert sizes[0] == left[0] or (damage is cut_gzip and 0 < sizes[0] < 14)
    assert count in printed
    assert bool(count) == ('discarded' in printed)


@pytest.mark.parametrize('folder', ['__MACOSX/', '.Trash/', '.git/annex/'])
def test_folders_of_archive_programs_are_no_sequences(tmp_path: Path, folder: str) -> None:
    make(tmp_path)
    put(tmp_path / folder / 'seqs/indoor/scene0/20200101_000000/IMU/._Subject0.csv', b'\0')
    assert utt_import(tmp_path, tmp_path / 'out') == 0
    assert list(find_sessions(tmp_path / 'out')) == ['scene0']


def ranges_of(rows: list[str]) -> Any:
    """Synchronised ranges of raw rows, repeated in the three frames of each."""
    values = [float(row.split(',')[3]) for row in rows]
    return np.array([[[values[min(i // 3, len(values) - 1)], 400.0]] * SUBJECTS
                     for i in range(FRAMES)])


@pytest.mark.parametrize('offset_s', [-9.5, -3.461, -2.219, -0.7, 0.7, 1.8, 12.0])
def test_a_clock_that_differs_from_the_synchronised_copy_is_corrected_and_counted(
        tmp_path: Path, offset_s: float, capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture) -> None:
    folder = make(tmp_path)
    put_array(folder, 'FTM', ranges_of(wifi_rows()))
    for name, rows in (('WiFi/Subject0.csv.gz', wifi_rows()), ('IMU/Subject0.csv', imu_rows())):
        moved = [f'{float(stamp) + offset_s * 1e3:.0f},{rest}'
                 for stamp, rest in (row.split(',', 1) for row in rows)]
        put_rows(folder / name, moved)
    phones = imported(tmp_path, tmp_path / 'out').phones
    for name in ('ftm_stamps_ns', 'inertial_stamps_ns', 'magnetic_stamps_ns'):
        right, moved_ns = (getattr(phones[phone], name) for phone in ('subject1', 'subject0'))
        assert moved_ns == pytest.approx(right, abs=200e6)
    assert '1 phone clocks corrected' in capsys.readouterr().out
    assert 'are added to the clock of subject0' in caplog.text


def test_a_clock_without_a_matching_copy_is_left_and_suspected(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path)
    put_rows(folder / 'WiFi' / 'Subject0.csv.gz', [
        f'{float(stamp) - 3000:.0f},{rest}'
        for stamp, rest in (row.split(',', 1) for row in wifi_rows(14))])
    imported(tmp_path, tmp_path / 'out')
    assert '1 phone clocks that may be off' in capsys.readouterr().out


BROKEN = [
    (cut_pickle, 'BBX5_sync_dfv4p4.pkl: it is not a complete pickle'),
    (poison, 'system: only numpy arrays are allowed'),
    (no_times, 'no list of 40 frame times'),
    (other_count_of_times, "no list of 40 frame times: {'RGBg_ts16_dfv4p4_ls.json': 39}"),
    (mangled_times, 'RGBg_ts16_dfv4p4_ls.json: '),
    (other_shape, 'FTM_sync_dfv4p4.pkl: shape (40, 2, 1, 3): it must be (T, subjects, 1, 2)'),
    (other_subjects, "(frames, subjects) differ: {'BBX5': (40, 2)"),
    (other_order, 'IMU19_sync_dfv4p4.pkl: in no known order'),
    (unknown_subject, 'there is a subject 5, but the synchronised arrays have 2'),
    (nameless_file, 'nicholas.csv: it must be named'),
    (broken_truth, 'GND/positions.csv.gz: '),
]


@pytest.mark.parametrize(('damage', 'reason'), BROKEN, ids=[item[0].__name__ for item in BROKEN])
def test_a_broken_sequence_is_reported_and_skipped_and_the_others_are_imported(
        tmp_path: Path, damage: Callable[[Path], None], reason: str,
        capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, 'good')
    broken = make(tmp_path, 'broken')
    damage(broken)
    assert utt_import(tmp_path, tmp_path / 'out') == 0
    printed = capsys.readouterr()
    assert 'scene0/broken is skipped' in printed.err
    assert reason in printed.err
    assert '1 written, 0 kept, 1 skipped' in printed.out
    assert [bag.name for bag in find_sessions(tmp_path / 'out')['scene0']] == ['good']
    assert not (broken / 'owned').exists()


def test_files_with_any_byte_changed_never_end_the_import(
        tmp_path: Path, rng: np.random.Generator) -> None:
    make(tmp_path, 'good')
    for i in range(30):
        folder = make(tmp_path, f'fuzzed{i}')
        files = sorted(path for path in folder.rglob('*') if path.is_file())
        path = files[rng.integers(len(files))]
        data = bytearray(path.read_bytes())
        for position in rng.integers(0, len(data), 3):
            data[position] = rng.integers(256)
        path.write_bytes(data)
    assert utt_import(tmp_path, tmp_path / 'out') == 0


def test_the_exit_code_is_1_when_every_sequence_is_broken(tmp_path: Path) -> None:
    cut_pickle(make(tmp_path))
    assert utt_import(tmp_path, tmp_path / 'out') == 1


def test_a_stopped_import_continues_and_keeps_complete_bags(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, 'first')
    assert utt_import(tmp_path, tmp_path / 'out') == 0
    bag = tmp_path / 'out' / 'scene0' / 'first' / 'metadata.yaml'
    area = tmp_path / 'out' / 'scene0' / 'area.yaml'
    area.write_text(area.read_text().replace('magnetic_yaw: 0.0', 'magnetic_yaw: 0.3'))
    written = bag.stat().st_mtime_ns
    make(tmp_path, 'second')
    assert utt_import(tmp_path, tmp_path / 'out') == 0
    assert '1 written, 1 kept' in capsys.readouterr().out
    assert bag.stat().st_mtime_ns == written
    assert read_area(tmp_path / 'out' / 'scene0').magnetic_yaw == 0.3
    assert utt_import(tmp_path, tmp_path / 'out', '--force') == 0
    assert bag.stat().st_mtime_ns > written


def test_splits_are_kept_and_can_be_chosen(tmp_path: Path) -> None:
    for name in ('a', 'b', 'c'):
        make(tmp_path, name)
    splits = {'train': ['indoor/scene0/a'], 'test': ['indoor/scene0/b', 'indoor/scene0/c']}
    put(tmp_path / 'splits.json', json.dumps(splits).encode())
    assert utt_import(tmp_path, tmp_path / 'out', '--split', 'test', 'val') == 0
    bags = find_sessions(tmp_path / 'out')['scene0']
    assert [(bag.name, read_split(bag)) for bag in bags] == [('b', 'test'), ('c', 'test')]
    assert utt_import(tmp_path, tmp_path / 'out', '--split', 'val') == 2


def test_without_scenes_json_the_camera_is_a_zed2(tmp_path: Path) -> None:
    folder = make(tmp_path, scene='outdoor/scene4')
    for path in folder.glob('sync_*/BBX5*'):
        path.unlink()
    assert utt_import(tmp_path, tmp_path / 'out') == 0
    area = read_area(tmp_path / 'out' / 'scene4')
    assert (area.fx, area.image_width) == (528.365, 1280)
    assert area.modalities == ('ftm', 'imu')
    assert read_session(tmp_path / 'out' / 'scene4' / folder.name).frames is None


def test_several_processes_write_the_same(tmp_path: Path) -> None:
    for name in ('a', 'b', 'broken'):
        make(tmp_path, name)
    cut_pickle(tmp_path / 'seqs/indoor/scene0/broken')
    assert utt_import(tmp_path, tmp_path / 'one') == 0
    assert main(['import', 'vifi', str(tmp_path), '--out', str(tmp_path / 'two'),
                 '--jobs', '2']) == 0
    for name in ('a', 'b'):
        one, two = ((tmp_path / out / 'scene0' / name / f'{name}_0.mcap').read_bytes()
                    for out in ('one', 'two'))
        assert one == two


@pytest.mark.skipif(not MINI.is_dir(), reason='the recorded benchmark is not here')
def test_the_recorded_benchmark_is_imported_and_agrees_with_its_truth(tmp_path: Path) -> None:
    assert utt_import(MINI, tmp_path) == 0
    bags = find_sessions(tmp_path)['scene0']
    assert len(bags) == 3
    assert {read_split(bag) for bag in bags} <= {'train', 'val', 'test'}
    session = read_session(bags[0])
    area = read_area(tmp_path / 'scene0')
    frames = session.frames
    assert frames is not None
    frame = np.repeat(frames.stamps_ns, np.diff(frames.starts))
    seen = np.array([subject == 'subject0' for subject in frames.subjects])
    truth = session.truth['subject0']
    where = np.stack([np.interp(frame[seen], truth.stamps_ns, axis)
                      for axis in truth.positions_m.T], axis=1)
    errors = np.linalg.norm(CameraModel(area).back_project(frames.boxes[seen]) - where, axis=1)
    assert np.median(errors) < 0.3
    phone = session.phones['subject0']
    assert np.median(np.diff(phone.inertial_stamps_ns)) == pytest.approx(20e6, rel=0.05)
    assert np.median(np.diff(phone.ftm_stamps_ns)) == pytest.approx(333e6, rel=0.1)
    assert np.linalg.norm(phone.inertial[:, :3], axis=1).mean() == pytest.approx(9.8, abs=0.5)
    assert 20e-6 < np.linalg.norm(phone.magnetic, axis=1).mean() < 80e-6
