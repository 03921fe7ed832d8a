from dataclasses import replace

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.motion.velocity import follow, see
from utt_ros.motion.walkers import Walkers
from utt_ros.settings import AreaSettings
from utt_ros.types import FloatArray, MaskArray, SyncedBatch

AREA = AreaSettings()
PERIOD_S = 0.1
TICKS = 30


def paths(count: int) -> FloatArray:
    """Boxes (S, TICKS, 5) of people who walk straight on at 1.2 m/s, with the jitter of boxes."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0.0, 2 * np.pi, count)
    steps = PERIOD_S * np.arange(TICKS)[:, None] * 1.2
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    positions = np.array([7.0, 0.0]) + steps * ways[:, None]
    return (CameraModel(AREA).project(positions)
            * rng.normal(1.0, 0.003, (count, TICKS, 5))).astype(np.float32)


def tick(number: int, boxes: FloatArray, mask: MaskArray) -> SyncedBatch:
    count = len(boxes)
    return SyncedBatch(
        stamp_ns=10**18 + round(number * PERIOD_S * 1e9), epoch=0, sequence=number,
        camera_tick=True, subjects=tuple(f'p{row}' for row in range(count)),
        track_ids=('',) * count, association=np.ones(count, np.float32),
        camera=boxes, camera_mask=mask, ftm=np.zeros((count, 2), np.float32),
        ftm_age_s=np.full(count, np.inf, np.float32), ftm_mask=np.zeros(count, bool),
        imu=np.zeros((count, 5, 9), np.float32), imu_mask=np.zeros((count, 5), bool))


def test_live_courses_are_those_that_training_tells_of_the_same_boxes():
    boxes = paths(4)
    mask = np.random.default_rng(1).random((4, TICKS)) < 0.8
    mask[3, 10:] = False  # too long ago
    walkers = Walkers(AREA)
    for number in range(TICKS):
        live, known = walkers.push(tick(number, boxes[:, number], mask[:, number]))
    course, _, valid = follow(see(boxes, mask, AREA), PERIOD_S, late=5)
    assert known.tolist() == [True, True, True, False]
    assert valid[:3].all()
    assert live[:3] == pytest.approx(course[:3], abs=1e-5)
    assert not live[3].any()


def test_somebody_who_was_away_is_a_stranger_again():
    boxes, seen = paths(1), np.ones(1, bool)
    walkers = Walkers(AREA)
    for number in range(10):
        _, known = walkers.push(tick(number, boxes[:, number], seen))
    assert known.all()
    walkers.push(tick(10, boxes[:0, 10], seen[:0]))
    _, known = walkers.push(tick(11, boxes[:, 11], seen))
    assert not known.any()


def test_a_broken_box_and_a_clock_that_stands_change_nothing():
    boxes, seen = paths(1), np.ones(1, bool)
    walkers = Walkers(AREA)
    for number in range(10):
        before, _ = walkers.push(tick(number, boxes[:, number], seen))
    broken = tick(9, np.full((1, 5), np.nan, np.float32), seen)
    after, known = walkers.push(replace(broken, sequence=10))
    assert known.all()
    assert after == pytest.approx(before)
