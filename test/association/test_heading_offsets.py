import numpy as np
import pytest

from utt_ros.association.dead_reckoning import headings
from utt_ros.association.heading_offsets import Offsets

PAIRS = [(0, 1), (1, 0)]


def learned(area, seen, turned, times, pairs=PAIRS):
    offsets = Offsets()
    angles, valid = headings(seen, 0.0)
    for _ in range(times):
        offsets.learn(seen, area, (angles + np.array(turned)[:, None], valid), pairs, ticks=5)
    return offsets


def test_a_phone_of_which_nothing_is_known_points_ahead() -> None:
    assert Offsets().of(['a', 'b']).tolist() == [0.0, 0.0]


def test_the_offset_of_a_phone_is_learned_from_its_matches(area, walkers) -> None:
    offsets = learned(area, walkers(), [1.0, -0.5], times=60)
    assert offsets.of(['a', 'b']) == pytest.approx([1.0, -0.5], abs=0.2)


def test_one_second_changes_little(area, walkers) -> None:
    offsets = learned(area, walkers(), [1.0, -1.0], times=2)
    assert np.abs(offsets.of(['a', 'b'])).max() < 0.35


def test_a_new_phone_is_taken_to_point_as_the_others_of_the_area(area, walkers) -> None:
    offsets = learned(area, walkers(), [0.6, 0.6], times=120)
    assert offsets.of(['new']) == pytest.approx([0.6], abs=0.3)


def test_phones_that_are_not_matched_any_more_are_forgotten(area, walkers) -> None:
    seen = walkers()
    offsets = learned(area, seen, [1.0, 1.0], times=60)
    for _ in range(1500):
        offsets.learn(seen, area, headings(seen, 0.0), [], ticks=5)
    assert not offsets._sums
