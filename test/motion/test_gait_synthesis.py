"""How synthesized phones swing from tick to tick."""

import numpy as np
import pytest

from utt_ros.motion.gait_synthesis import Swings
from utt_ros.settings import WindowSettings

WINDOW = WindowSettings()
ROW_S = WINDOW.period / WINDOW.imu_rows
T0, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000


def strengths(*told: tuple[int, int, float]) -> np.ndarray:
    """RMS (1, 6, 5) that is 0 but for (channel, part, value)."""
    rms = np.zeros((1, 6, 5), np.float32)
    for channel, part, value in told:
        rms[0, channel, part] = value
    return rms


def run(swings, ticks, rms, hz=2.0, first=0, names=('anna',)):
    """Rows (S, ticks * C, 6) of ticks on end."""
    count = len(names)
    made = [swings.push(T0 + tick * PERIOD_NS, names, np.full(count, hz, np.float32),
                        np.repeat(rms, count, axis=0)) for tick in range(first, first + ticks)]
    return np.concatenate(made, axis=1)


def test_a_phone_swings_as_strongly_and_as_often_as_told():
    made = run(Swings(WINDOW), 100, strengths((2, 1, 3.0), (3, 0, 0.5)))[0]
    assert made[:, 2].std() == pytest.approx(3.0, rel=0.01)
    assert made[:, 3].std() == pytest.approx(0.5, rel=0.01)
    spectrum = np.abs(np.fft.rfft(made, axis=0))
    frequency = np.fft.rfftfreq(len(made), ROW_S)
    assert frequency[spectrum[:, 2].argmax()] == pytest.approx(2.0)
    assert frequency[spectrum[:, 3].argmax()] == pytest.approx(1.0)  # with each stride
    assert not made[:, [0, 1, 4, 5]].any()


def test_waves_go_on_from_tick_to_tick_without_a_jump_also_when_pace_and_strength_change():
    swings = Swings(WINDOW)
    rms = strengths((2, 1, 3.0))
    made = np.concatenate([run(swings, 10, rms), run(swings, 10, rms, 1.5, 10),
                           run(swings, 10, 0.2 * rms, 1.5, 20), run(swings, 10, rms, 2.5, 30)], 1)
    steepest = 3.0 * np.sqrt(2) * (2 * np.pi * 2.5 * ROW_S + 0.8 / WINDOW.imu_rows)
    assert np.abs(np.diff(made[0, :, 2])).max() < steepest


def test_the_rest_wanders_with_the_strength_that_is_told():
    made = run(Swings(WINDOW), 600, strengths((0, 4, 0.5)))[0, :, 0]
    assert made.std() == pytest.approx(0.5, rel=0.1)
    assert np.corrcoef(made[:-1], made[1:])[0, 1] == pytest.approx(0.7, abs=0.05)


def test_people_do_not_march():
    anna, bert = run(Swings(WINDOW), 20, strengths((2, 0, 1.0)), names=('anna', 'bert'))[..., 2]
    assert np.abs(anna - bert).max() > 0.1


def test_equal_ticks_make_equal_rows_also_in_the_next_epoch():
    swings, rms = Swings(WINDOW), strengths((0, 4, 0.5), (2, 1, 3.0))
    first = run(swings, 5, rms)
    again = run(swings, 5, rms, first=5)
    swings.forget()
    np.testing.assert_array_equal(run(swings, 5, rms), first)
    np.testing.assert_array_equal(run(swings, 5, rms, first=5), again)


def test_how_somebody_swings_depends_on_nobody_else():
    rms = strengths((0, 4, 0.5), (2, 1, 3.0))
    alone = run(Swings(WINDOW), 5, rms)
    beside = run(Swings(WINDOW), 5, rms, names=('bert', 'anna', 'carl'))
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-6)
    assert np.abs(beside[0, :, 0] - alone[0, :, 0]).max() > 0.1


def test_who_was_away_begins_anew():
    rms = strengths((2, 1, 3.0))
    swings, fresh = Swings(WINDOW), Swings(WINDOW)
    run(swings, 7, rms, 1.7)
    run(swings, 1, rms, first=7, names=('bert',))
    np.testing.assert_allclose(
        run(swings, 3, rms, first=8), run(fresh, 3, rms, first=8), atol=1e-5)
