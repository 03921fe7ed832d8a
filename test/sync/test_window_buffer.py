import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.settings import WindowSettings
from utt_ros.sync.window_buffer import MAX_SUBJECTS, History, cut_windows
from utt_ros.types import SyncedBatch

MS = 1_000_000
C = 2


def batch(at_ms, subjects=('a',), epoch=0, sequence=0, rows=C):
    """Every number of a tick is its time, every mask is true."""
    n = len(subjects)
    return SyncedBatch(
        stamp_ns=at_ms * MS, epoch=epoch, sequence=sequence, camera_tick=True,
        subjects=tuple(subjects), track_ids=('',) * n, association=np.ones(n, np.float32),
        camera=np.full((n, 5), at_ms, np.float32), camera_mask=np.ones(n, bool),
        ftm=np.full((n, 2), at_ms, np.float32), ftm_age_s=np.zeros(n, np.float32),
        ftm_mask=np.ones(n, bool), imu=np.full((n, rows, 9), at_ms, np.float32),
        imu_mask=np.ones((n, rows), bool))


def history_of(*batches, ticks=4):
    history = History(ticks, C)
    for each in batches:
        history.push(each)
    return history


def column(windows, row=0):
    """The times of a window's ticks, 0 where masked."""
    camera, imu = windows.values['camera'][row, :, 0], windows.values['imu'][row, :, 0]
    assert (windows.masks['camera'][row] == (camera != 0)).all()
    assert (imu == np.repeat(camera, C)).all()
    assert (windows.masks['imu'][row] == (imu != 0)).all()
    assert (windows.values['ftm'][row, :, 1] == camera).all()
    return camera.tolist()


def test_window_holds_the_last_ticks_and_masks_what_was_before():
    history = history_of(batch(100), batch(200))
    windows = history.windows()
    assert windows.subjects == ('a',)
    assert windows.stamps_ns.tolist() == [200 * MS]
    assert {name: value.shape for name, value in windows.values.items()} == {
        'camera': (1, 4, 5), 'ftm': (1, 4, 2), 'imu': (1, 8, 9)}
    assert column(windows) == [0, 0, 100, 200]
    assert history.length == 2


def test_window_moves_on_for_ever():
    history = History(4, C)
    for at_ms in range(100, 5000, 100):
        history.push(batch(at_ms))
        newest = [max(at_ms - back, 0) for back in (300, 200, 100, 0)]
        assert column(history.windows()) == newest
    assert history.length == 4


@pytest.mark.parametrize(('stamp', 'expected'), [
    (320, [100, 200, 300, 320]), (449, [100, 200, 300, 449]), (450, [200, 300, 0, 450]),
    (600, [300, 0, 0, 600]), (700, [0, 0, 0, 700]), (10**9, [0, 0, 0, 10**9])])
def test_missing_ticks_are_masked(stamp, expected):
    history = history_of(*(batch(at_ms) for at_ms in (100, 200, 300)), batch(stamp))
    assert column(history.windows()) == [np.float32(each) for each in expected]


def test_subject_that_was_absent_is_masked_there():
    history = history_of(batch(100, 'ab'), batch(200, 'b'), batch(300, 'ab'))
    windows = history.windows()
    assert windows.subjects == ('a', 'b')
    assert column(windows, 0) == [0, 100, 0, 300]
    assert column(windows, 1) == [0, 100, 200, 300]


def test_windows_of_named_subjects_come_in_that_order_and_strangers_are_masked():
    history = history_of(batch(100, 'ab'), batch(200, 'b'))
    windows = history.windows(['x', 'b', 'a'])
    assert windows.subjects == ('x', 'b', 'a')
    assert [column(windows, row) for row in range(3)] == [
        [0, 0, 0, 0], [0, 0, 100, 200], [0, 0, 100, 0]]


def test_subject_absent_for_a_whole_window_gives_its_row_to_another():
    history = history_of(*(batch(100 * k, (f's{k // 10}',)) for k in range(1, 500)))
    assert len(history._rows) == 1
    assert len(history._masks['imu']) == 8
    assert column(history.windows(['s0', 's49']), 0) == [0, 0, 0, 0]


@pytest.mark.parametrize('restart', [batch(900, epoch=1), batch(200), batch(300)])
def test_epoch_and_stamp_that_does_not_increase_empty_the_history(restart):
    history = history_of(batch(100), batch(200), batch(300), restart)
    assert column(history.windows()) == [0, 0, 0, restart.stamp_ns // MS]
    assert history.length == 1


def test_masked_values_are_zero_even_when_the_batch_has_others():
    wrong = batch(100)
    wrong.camera_mask[:] = False
    wrong.imu_mask[:] = False
    windows = history_of(wrong).windows()
    assert not windows.values['camera'].any()
    assert not windows.values['imu'].any()


def test_subjects_beyond_the_most_are_left_out():
    names = [f's{k:04}' for k in range(MAX_SUBJECTS + 3)]
    history = History(4, C)
    history.push(batch(100, names))
    windows = history.windows()
    assert windows.masks['camera'].any(axis=1).sum() == MAX_SUBJECTS
    assert len(history._masks['imu']) == MAX_SUBJECTS


def test_tick_with_another_number_of_imu_rows_is_an_error_that_names_both():
    with pytest.raises(MeasurementError, match='3 rows of IMU: windows have 2'):
        History(4, C).push(batch(100, rows=3))


def test_windows_are_cut_at_every_stride_once_they_are_full():
    settings = WindowSettings(imu_rows=C)
    batches = [batch(100 * k, 'ab' if k != 6 else ()) for k in range(1, 12)]
    cut = list(cut_windows(batches, settings, ticks=4, stride=3))
    assert [int(each.stamps_ns[0] // MS) for each in cut] == [400, 700, 1000]
    assert column(cut[0], 1) == [100, 200, 300, 400]
    assert column(cut[1], 0) == [400, 500, 0, 700]
