"""Mishaps that training simulates, and the heading frame."""

import numpy as np
import pytest

from utt_ros.geometry.heading import compass_heading
from utt_ros.learning import mishaps
from utt_ros.learning.mishaps import (
    black_out,
    drop_modalities,
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
        'prior': np.tile(np.float32([0.0, 2.0]), (count, 1)),
        'prior_valid': np.ones(count, bool),
    }


def test_rotation_is_counter_clockwise() -> None:
    np.testing.assert_allclose(
        rotate(np.float32([[1.0, 0.0], [0.0, 2.0]]), np.float32([np.pi / 2, np.pi])),
        [[0.0, 1.0], [0.0, -2.0]], atol=1e-6)


def test_who_walks_where_the_phone_points_moves_along_x() -> None:
    known = np.ones(COUNT, bool)
    targets = in_heading_frame(columns(), known, columns()['prior'], known)
    np.testing.assert_allclose(targets.velocity[0], [1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(targets.future[0], [[1.0, 0.0], [0.0, -1.0]], atol=1e-6)
    np.testing.assert_allclose(targets.context[0], [1.0, 2.0, 0.0, 1.0], atol=1e-6)


def test_without_a_heading_the_prior_gives_the_direction() -> None:
    known = np.ones(COUNT, bool)
    targets = in_heading_frame(columns(), ~known, columns()['prior'], known)
    np.testing.assert_allclose(targets.context[0], [0.0, 2.0, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(targets.velocity[0], [1.0, 0.0], atol=1e-6)
    assert targets.velocity_valid.all()


def test_without_heading_and_prior_there_is_nothing_to_learn() -> None:
    known = np.zeros(COUNT, bool)
    targets = in_heading_frame(columns(), known, columns()['prior'], known)
    assert not targets.velocity_valid.any()
    assert not targets.future_valid.any()


def test_a_camera_that_is_blocked_for_long_gives_no_prior(rng: np.random.Generator) -> None:
    mask = np.ones((COUNT, 30), bool)
    mask[: COUNT // 2, -mishaps.OLDEST_PRIOR:] = False
    context = motion_targets(columns(), mask, rng).context
    assert not context[: COUNT // 2, 1:].any()
    assert context[COUNT // 2:, 3].mean() == pytest.approx(1 - mishaps.NO_PRIOR, abs=0.1)
    assert 0.8 < context[:, 0].mean() < 1.0


def test_the_prior_is_noisy_but_unbiased(rng: np.random.Generator) -> None:
    context = motion_targets(columns(40_000), np.ones((40_000, 30), bool), rng).context
    priors = context[(context[:, 0] == 1) & (context[:, 3] == 1), 1:3]
    np.testing.assert_allclose(priors.mean(0), [2.0, 0.0], atol=0.01)
    low, high = mishaps.PRIOR_STD
    assert (low < priors.std(0)).all()
    assert (priors.std(0) < high).all()


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


def test_every_subset_of_modalities_occurs_and_something_always_remains(
    rng: np.random.Generator,
) -> None:
    present = np.ones((COUNT, 3), bool)
    present[0] = [True, False, False]
    present[1] = False
    use = drop_modalities(present, ('camera', 'ftm', 'imu'), rng)
    assert use[0].tolist() == [True, False, False]
    assert not use[1].any()
    assert not (use & ~present).any()
    assert len({tuple(row) for row in use[2:].tolist()}) == 7
    assert use[2:].any(1).all()


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


@pytest.mark.parametrize('name', ['camera', 'ftm', 'imu'])
def test_motion_must_do_without_each_modality_at_times(
    name: str, rng: np.random.Generator,
) -> None:
    use = drop_modalities(np.ones((COUNT, 3), bool), ('camera', 'ftm', 'imu'), rng)
    share = 1 - use[:, ('camera', 'ftm', 'imu').index(name)].mean()
    assert 0.5 * mishaps.MISSING[name] < share < 1.5 * mishaps.MISSING[name]
