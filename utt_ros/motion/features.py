"""What the motion head of a model is told: the same in training and live.

Vectors are in the heading frame.
"""

import numpy as np

from utt_ros.geometry.compass import compass
from utt_ros.motion.gait import GAIT, gait
from utt_ros.motion.velocity import COURSE
from utt_ros.types import FloatArray, MaskArray

CONTEXT = ('heading_valid', 'course_valid',
           *(f'{name}_{axis}' for name in COURSE for axis in 'xy'), *GAIT)
VELOCITY = slice(2, 4)  # of the course, among them
MAX_SPEED_MPS = 5.0  # [m/s] a velocity beyond it is a fault, not a person
_VELOCITIES, _POSITIONS, _TURNS, _STRENGTHS = (0.5,) * 6, (0.1,) * 4, (0.3,) * 6, (2.0,) * 3
SCALES = (1.0, 1.0, *_VELOCITIES, *_POSITIONS, *_TURNS, *_STRENGTHS, 1.0, 1.0)  # of order
MIRROR = np.array([  # what changes its sign where left and right are exchanged
    -1.0 if name.endswith('_y') or name.startswith('turn_') else 1.0 for name in CONTEXT],
    np.float32)
MAX_SCALED = 5.0  # times its scale; what is beyond counts as that


def heading_frame(
    heading: FloatArray, heading_valid: MaskArray, course: FloatArray,
) -> FloatArray:
    """Direction (N,) [rad] of the heading frame: the phone's or, without it, of the course."""
    along = np.arctan2(course[:, 0, 1], course[:, 0, 0])
    return np.asarray(np.where(heading_valid, heading, along))


def make_context(
    heading_valid: MaskArray, course_valid: MaskArray, course: FloatArray,
    steps: FloatArray,
) -> FloatArray:
    """CONTEXT (N, C), of course (N, 5, 2) and gait, `steps` (N, G); zeros where not valid."""
    known = np.where(course_valid[:, None, None], course, 0.0)
    known = known.reshape(len(course), 2 * len(COURSE))
    return np.column_stack([heading_valid, course_valid, known, steps]).astype(np.float32)


def phone_context(
    imu: FloatArray, mask: MaskArray, row_period_s: float, heading_valid: MaskArray,
    turns: FloatArray | None = None,
) -> FloatArray:
    """The same (N, C) of phones that no camera sees, from their windows (N, R, 9).

    `turns` (N, R) are those of `compass`, where they are known.
    """
    count = len(imu)
    if turns is None:
        turns = compass(imu, mask, row_period_s, 0.0).turns
    return make_context(
        heading_valid, np.zeros(count, bool), np.zeros((count, len(COURSE), 2), np.float32),
        gait(imu, mask, turns, row_period_s))
