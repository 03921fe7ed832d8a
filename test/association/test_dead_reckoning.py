import numpy as np
import pytest

from utt_ros.association.dead_reckoning import count_steps, dead_reckon, headings


def test_headings_point_where_the_phones_point(walkers) -> None:
    angles, valid = headings(walkers(), magnetic_yaw=0.0)
    assert valid.all()
    assert angles[0] == pytest.approx(np.pi / 2, abs=0.02)
    assert angles[1] == pytest.approx(0.0, abs=0.02)


def test_every_swing_of_the_acceleration_is_a_step(walkers) -> None:
    assert count_steps(walkers(ticks=50)).sum(1).tolist() == [10, 10]


def test_a_phone_that_lies_still_takes_no_step(walkers) -> None:
    seen = walkers()
    seen.imu[:, :, 2] = 9.81
    assert not count_steps(seen).any()


def test_dead_reckoning_leads_along_the_heading(walkers) -> None:
    end = dead_reckon(walkers(ticks=50), 0.0, step_m=0.6)[:, -1]
    assert end[0] == pytest.approx([0.0, 6.0], abs=0.2)
    assert end[1] == pytest.approx([6.0, 0.0], abs=0.2)
