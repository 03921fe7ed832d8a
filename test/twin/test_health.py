import numpy as np

from utt_ros.twin.health import SensorHealth
from utt_ros.types import SyncedBatch

ALL = ('imu', 'camera', 'ftm')


def tick(sequence, *, camera=True, ftm=True, imu=True, epoch=0, subjects=('ann',)):
    count = len(subjects)
    return SyncedBatch(
        sequence * 100_000_000, epoch, sequence, camera, subjects, ('',) * count,
        np.zeros(count), np.zeros((count, 5)), np.full(count, camera), np.zeros((count, 2)),
        np.zeros(count), np.full(count, ftm), np.zeros((count, 5, 9)), np.full((count, 5), imu))


def watched(*ticks):
    watch = SensorHealth(ALL)
    for each in ticks:
        watch.update(each)
    return watch


def test_before_the_first_tick_everything_is_missing():
    watch = SensorHealth(ALL)
    assert watch.missing() == ['camera', 'ftm', 'imu']
    assert watch.summary(0.0, model_ready=True) == 'no tick has arrived yet'


def test_silent_sensor_is_missing_only_after_its_limit():
    watch = watched(tick(0), *(tick(k, ftm=False) for k in range(1, 31)))
    assert watch.missing() == []
    watch.update(tick(31, ftm=False))
    assert watch.missing() == ['ftm']
    assert watch.summary(0.0, model_ready=True) == (
        'no data from ftm for 3.1 s; positions are based on camera+imu')


def test_frame_without_anybody_is_still_a_working_camera():
    watch = watched(*(tick(k, subjects=()) for k in range(40)))
    assert watch.missing() == ['ftm', 'imu']


def test_area_is_not_said_to_lack_what_it_never_had():
    watch = SensorHealth(('ftm', 'imu'))
    for k in range(20):
        watch.update(tick(k, camera=False))
    assert watch.missing() == []
    assert watch.summary(0.0, model_ready=True) == 'all sensors deliver: ftm+imu'


def test_all_silent_leaves_memory():
    watch = watched(tick(0), *(tick(k, camera=False, ftm=False, imu=False) for k in range(1, 50)))
    assert watch.summary(0.0, model_ready=True).endswith('positions are based on memory')


def test_synchronizer_that_stalled_is_told_by_the_own_clock():
    assert watched(tick(0)).summary(3.5, model_ready=True) == 'no tick for 3.5 s'


def test_gaps_in_the_sequence_are_counted_but_not_those_between_epochs():
    watch = watched(tick(0), tick(1), tick(5), tick(6), tick(0, epoch=1), tick(2, epoch=1))
    assert (watch.ticks, watch.lost) == (6, 4)
