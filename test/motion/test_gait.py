"""What a phone's window says of how its owner moves."""

import numpy as np
import pytest

from utt_ros.geometry.compass import compass
from utt_ros.motion.gait import GAIT, gait
from utt_ros.training.augmentation import tilts

ROW_S = 0.02
ROWS = 150
SECONDS = ROW_S * np.arange(ROWS)


def phone(turning: float = 0.0, step_hz: float = 2.0, bounce: float = 2.0) -> np.ndarray:
    """A phone (1, R, 9) that lies flat, turns at a steady rate and bounces with every step."""
    rows = np.zeros((1, ROWS, 9), np.float32)
    rows[..., 2] = 9.81 + bounce * np.sqrt(2) * np.sin(2 * np.pi * step_hz * SECONDS)
    rows[..., 5] = turning
    rows[..., 7], rows[..., 8] = 2e-5, -4e-5
    return rows


def told(rows: np.ndarray, mask: np.ndarray | None = None) -> dict[str, float]:
    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    found = gait(rows, mask, compass(rows, mask, ROW_S, 0.0).turns, ROW_S)
    return dict(zip(GAIT, found[0].tolist(), strict=True))


def test_turns_count_from_then_to_now() -> None:
    found = told(phone(turning=0.5))
    assert found['turn_0.2_s_rad'] == pytest.approx(0.1, abs=0.01)
    assert found['turn_2.0_s_rad'] == pytest.approx(1.0, abs=0.02)
    assert found['spin_radps'] == pytest.approx(0.5)


@pytest.mark.parametrize('step_hz', [1.5, 2.0, 2.5])
def test_steps_are_counted_and_weighed(step_hz: float) -> None:
    found = told(phone(step_hz=step_hz, bounce=1.5))
    assert found['cadence_hz'] == pytest.approx(step_hz, abs=0.1)
    assert found['strength_2.0_s_mps2'] == pytest.approx(1.5, rel=0.05)


def test_how_a_phone_is_held_does_not_matter() -> None:
    rows = phone(turning=-0.3)
    turned = (rows.reshape(1, 3 * ROWS, 3) @ tilts(np.array([[0.4, -0.5]]))).reshape(rows.shape)
    before, after = told(rows), told(turned)
    assert after == pytest.approx(before, abs=0.05)


def test_rows_that_were_not_measured_do_not_count() -> None:
    rows, mask = phone(), np.ones((1, ROWS), bool)
    mask[0, ::7] = False
    rows[0, ::7] = 1e6
    assert told(rows, mask)['strength_2.0_s_mps2'] == pytest.approx(2.0, rel=0.1)
    assert not any(told(rows, np.zeros_like(mask)).values())
