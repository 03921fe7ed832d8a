"""What goes wrong live, simulated in training so that the model has met it [D].

A camera is blocked and ranging fails for a while at the end of a window, and phones are held in
another way. For motion, phones are silent, the compass is disturbed, and the course that the
camera told is old or none.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.compass import rotate
from utt_ros.motion.features import MIRROR, heading_frame, make_context
from utt_ros.training.dataset import Columns
from utt_ros.types import FloatArray, MaskArray

BLACKOUT = {'camera': 0.3, 'ftm': 0.15}  # probability that the end of the window is not seen
NO_PHONE = 0.2  # probabilities that motion must do without
NO_HEADING = 0.1
NO_COURSE = 0.3
MIRRORED = 0.5
BLOCKED = 0.3  # probability that the camera told the course a while ago
MAX_VELOCITY_AGE_TICKS = 5  # ticks since the camera saw the subject
TILT_STD_RAD = 0.17  # of another way to hold a phone, about its x and y axes
HARD_IRON_STD_T = 3e-6  # of another phone, or of what lies beside it


@dataclass(frozen=True, slots=True)
class MotionTargets:
    """What the motion head is told and what it should say, in the heading frame."""

    context: FloatArray  # (N, C) CONTEXT
    velocity: FloatArray  # (N, 2) [m/s]
    velocity_valid: MaskArray  # (N,)
    future: FloatArray  # (N, H, 2) [m]
    future_valid: MaskArray  # (N, H)


def black_out(mask: MaskArray, probability: float, rng: np.random.Generator) -> MaskArray:
    """The mask (N, T) without the end of some windows, of any length."""
    count, ticks = mask.shape
    length = rng.integers(1, ticks + 1, count) * (rng.random(count) < probability)
    return np.asarray(mask & (np.arange(ticks) < (ticks - length)[:, None]))


def hold_differently(imu: FloatArray, rng: np.random.Generator) -> FloatArray:
    """What phones would feel (N, R, 9) that are tilted a little, and magnetic in another way.

    Rows that are masked change as well; they count nowhere.
    """
    count, rows, _ = imu.shape
    turn = tilts(rng.normal(0.0, TILT_STD_RAD, (count, 2)))
    felt = (imu.reshape(count, 3 * rows, 3) @ turn).reshape(imu.shape)  # accel, gyro, mag alike
    felt[..., 6:] += rng.normal(0.0, HARD_IRON_STD_T, (count, 1, 3)).astype(np.float32)
    return felt


def tilts(angles: npt.NDArray[np.float64]) -> FloatArray:
    """Rotations (N, 3, 3) about the x axis, then the y axis, by (N, 2) [rad]."""
    cos, sin = np.cos(angles), np.sin(angles)
    about_x, about_y = np.zeros((2, len(angles), 3, 3))
    about_x[:, 0, 0] = about_y[:, 1, 1] = 1.0
    about_x[:, 1, 1] = about_x[:, 2, 2] = cos[:, 0]
    about_x[:, 2, 1], about_x[:, 1, 2] = sin[:, 0], -sin[:, 0]
    about_y[:, 0, 0] = about_y[:, 2, 2] = cos[:, 1]
    about_y[:, 0, 2], about_y[:, 2, 0] = sin[:, 1], -sin[:, 1]
    return np.asarray(about_y @ about_x, np.float32)


DISTORTIONS = {'imu': hold_differently}  # of what the networks read, not of what they aim at


def motion_targets(
    columns: Columns, rng: np.random.Generator,
) -> MotionTargets:
    """Targets with a simulated context."""
    count = len(columns['heading'])
    phone = rng.random(count) >= NO_PHONE
    heading_used = columns['heading_valid'] & phone & (rng.random(count) >= NO_HEADING)
    course_used = course_told(columns, rng)
    blocked = rng.random(count) < BLOCKED
    course = np.where(blocked[:, None, None], columns['course_late'], columns['course'])
    gait = columns['gait'] * phone[:, None]
    made = in_heading_frame(columns, heading_used, course, course_used, gait)
    return mirror(made, rng.random(count) < MIRRORED)


def course_told(columns: Columns, rng: np.random.Generator) -> MaskArray:
    """Whose course (N,) is told: of those whom the camera saw lately, and not of all of them."""
    lately = columns['camera_mask'][:, -MAX_VELOCITY_AGE_TICKS:].any(1)
    kept = rng.random(len(columns['course_valid'])) >= NO_COURSE
    return np.asarray(columns['course_valid'] & lately & kept)


def mirror(targets: MotionTargets, some: MaskArray) -> MotionTargets:
    """The same with left and right exchanged for `some` (N,): who turns left might turn right."""
    side = np.stack([np.ones(len(some)), np.where(some, -1.0, 1.0)], axis=1).astype(np.float32)
    return replace(
        targets, context=np.where(some[:, None], targets.context * MIRROR, targets.context),
        velocity=targets.velocity * side, future=targets.future * side[:, None])


def in_heading_frame(
    columns: Columns, heading_used: MaskArray, course: FloatArray, course_used: MaskArray,
    gait: FloatArray,
) -> MotionTargets:
    """Labels of the area frame in each subject's heading frame; invalid where it has none."""
    angle = heading_frame(columns['heading'], heading_used, course)
    framed = heading_used | course_used
    return MotionTargets(
        make_context(heading_used, course_used, rotate(course, -angle[:, None]), gait),
        rotate(columns['velocity'], -angle), columns['velocity_valid'] & framed,
        rotate(columns['future'], -angle[:, None]), columns['future_valid'] & framed[:, None])
