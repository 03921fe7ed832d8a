"""What the motion head is told."""

import numpy as np

from utt_ros.motion.features import (
    CONTEXT,
    SCALES,
    VELOCITY,
    heading_frame,
    make_context,
    phone_context,
)
from utt_ros.motion.gait import GAIT
from utt_ros.motion.velocity import COURSE

YES, NO = np.array([True]), np.array([False])
GOING = np.ones((1, len(COURSE), 2), np.float32)
STEPS = np.full((1, len(GAIT)), 0.5, np.float32)


def test_every_number_has_a_name_and_a_scale() -> None:
    assert len(SCALES) == len(CONTEXT)
    assert make_context(YES, YES, GOING, STEPS).shape == (1, len(CONTEXT))
    assert CONTEXT[VELOCITY] == ('velocity_x', 'velocity_y')


def test_a_course_that_is_not_valid_is_not_told() -> None:
    told = dict(zip(CONTEXT, make_context(YES, NO, GOING, STEPS)[0].tolist(), strict=True))
    assert not any(told[f'{name}_{axis}'] for name in COURSE for axis in 'xy')
    assert all(told[name] == 0.5 for name in GAIT)


def test_without_a_heading_the_course_is_the_frame() -> None:
    heading = np.array([0.3], np.float32)
    assert heading_frame(heading, YES, GOING) == np.float32(0.3)
    np.testing.assert_allclose(heading_frame(heading, NO, GOING), np.pi / 4)


def test_nobody_and_silent_phones_give_zeros() -> None:
    imu, mask = np.zeros((2, 150, 9), np.float32), np.zeros((2, 150), bool)
    assert not phone_context(imu, mask, 0.02, np.zeros(2, bool)).any()
    assert phone_context(imu[:0], mask[:0], 0.02, np.zeros(0, bool)).shape == (0, len(CONTEXT))
