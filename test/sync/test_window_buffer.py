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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.settings import WindowSettings
from utt_ros.sync.window_buffer import (
    MAX_WINDOW_SUBJECTS,
    WindowBuffer,
    WindowCutter,
    cut_windows,
)
from utt_ros.types import FURTHER_FTM, SyncedBatch

MS = 1_000_000
C = 2


def batch(at_ms, subjects=('a',), epoch=0, sequence=0, rows=C):
    """Return a tick whose values are its time and whose masks are true."""
    n = len(subjects)
    return SyncedBatch(
        stamp_ns=at_ms * MS, epoch=epoch, sequence=sequence, camera_tick=True,
        subjects=tuple(subjects), track_ids=('',) * n, association=np.ones(n, np.float32),
        camera=np.full((n, 5), at_ms, np.float32), camera_mask=np.ones(n, bool),
        ftm=np.full((n, 2), at_ms, np.float32), ftm_age_s=np.zeros(n, np.float32),
        ftm_mask=np.ones(n, bool), imu=np.full((n, rows, 9), at_ms, np.float32),
        imu_mask=np.ones((n, rows), bool))


def ranged(at_ms, subjects=('a',), further=2):
    """Return a tick with ranges of further access points; that of the last one is not new."""
    tick, shape = batch(at_ms, subjects), (len(subjects), further)
    mask = np.ones(shape, bool)
    mask[:, -1] = False
    values = at_ms + np.arange(further)
    return replace(
        tick, further_ftm=np.broadcast_to(values[:, None], (*shape, 2)).astype(np.float32),
        further_ftm_age_s=np.zeros(shape, np.float32), further_ftm_mask=mask)


def buffer_of(*batches, ticks=4):
    buffer = WindowBuffer(ticks, C)
    for each in batches:
        buffer.push(each)
    return buffer


def column(windows, row=0):
    """Return the times of a window's ticks, 0 where masked."""
    camera, imu = windows.values['camera'][row, :, 0], windows.values['imu'][row, :, 0]
    assert (windows.masks['camera'][row] == (camera != 0)).all()
    assert (imu == np.repeat(camera, C)).all()
    assert (windows.masks['imu'][row] == (imu != 0)).all()
    assert (windows.values['ftm'][row, :, 1] == camera).all()
    return camera.tolist()


def test_window_holds_the_last_ticks_and_masks_what_was_before():
    buffer = buffer_of(batch(100), batch(200))
    windows = buffer.windows()
    assert windows.subjects == ('a',)
    assert windows.stamps_ns.tolist() == [200 * MS]
    assert {name: value.shape for name, value in windows.values.items()} == {
        'camera': (1, 4, 5), 'ftm': (1, 4, 2), 'imu': (1, 8, 9)}
    assert column(windows) == [0, 0, 100, 200]
    assert buffer.length == 2


def test_a_window_holds_new_ranges_of_every_access_point():
    ticks = (ranged(at_ms, ('a', 'b'), 3) for at_ms in range(100, 900, 100))
    windows = buffer_of(*ticks).windows()
    assert windows.values[FURTHER_FTM].shape == (2, 4, 3, 2)
    assert windows.masks[FURTHER_FTM][1].tolist() == [[True, True, False]] * 4
    assert windows.values[FURTHER_FTM][1, :, :, 0].tolist() == [
        [at_ms, at_ms + 1, 0] for at_ms in (500, 600, 700, 800)]


def test_ranges_of_further_access_points_change_nothing_else():
    without, several = (buffer_of(*map(make, (100, 200))).windows() for make in (batch, ranged))
    assert several.values.keys() - without.values.keys() == {FURTHER_FTM}
    for name in without.values:
        assert several.values[name].tobytes() == without.values[name].tobytes()
        assert several.masks[name].tobytes() == without.masks[name].tobytes()


def test_another_number_of_access_points_empties_the_buffer():
    buffer = buffer_of(ranged(100), ranged(200), batch(300))
    assert FURTHER_FTM not in buffer.windows().values
    assert column(buffer.windows()) == [0, 0, 0, 300]
    buffer.push(ranged(400, further=1))
    assert buffer.length == 1
    assert buffer.windows().values[FURTHER_FTM].shape == (1, 4, 1, 2)


def test_a_window_holds_the_newest_ticks_after_any_number_of_them():
    buffer = WindowBuffer(4, C)
    for at_ms in range(100, 5000, 100):
        buffer.push(batch(at_ms))
        newest = [max(at_ms - back, 0) for back in (300, 200, 100, 0)]
        assert column(buffer.windows()) == newest
    assert buffer.length == 4


@pytest.mark.parametrize(('stamp', 'expected'), [
    (320, [100, 200, 300, 320]), (449, [100, 200, 300, 449]), (450, [200, 300, 0, 450]),
    (600, [300, 0, 0, 600]), (700, [0, 0, 0, 700]), (10**9, [0, 0, 0, 10**9])])
def test_missing_ticks_are_masked(stamp, expected):
    buffer = buffer_of(*(batch(at_ms) for at_ms in (100, 200, 300)), batch(stamp))
    assert column(buffer.windows()) == [np.float32(each) for each in expected]


def test_subject_that_was_absent_is_masked_there():
    buffer = buffer_of(batch(100, 'ab'), batch(200, 'b'), batch(300, 'ab'))
    windows = buffer.windows()
    assert windows.subjects == ('a', 'b')
    assert column(windows, 0) == [0, 100, 0, 300]
    assert column(windows, 1) == [0, 100, 200, 300]


def test_windows_of_given_subjects_keep_their_order_and_mask_unknown_ones():
    buffer = buffer_of(batch(100, 'ab'), batch(200, 'b'))
    windows = buffer.windows(['x', 'b', 'a'])
    assert windows.subjects == ('x', 'b', 'a')
    assert [column(windows, row) for row in range(3)] == [
        [0, 0, 0, 0], [0, 0, 100, 200], [0, 0, 100, 0]]


def test_subject_absent_for_a_whole_window_gives_its_row_to_another():
    buffer = buffer_of(*(batch(100 * k, (f's{k // 10}',)) for k in range(1, 500)))
    assert len(buffer._rows) == 1
    assert len(buffer._masks['imu']) == 8
    assert column(buffer.windows(['s0', 's49']), 0) == [0, 0, 0, 0]


@pytest.mark.parametrize('restart', [batch(900, epoch=1), batch(200), batch(300)])
def test_an_epoch_or_a_stamp_that_does_not_increase_empties_the_buffer(restart):
    buffer = buffer_of(batch(100), batch(200), batch(300), restart)
    assert column(buffer.windows()) == [0, 0, 0, restart.stamp_ns // MS]
    assert buffer.length == 1


def test_masked_values_are_zero_even_when_the_batch_has_others():
    wrong = batch(100)
    wrong.camera_mask[:] = False
    wrong.imu_mask[:] = False
    windows = buffer_of(wrong).windows()
    assert not windows.values['camera'].any()
    assert not windows.values['imu'].any()


def test_subjects_beyond_the_maximum_are_omitted():
    names = [f's{k:04}' for k in range(MAX_WINDOW_SUBJECTS + 3)]
    buffer = WindowBuffer(4, C)
    buffer.push(batch(100, names))
    windows = buffer.windows()
    assert windows.masks['camera'].any(axis=1).sum() == MAX_WINDOW_SUBJECTS
    assert len(buffer._masks['imu']) == MAX_WINDOW_SUBJECTS


def test_a_tick_with_another_number_of_imu_rows_raises_an_error_with_both():
    with pytest.raises(MeasurementError, match='3 rows of IMU: windows have 2'):
        WindowBuffer(4, C).push(batch(100, rows=3))


def test_windows_are_cut_at_every_stride_once_they_are_full():
    settings = WindowSettings(imu_rows=C)
    batches = [batch(100 * k, 'ab' if k != 6 else ()) for k in range(1, 12)]
    cut = list(cut_windows(batches, settings, ticks=4, stride=3))
    assert [int(each.stamps_ns[0] // MS) for each in cut] == [400, 700, 1000]
    assert column(cut[0], 1) == [100, 200, 300, 400]
    assert column(cut[1], 0) == [400, 500, 0, 700]


def chosen(windows):
    return [(int(part.stamps_ns[0] // MS), part.subjects) for part in windows]


def test_live_choice_of_windows_is_that_of_recorded_sessions_also_after_an_epoch():
    settings = WindowSettings(imu_rows=C)
    first = [batch(100 * k, 'ab' if k % 5 else 'b') for k in range(1, 17)]
    first[6] = batch(700, ())  # a window is due, but there is no subject
    second = [batch(100 * k, 'c', epoch=1) for k in range(3, 30)]
    live = WindowCutter(settings, ticks=4, stride=7)
    pushed = [windows for each in (*first, *second) if (windows := live.push(each)) is not None]
    cut = [*cut_windows(first, settings, 4, 7), *cut_windows(second, settings, 4, 7)]
    assert chosen(pushed) == chosen(cut) == [
        (400, ('a', 'b')), (1100, ('a', 'b')), (600, ('c',)), (1300, ('c',)), (2000, ('c',)),
        (2700, ('c',))]
    assert chosen(cut_windows([*first, *second], settings, 4, 7)) == chosen(cut)
    for online, offline in zip(pushed, cut, strict=True):
        for name, values in offline.values.items():
            np.testing.assert_array_equal(online.values[name], values)
            np.testing.assert_array_equal(online.masks[name], offline.masks[name])


def test_a_window_that_is_due_waits_for_a_subject():
    batches = [batch(100 * k, () if k == 4 else 'a') for k in range(1, 10)]
    cut = cut_windows(batches, WindowSettings(imu_rows=C), ticks=4, stride=3)
    assert chosen(cut) == [(500, ('a',)), (800, ('a',))]
