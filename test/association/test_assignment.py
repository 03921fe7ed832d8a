import numpy as np

from utt_ros.association.assignment import NOBODY, assign


def test_assign_prefers_the_least_total_cost_to_the_least_first() -> None:
    assert assign(np.array([[1.0, 2.0], [1.1, 9.0]])).tolist() == [1, 0]


def test_assign_gives_no_phone_twice() -> None:
    assert sorted(assign(np.array([[0.0], [1.0]])).tolist()) == [NOBODY, 0]


def test_assign_leaves_a_track_alone_when_every_phone_costs_more_than_nobody() -> None:
    assert assign(np.array([[5.0, 6.0], [0.5, 9.0]]), nobody=2.0).tolist() == [NOBODY, 0]


def test_assign_takes_an_unknown_cost_for_the_mean_of_the_others() -> None:
    assert assign(np.array([[np.nan, 4.0], [1.0, 1.0]])).tolist() == [0, 1]


def test_assign_of_nobody_is_empty() -> None:
    assert assign(np.zeros((0, 3))).tolist() == []
    assert assign(np.zeros((2, 0))).tolist() == [NOBODY, NOBODY]
