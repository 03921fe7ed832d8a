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

import math

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.settings import WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer

MS = 1_000_000
T0 = 1_700_000_000_000_000_000
BOX = (600.0, 300.0, 5.0, 50.0, 100.0)
STILL = (0.0, 0.0, 9.81, 0.0, 0.0, 0.0)
FIELD = (0.0, 2e-5, -4e-5)


def tracks(synchronizer, at_ms, subjects=(), boxes=None, confidence=None):
    boxes = [BOX] * len(subjects) if boxes is None else boxes
    ids = [f't{i}' for i in range(len(subjects))]
    synchronizer.add_tracks(
        T0 + at_ms * MS, np.array(boxes, np.float32).reshape(len(subjects), 5), subjects, ids,
        np.ones(len(subjects), np.float32) if confidence is None else np.float32(confidence))


def imu(synchronizer, name, begin_ms, end_ms, step_ms=10, magnetic=True, values=STILL):
    for at_ms in range(begin_ms, end_ms, step_ms):
        synchronizer.add_inertial(name, T0 + at_ms * MS, values)
        if magnetic:
            synchronizer.add_magnetic(name, T0 + at_ms * MS, FIELD)


def play(synchronizer, end_ms, phones=(), frames=(), begin_ms=0):
    """Feed phones, name -> (begin, end) [ms], at 100 Hz and frames at the given times in order."""
    batches = []
    for at_ms in range(begin_ms, end_ms):
        if at_ms in frames:
            tracks(synchronizer, at_ms, tuple(sorted(phones))[:1])
        for name, (begin, end) in dict(phones).items():
            if at_ms % 10 == 0 and begin <= at_ms < end:
                imu(synchronizer, name, at_ms, at_ms + 1)
        batches += synchronizer.poll()
    return batches


def ticks(batches):
    return [((batch.stamp_ns - T0) // MS, batch.camera_tick) for batch in batches]


def bad(synchronizer):
    names = set(synchronizer.counters) - {'ticks', 'boxes_without_subject'}
    return {name: synchronizer.counters[name] for name in names if synchronizer.counters[name]}


@pytest.fixture
def sync():
    return Synchronizer()


def test_a_sample_holds_the_box_of_its_tick_and_phone_data_before_the_lag(sync):
    for at_ms in range(0, 121, 10):
        sync.add_inertial('a', T0 + at_ms * MS, (at_ms, 0, 0, 0, 0, at_ms / 100))
        sync.add_magnetic('a', T0 + at_ms * MS, (at_ms * 1e-6, 0, 0))
    sync.add_ftm('a', T0 + 80 * MS, 7.5, 0.25)
    sync.add_ftm('a', T0 + 81 * MS, 8.5, 0.25)  # younger than tick - lag
    tracks(sync, 100, ('a',))
    batch, = sync.poll()
    assert (batch.stamp_ns, batch.epoch, batch.sequence, batch.camera_tick) == (
        T0 + 100 * MS, 0, 0, True)
    assert (batch.subjects, batch.track_ids) == (('a',), ('t0',))
    assert batch.camera.tolist() == [list(BOX)]
    assert batch.camera_mask.all()
    assert batch.association.tolist() == [1.0]
    assert batch.ftm.tolist() == [[7.5, 0.25]]
    assert batch.ftm_age_s.tolist() == [np.float32(0.02)]
    assert batch.ftm_mask.all()
    assert batch.imu_mask.all()
    # C = 5 instants 20 ms apart, the last 20 ms before the tick
    np.testing.assert_allclose(batch.imu[0, :, 0], [0, 20, 40, 60, 80], atol=1e-6)
    np.testing.assert_allclose(batch.imu[0, :, 6], [0, 2e-5, 4e-5, 6e-5, 8e-5], atol=1e-11)
    assert not bad(sync)


def test_instants_between_messages_are_interpolated():
    sync = Synchronizer(windows=WindowSettings(imu_rows=2))
    for at_ms in range(0, 121, 15):
        sync.add_inertial('a', T0 + at_ms * MS, (at_ms, 0, 0, 0, 0, 0))
    tracks(sync, 100)
    batch, = sync.poll()
    np.testing.assert_allclose(batch.imu[0, :, 0], [30, 80], rtol=1e-6)


def test_a_range_is_new_at_one_tick_only(sync):
    imu(sync, 'a', 0, 400)
    sync.add_ftm('a', T0 + 50 * MS, 7.5, 0.25)
    for at_ms in (100, 200, 300):
        tracks(sync, at_ms)
    batches = sync.poll()
    assert [batch.ftm_mask.item() for batch in batches] == [True, False, False]
    assert [batch.ftm[0, 0].item() for batch in batches] == [7.5, 0.0, 0.0]
    np.testing.assert_allclose([batch.ftm_age_s.item() for batch in batches], [0.05, 0.15, 0.25])


def test_a_phone_without_a_magnetometer_has_valid_rows_with_a_field_of_zero(sync):
    imu(sync, 'a', 0, 200, magnetic=False)
    tracks(sync, 150)
    batch, = sync.poll()
    assert batch.imu_mask.all()
    assert not batch.imu[..., 6:].any()


def test_a_gap_in_the_field_masks_the_rows_of_a_phone_with_a_magnetometer(sync):
    imu(sync, 'a', 0, 200, magnetic=False)
    for at_ms in (0, 30, 100, 131, 180):  # nothing within 70 ms after 30
        sync.add_magnetic('a', T0 + at_ms * MS, FIELD)
    sync.add_magnetic('a', T0 + 101 * MS, FIELD)
    tracks(sync, 150)
    assert sync.poll()[0].imu_mask.tolist() == [[True] * 5]
    again = Synchronizer()
    imu(again, 'a', 0, 200, magnetic=False)
    for at_ms in (0, 20, 100, 180):
        again.add_magnetic('a', T0 + at_ms * MS, FIELD)
    tracks(again, 150)
    batch, = again.poll()
    assert batch.imu_mask.tolist() == [[False] * 5]
    assert not batch.imu.any()


def test_a_tick_waits_for_a_phone_that_is_behind_but_not_beyond_max_wait(sync):
    imu(sync, 'a', 0, 200)
    imu(sync, 'b', 0, 60)
    tracks(sync, 100)
    assert sync.poll() == []
    imu(sync, 'b', 60, 90)
    assert len(sync.poll()) == 1
    tracks(sync, 200)
    imu(sync, 'a', 200, 350)
    assert sync.poll() == []
    imu(sync, 'a', 350, 360)
    batch, = sync.poll()
    assert batch.subjects == ('a', 'b')
    assert batch.imu_mask.tolist() == [[True] * 5, [False] * 5]
    assert sync.counters['released_by_max_wait'] == 1


def test_ticks_do_not_wait_for_a_phone_that_has_left(sync):
    frames = range(100, 1301, 100)
    batches = play(sync, 1301, {'a': (0, 2000), 'b': (0, 100)}, frames)
    assert batches[-1].stamp_ns == T0 + 1300 * MS
    assert sync.counters['released_by_max_wait'] == 1
    assert [batch.subjects for batch in batches] == [('a', 'b')] * 11 + [('a',)] * 2


def test_a_labelled_person_without_a_phone_is_a_subject(sync):
    imu(sync, 'b', 0, 200)
    tracks(sync, 150, ('c', '', 'a'))
    batch, = sync.poll()
    assert batch.subjects == ('a', 'b', 'c')
    assert batch.camera_mask.tolist() == [True, False, True]
    assert batch.track_ids == ('t2', '', 't0')
    assert batch.imu_mask.any(axis=1).tolist() == [False, True, False]
    assert sync.counters['boxes_without_subject'] == 1


def test_a_subject_that_the_camera_lost_is_kept_for_the_timeout(sync):
    tracks(sync, 0, ('a',))
    for at_ms in range(100, 1201, 100):
        tracks(sync, at_ms)
    assert [len(batch.subjects) for batch in sync.poll()] == [1] * 11 + [0] * 2


def test_of_two_boxes_with_one_label_the_more_confident_one_is_used(sync):
    other = (100.0, *BOX[1:])
    tracks(sync, 0, ('a', 'a'), [BOX, other], [0.4, 0.9])
    assert sync.poll()[0].camera[0, 0] == 100.0


def test_a_box_of_unknown_depth_has_a_track_id_but_no_measurement(sync):
    tracks(sync, 0, ('a',), [(600.0, 300.0, math.nan, 50.0, 100.0)])
    batch, = sync.poll()
    assert batch.track_ids == ('t0',)
    assert not batch.camera_mask.any()
    assert not batch.camera.any()
    assert sync.counters['boxes_without_depth'] == 1


@pytest.mark.parametrize(('box', 'counter'), [
    ((math.nan, 300.0, 5.0, 50.0, 100.0), 'not_finite'),
    ((600.0, 300.0, 5.0, 0.0, 100.0), 'out_of_range'),
    ((600.0, 300.0, 5.0, 50.0, -1.0), 'out_of_range'),
    ((600.0, 300.0, -5.0, 50.0, 100.0), 'out_of_range'),
    ((1e9, 300.0, 5.0, 50.0, 100.0), 'out_of_range'),
])
def test_an_invalid_box_is_counted_and_its_frame_is_still_a_tick(sync, box, counter):
    tracks(sync, 0, ('a', 'b'), [box, BOX])
    batch, = sync.poll()
    assert batch.subjects == ('b',)
    assert bad(sync) == {counter: 1}
    assert "'a'" in sync.remarks[counter]


def feed_inertial(values):
    return lambda sync: sync.add_inertial('a', T0, values)


@pytest.mark.parametrize(('offend', 'counter'), [
    (feed_inertial((math.nan, 0, 0, 0, 0, 0)), 'not_finite'),
    (feed_inertial((0, 0, 0, 0, math.inf, 0)), 'not_finite'),
    (feed_inertial((501.0, 0, 0, 0, 0, 0)), 'out_of_range'),
    (feed_inertial((1e300, 0, 0, 0, 0, 0)), 'not_finite'),
    (feed_inertial((0, 0, 0, 0, 101.0, 0)), 'out_of_range'),
    (lambda sync: sync.add_magnetic('a', T0, (math.nan, 0, 0)), 'not_finite'),
    (lambda sync: sync.add_magnetic('a', T0, (40.0, 0, 0)), 'out_of_range'),  # microtesla
    (lambda sync: sync.add_ftm('a', T0, -51.0, 0.1), 'out_of_range'),
    (lambda sync: sync.add_ftm('a', T0, 3500.0, 0.1), 'out_of_range'),  # millimetres
    (lambda sync: sync.add_ftm('a', T0, math.nan, 0.1), 'not_finite'),
    (lambda sync: sync.add_ftm('a', T0, 3.0, -0.1), 'out_of_range'),
    (lambda sync: sync.add_inertial('a', 0, STILL), 'out_of_range'),
    (lambda sync: sync.add_inertial('a', -5, STILL), 'out_of_range'),
    (lambda sync: sync.add_inertial('a', 2**63, STILL), 'out_of_range'),
    (lambda sync: sync.add_inertial('../etc', T0, STILL), 'bad_name'),
    (lambda sync: sync.add_inertial('a' * 65, T0, STILL), 'bad_name'),
    (lambda sync: sync.add_inertial('', T0, STILL), 'bad_name'),
    (lambda sync: tracks(sync, 0, ('a b',)), 'bad_name'),
    (lambda sync: tracks(sync, 0, ('a',) * 257), 'out_of_range'),
])
def test_values_beyond_the_limits_of_sensors_are_counted_and_dropped(sync, offend, counter):
    offend(sync)
    assert bad(sync) == {counter: 1}
    assert sync.remarks[counter]
    assert all(not batch.subjects for batch in sync.poll())


def test_arrays_of_a_wrong_shape_raise_an_error_with_their_shapes(sync):
    with pytest.raises(MeasurementError, match=r'\(2, 5\).*1 subjects'):
        sync.add_tracks(T0, np.zeros((2, 5), np.float32), ['a'], ['t', 't'], np.ones(2))
    with pytest.raises(MeasurementError, match=r'\(1, 4\)'):
        sync.add_tracks(T0, np.zeros((1, 4), np.float32), ['a'], ['t'], np.ones(1))


def test_duplicate_late_and_reordered_messages_are_counted(sync):
    imu(sync, 'a', 0, 100)
    sync.add_inertial('a', T0 + 50 * MS, STILL)
    sync.add_inertial('a', T0 + 85 * MS, STILL)
    tracks(sync, 100)
    tracks(sync, 100)
    assert len(sync.poll()) == 1
    tracks(sync, 100)
    tracks(sync, 30)
    sync.add_inertial('a', T0 + 55 * MS, STILL)
    assert sync.poll() == []
    assert bad(sync) == {'duplicate': 3, 'reordered': 1, 'late': 2}
    assert '25000000 ns' in sync.remarks['late']


def test_a_late_range_is_used_at_the_next_tick(sync):
    imu(sync, 'a', 0, 300)
    tracks(sync, 100)
    sync.poll()
    sync.add_ftm('a', T0 + 50 * MS, 7.5, 0.25)
    tracks(sync, 200)
    assert sync.poll()[0].ftm[0, 0] == 7.5
    assert bad(sync) == {'late': 1}


def test_an_area_without_a_camera_has_ticks_on_multiples_of_the_period():
    sync = Synchronizer(modalities=('ftm', 'imu'))
    tracks(sync, 5, ('a',))
    imu(sync, 'a', 33, 400)
    batches = sync.poll()
    assert ticks(batches) == [(100, False), (200, False), (300, False)]
    assert not any(batch.camera_mask.any() for batch in batches)
    assert [batch.sequence for batch in batches] == [0, 1, 2]


def test_an_empty_area_has_no_virtual_ticks():
    sync = Synchronizer(modalities=('imu',))
    imu(sync, 'a', 0, 500)
    first = sync.poll()
    imu(sync, 'b', 3_600_000, 3_601_500)  # an hour later
    later = sync.poll()
    assert len(first) == 4
    assert [batch.subjects for batch in later] == [('a',)] * 11 + [('b',)] * 4
    assert ticks(later)[-5:] == [
        (1500, False), *((3_600_000 + at_ms, False) for at_ms in (1100, 1200, 1300, 1400))]
    assert sync.counters['clock_jumps'] == 1


def test_virtual_ticks_replace_a_silent_camera_until_it_returns(sync):
    batches = play(sync, 2000, {'a': (0, 2000)}, (103, 203, 1003, 1041, 1103))
    assert ticks(batches) == [
        (103, True), (203, True), (800, False), (900, False), (1000, False), (1103, True),
        (1700, False), (1800, False), (1900, False)]
    assert bad(sync) == {'surplus_frames': 2}


def test_virtual_ticks_replace_a_camera_that_never_starts(sync):
    batches = play(sync, 1000, {'a': (0, 2000)})
    assert [stamp for stamp, _ in ticks(batches)] == [500, 600, 700, 800, 900]


def test_a_fast_camera_is_thinned_to_the_period(sync):
    for k in range(31):
        sync.add_tracks(T0 + k * 33_333_333, np.zeros((0, 5), np.float32), [], [], np.ones(0))
    assert len(sync.poll()) == 11
    assert bad(sync) == {'surplus_frames': 20}


def test_a_restarted_bag_begins_an_epoch(sync):
    phones, frames = {'a': (0, 5000), 'b': (0, 5000)}, range(0, 5000, 100)
    batches = [batch for _ in range(3) for batch in play(sync, 5000, phones, frames)]
    epochs = [batch.epoch for batch in batches]
    assert sorted(set(epochs)) == [0, 1, 2]
    for epoch in range(3):
        part = [batch for batch in batches if batch.epoch == epoch]
        assert [batch.sequence for batch in part] == list(range(len(part)))
        assert len(part) >= 48
        assert all(np.diff([batch.stamp_ns for batch in part]) == 100 * MS)
    assert sync.counters['clock_jumps'] == 2


def test_after_a_restart_any_time_is_accepted_at_once_in_a_new_epoch(sync):
    play(sync, 400, {'a': (0, 400)}, frames=(200, 300))
    sync.restart()
    begin_ms = 86_400_000
    batches = play(sync, begin_ms + 400, {'a': (begin_ms, begin_ms + 400)},
                   frames=(begin_ms + 200, begin_ms + 300), begin_ms=begin_ms)
    assert [(each.epoch, each.sequence) for each in batches] == [(1, 0), (1, 1)]
    assert sync.counters['clock_off'] == sync.counters['clock_jumps'] == 0


def test_pending_ticks_are_dropped_when_the_clock_jumps_back():
    sync = Synchronizer()
    imu(sync, 'a', 5000, 5100)
    tracks(sync, 5200)
    assert sync.poll() == []
    imu(sync, 'a', 0, 1400)
    assert all(batch.stamp_ns < T0 + 1400 * MS for batch in sync.poll())
    assert sync.epoch == 1


def test_a_phone_three_days_ahead_does_not_affect_others_and_is_reported(sync):
    days_ms = 3 * 86_400_000
    batches = []
    for at_ms in range(0, 1000, 10):
        imu(sync, 'wrong', at_ms + days_ms, at_ms + days_ms + 1)
        batches += play(sync, at_ms + 10, {'a': (0, 1000)}, range(50, 1000, 100), at_ms)
    assert [batch.subjects for batch in batches] == [('a',)] * 9  # one frame is spent
    assert all(batch.imu_mask.all() for batch in batches[1:])
    assert sync.counters['clock_jumps'] == 1
    assert sync.counters['clock_off'] >= 190
    assert 'wrong: +259200' in sync.remarks['clock_off']
    phones = {'a': (0, 1200), 'wrong': (0, 1200)}
    assert play(sync, 1200, phones, (1150,), 1000)[0].subjects == ('a', 'wrong')


def test_a_phone_that_repeats_one_stamp_delays_the_area_by_max_wait_at_most(sync):
    batches = []
    for at_ms in range(0, 3000, 10):
        sync.add_inertial('stuck', T0 + 5 * MS, STILL)
        batches += play(sync, at_ms + 10, {'a': (0, 3000)}, range(0, 3000, 100), at_ms)
    assert len(batches) == 30
    assert batches[-1].subjects == ('a',)
    assert sync.counters['duplicate'] + sync.counters['clock_off'] == 299


def test_memory_is_bounded_when_a_stream_runs_away():
    settings = SyncSettings(capacity=64, max_subjects=4)
    sync = Synchronizer(settings)
    imu(sync, 'a', 0, 20)
    for k in range(4000):
        sync.add_inertial('a', T0 + k * 1000, STILL)
        sync.add_inertial(f'p{k}', T0, STILL)
        tracks(sync, k, (f'c{k % 300}',))
    sync.poll()
    phones = sync._phones
    assert len(phones.slots) == 4
    assert sum(ring._values.nbytes + ring._stamps.nbytes for ring in phones.rings) < 100_000
    assert len(sync._seen_ns) <= 4
    assert sync.counters['too_many_subjects'] > 3800


def test_overwritten_messages_that_no_tick_has_used_are_counted():
    sync = Synchronizer(SyncSettings(capacity=64))
    imu(sync, 'a', 0, 1000, step_ms=1, magnetic=False)
    tracks(sync, 1000)
    sync.poll()
    assert sync.counters['overflow'] >= 800


def test_excess_frames_are_refused_while_a_tick_waits(sync):
    imu(sync, 'a', 0, 10)
    for k in range(40):
        tracks(sync, 50 + k)
    assert sync.poll() == []
    for k in range(40):
        tracks(sync, 100 + k)
    assert sync.counters['overflow'] == 16


def test_the_slot_of_a_phone_that_left_is_reused():
    sync = Synchronizer(SyncSettings(max_subjects=1), modalities=('imu',))
    imu(sync, 'a', 0, 500)
    imu(sync, 'b', 500, 510)
    sync.poll()
    assert sync.phones == ('a',)
    for at_ms in range(500, 12_000, 500):  # the area's time goes on
        imu(sync, 'a', at_ms, at_ms + 10)
    assert sync.phones == ('a',)
    assert sync.counters['too_many_subjects'] == 2
