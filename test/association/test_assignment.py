import numpy as np

from utt_ros.association.assignment import UNASSIGNED, assign


def test_assignment_minimizes_the_total_cost_and_not_the_first() -> None:
    assert assign(np.array([[1.0, 2.0], [1.1, 9.0]])).tolist() == [1, 0]


def test_no_phone_is_assigned_twice() -> None:
    assert sorted(assign(np.array([[0.0], [1.0]])).tolist()) == [UNASSIGNED, 0]


def test_a_track_stays_without_a_phone_when_every_phone_costs_more() -> None:
    assigned = assign(np.array([[5.0, 6.0], [0.5, 9.0]]), no_phone_cost=2.0)
    assert assigned.tolist() == [UNASSIGNED, 0]


def test_an_unknown_cost_counts_as_the_mean_of_the_others() -> None:
    assert assign(np.array([[np.nan, 4.0], [1.0, 1.0]])).tolist() == [0, 1]


def test_assignment_without_tracks_or_phones_is_empty() -> None:
    assert assign(np.zeros((0, 3))).tolist() == []
    assert assign(np.zeros((2, 0))).tolist() == [UNASSIGNED, UNASSIGNED]
