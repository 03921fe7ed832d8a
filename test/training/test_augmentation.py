"""Mishaps that training simulates, and the heading frame."""

import numpy as np
import pytest

from utt_ros.geometry.compass import compass_heading
from utt_ros.motion.features import CONTEXT
from utt_ros.motion.gait import GAIT
from utt_ros.motion.velocity import COURSE
from utt_ros.training import augmentation
from utt_ros.training.augmentation import (
    MotionTargets,
    black_out,
    hold_differently,
    in_heading_frame,
    motion_targets,
    rotate,
)

COUNT = 400


def columns(count: int = COUNT) -> dict[str, np.ndarray]:
    return {
        'heading': np.full(count, np.pi / 2, np.float32),
        'heading_valid': np.ones(count, bool),
        'velocity': np.tile(np.float32([0.0, 1.0]), (count, 1)),
        'velocity_valid': np.ones(count, bool),
        'future': np.tile(np.float32([[0.0, 1.0], [1.0, 0.0]]), (count, 1, 1)),
        'future_valid': np.ones((count, 2), bool),
        'course': np.tile(np.float32([0.0, 2.0]), (count, len(COURSE), 1)),
        'course_late': np.tile(np.float32([0.0, 3.0]), (count, len(COURSE), 1)),
        'course_valid': np.ones(count, bool),
        'camera_mask': np.ones((count, 30), bool),
        'gait': np.ones((count, len(GAIT)), np.float32),
    }


def framed(heading: np.ndarray, course: np.ndarray) -> MotionTargets:
    """Targets of columns where some of the headings and courses may be used."""
    made = columns()
    return in_heading_frame(made, heading, made['course'], course, made['gait'])


def test_rotation_is_counter_clockwise() -> None:
    np.testing.assert_allclose(
        rotate(np.float32([[1.0, 0.0], [0.0, 2.0]]), np.float32([np.pi / 2, np.pi])),
        [[0.0, 1.0], [0.0, -2.0]], atol=1e-6)


def test_who_walks_where_the_phone_points_moves_along_x() -> None:
    known = np.ones(COUNT, bool)
    targets = framed(known, known)
    np.testing.assert_allclose(targets.velocity[0], [1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(targets.future[0], [[1.0, 0.0], [0.0, -1.0]], atol=1e-6)
    np.testing.assert_allclose(targets.context[0, :4], [1.0, 1.0, 2.0, 0.0], atol=1e-6)


def test_without_a_heading_the_course_gives_the_direction() -> None:
    known = np.ones(COUNT, bool)
    targets = framed(~known, known)
    np.testing.assert_allclose(targets.context[0, :4], [0.0, 1.0, 2.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(targets.velocity[0], [1.0, 0.0], atol=1e-6)
    assert targets.velocity_valid.all()


def test_without_heading_and_course_there_is_nothing_to_learn() -> None:
    known = np.zeros(COUNT, bool)
    targets = framed(known, known)
    assert not targets.velocity_valid.any()
    assert not targets.future_valid.any()


def test_a_camera_that_saw_nobody_lately_gives_no_course(rng: np.random.Generator) -> None:
    made = columns()
    made['camera_mask'][: COUNT // 2, -augmentation.MAX_VELOCITY_AGE_TICKS:] = False
    context = motion_targets(made, rng).context
    course = slice(1, 2 + 2 * len(COURSE))
    assert not context[: COUNT // 2, course].any()
    assert context[COUNT // 2:, 1].mean() == pytest.approx(1 - augmentation.NO_COURSE, abs=0.1)


def test_a_camera_that_is_blocked_for_a_moment_gives_an_old_course(
    rng: np.random.Generator,
) -> None:
    context = motion_targets(columns(), rng).context
    speed = np.hypot(context[:, 2], context[:, 3])
    told, late = (np.isclose(speed, known).mean() for known in (2.0, 3.0))
    assert np.isclose(speed, 0.0).mean() + told + late == pytest.approx(1.0)
    assert late / (told + late) == pytest.approx(augmentation.BLOCKED, abs=0.08)


def test_a_phone_that_is_not_felt_tells_neither_heading_nor_gait(rng: np.random.Generator) -> None:
    context = motion_targets(columns(), rng).context
    gaits = context[:, -len(GAIT):]
    silent = ~gaits.any(1)
    assert silent.mean() == pytest.approx(augmentation.NO_PHONE, abs=0.07)
    assert gaits[~silent].all()
    assert not context[silent, 0].any()
    assert 0.8 < context[~silent, 0].mean() < 1.0


def test_who_turns_left_might_turn_right() -> None:
    known = np.ones(COUNT, bool)
    made = framed(known, known)
    other = augmentation.mirror(made, known)
    np.testing.assert_array_equal(other.velocity, made.velocity * [1, -1])
    np.testing.assert_array_equal(other.future, made.future * [1, -1])
    told, turned = (dict(zip(CONTEXT, part.context[0], strict=True)) for part in (made, other))
    changed = {name for name in CONTEXT if told[name] != turned[name]}
    assert changed <= {name for name in CONTEXT if 'turn' in name or name.endswith('_y')}
    assert 'turn_1.0_s_rad' in changed
    again = augmentation.mirror(other, known)
    np.testing.assert_array_equal(again.context, made.context)
    np.testing.assert_array_equal(augmentation.mirror(made, ~known).context, made.context)


def test_a_black_out_takes_the_end_of_a_window_and_nothing_else(rng: np.random.Generator) -> None:
    mask = np.ones((COUNT, 20), bool)
    mask[:, 3] = False
    seen = black_out(mask, 0.5, rng)
    lengths = 20 - np.array([np.flatnonzero(row)[-1] + 1 if row.any() else 0 for row in seen])
    assert 0.4 < (lengths > 0).mean() < 0.6
    assert lengths.max() == 20
    for row, length in zip(seen, lengths, strict=True):
        np.testing.assert_array_equal(row[: 20 - length], mask[0, : 20 - length])
    np.testing.assert_array_equal(black_out(mask, 0.0, rng), mask)


def test_a_phone_that_is_held_differently_feels_the_same_turned(rng: np.random.Generator) -> None:
    imu = rng.normal(size=(COUNT, 7, 9)).astype(np.float32)
    imu[..., 6:] *= 1e-5
    felt = hold_differently(imu, rng)
    for first in (0, 3):
        np.testing.assert_allclose(
            np.linalg.norm(felt[..., first:first + 3], axis=-1),
            np.linalg.norm(imu[..., first:first + 3], axis=-1), rtol=1e-4)
    between = np.einsum('nrk,nrk->nr', imu[..., :3], imu[..., 3:6])
    np.testing.assert_allclose(
        np.einsum('nrk,nrk->nr', felt[..., :3], felt[..., 3:6]), between, atol=1e-4)
    assert (felt != imu).any(axis=(1, 2)).all()


def test_a_tilt_hardly_changes_where_a_lying_phone_points(rng: np.random.Generator) -> None:
    lying = np.zeros((COUNT, 1, 9), np.float32)
    lying[..., 2], lying[..., 7] = 9.81, 3e-5  # y axis to magnetic north
    felt = hold_differently(np.repeat(lying, 100, axis=1), rng)
    heading, valid = compass_heading(felt, np.ones(felt.shape[:2], bool), 0.02, 0.0)
    error = heading - np.pi / 2
    assert valid.all()
    assert np.abs(np.median(error)) < 0.02
    assert np.std(error) < 0.15
