"""What is found of a stride in a window of a phone."""

import numpy as np
import pytest

from utt_ros.motion.stride import HARMONICS, Stride, find_stride

ROW_S, ROWS, NOW = 0.02, 300, 149
SECONDS = ROW_S * np.arange(ROWS)


def phone(step_hz: float = 2.0, bounce: float = 2.0, roll: float = 0.3) -> np.ndarray:
    """A phone (1, R, 9) that bounces with each step and rolls with each stride; RMS values."""
    rows = np.zeros((1, ROWS, 9), np.float32)
    rows[..., 2] = 9.81 + bounce * np.sqrt(2) * np.sin(2 * np.pi * step_hz * SECONDS + 0.4)
    rows[..., 3] = roll * np.sqrt(2) * np.sin(np.pi * step_hz * SECONDS)
    return rows


def found(rows: np.ndarray, mask: np.ndarray | None = None) -> Stride:
    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    return find_stride(rows, mask, NOW, ROW_S)


def test_cadence_and_strength_of_a_sine_are_found_where_they_are() -> None:
    stride = found(phone())
    assert stride.cadence[0] == pytest.approx(2.0, abs=0.05)
    assert stride.cadence_valid[0]
    rms = np.exp(stride.swing[0])
    assert rms.shape == (6, HARMONICS + 1)
    assert rms[2] == pytest.approx([0.0, 2.0, 0.0, 0.0, 0.0], abs=0.05)
    assert rms[3] == pytest.approx([0.3, 0.0, 0.0, 0.0, 0.0], abs=0.02)


def test_what_does_not_swing_is_the_rest(rng: np.random.Generator) -> None:
    rows = phone()
    rows[..., 0] = 0.5 * rng.standard_normal(ROWS)
    rms = np.exp(found(rows).swing[0, 0])
    assert rms[-1] == pytest.approx(0.5, rel=0.2)
    assert rms[:-1].max() < 0.15


def test_who_stands_has_no_cadence(rng: np.random.Generator) -> None:
    stride = found(phone(bounce=0.0, roll=0.0) + 0.05 * rng.standard_normal((1, ROWS, 9)))
    assert not stride.cadence_valid[0]
    assert stride.swing_valid[0]
    assert np.exp(stride.swing).max() < 0.1


@pytest.mark.parametrize('gravity', [9.81, 10.0])
def test_a_phone_that_measures_nothing_new_swings_not_at_all(gravity: float) -> None:
    rows = np.zeros((1, ROWS, 9), np.float32)
    rows[..., 2] = gravity
    stride = found(rows)
    assert stride.swing_valid[0]
    assert not stride.cadence_valid[0]
    assert np.exp(stride.swing).max() < 0.01


def test_only_what_is_about_the_instant_counts() -> None:
    rows = phone()
    rows[:, :NOW - 40] = rows[:, NOW + 40:] = 0.0
    np.testing.assert_array_equal(found(rows).swing, found(phone()).swing)


def test_rows_that_were_not_measured_do_not_count() -> None:
    rows, mask = phone(), np.ones((1, ROWS), bool)
    mask[0, ::7] = False
    rows[0, ::7] = 1e6
    assert np.exp(found(rows, mask).swing[0, 2, 1]) == pytest.approx(2.0, rel=0.05)
    mask[0, ::2] = False
    assert not found(rows, mask).swing_valid[0]
    assert not found(rows, mask).cadence_valid[0]


def test_a_broken_row_spoils_its_window_alone() -> None:
    rows = np.concatenate([phone(), phone()])
    rows[0, 3, 4] = np.nan
    stride = found(rows)
    assert stride.swing_valid.tolist() == stride.cadence_valid.tolist() == [False, True]
    assert np.isfinite(stride.swing).all()
    assert np.isfinite(stride.cadence).all()
