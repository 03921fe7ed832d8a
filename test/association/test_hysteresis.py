from itertools import permutations

import numpy as np
import pytest

from utt_ros.association.hysteresis import Holding, posteriors

S = 10**9


def holding(least=0.5, margin=2.0, patience_s=1.0):
    return Holding(least, margin, round(patience_s * S))


def names(made):
    return {track: hold.phone for track, hold in made.holds.items()}


def exact(scores):
    """Posteriors by enumeration of all assignments in which some have nobody."""
    tracks, phones = scores.shape
    total, found = 0.0, np.zeros(scores.shape)
    for way in {way[:tracks] for way in permutations(
            [*range(phones), *[-1] * tracks], tracks)}:
        weight = np.exp(sum(scores[row, column] for row, column in enumerate(way) if column >= 0))
        total += weight
        for row, column in enumerate(way):
            if column >= 0:
                found[row, column] += weight
    return found / total


def test_posteriors_are_close_to_those_of_all_possible_assignments() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores = rng.normal(0, 3, (rng.integers(1, 4), rng.integers(1, 4)))
        assert posteriors(scores) == pytest.approx(exact(scores), abs=0.1)


def test_a_phone_that_another_track_surely_has_is_not_free() -> None:
    found = posteriors(np.array([[12.0, -12.0], [3.0, 0.0]]))
    assert found[0, 0] > 0.99
    assert found[1, 0] < 0.01


def test_huge_scores_stay_finite() -> None:
    found = posteriors(np.full((3, 3), 1e6))
    assert np.isfinite(found).all()
    assert (found.sum(0) <= 1.001).all()


def test_somebody_without_a_phone_gets_none() -> None:
    made = holding()
    made.decide(S, ['1', '2'], ['a'], np.array([[4.0], [-3.0]]))
    assert names(made) == {'1': 'a'}


def test_a_track_must_be_certain_enough() -> None:
    made = holding(least=0.9)
    made.decide(S, ['1'], ['a'], np.array([[1.0]]))
    assert not made.holds
    made.decide(2 * S, ['1'], ['a'], np.array([[4.0]]))
    assert made.holds['1'].confidence == pytest.approx(1 / (1 + np.exp(-4.0)), abs=1e-6)


RIGHT = np.array([[5.0, -1.0], [-1.0, 5.0]])


def test_names_do_not_change_when_others_fit_better_for_a_moment() -> None:
    made = holding()
    for half in range(10):
        made.decide(S + half * S // 2, ['1', '2'], ['a', 'b'],
                    RIGHT[::-1] if half == 5 else RIGHT)
        assert names(made) == {'1': 'a', '2': 'b'}


def test_names_do_not_change_when_others_fit_little_better() -> None:
    made = holding()
    made.decide(S, ['1', '2'], ['a', 'b'], RIGHT)
    for half in range(10):
        made.decide(2 * S + half * S // 2, ['1', '2'], ['a', 'b'],
                    np.array([[2.0, 2.9], [2.9, 2.0]]))
    assert names(made) == {'1': 'a', '2': 'b'}
    assert made.holds['1'].confidence < 0.5


def test_names_are_exchanged_at_once_when_the_others_stay_clearly_better() -> None:
    made = holding()
    made.decide(S, ['1', '2'], ['a', 'b'], RIGHT)
    seen = []
    for half in range(4):
        made.decide(2 * S + half * S // 2, ['1', '2'], ['a', 'b'], RIGHT[::-1])
        seen.append(names(made)['1'])
    assert seen == ['a', 'a', 'b', 'b']
    assert names(made) == {'1': 'b', '2': 'a'}


def test_a_track_that_ended_frees_its_phone() -> None:
    made = holding()
    made.decide(S, ['1'], ['a'], np.array([[5.0]]))
    made.decide(2 * S, ['2'], ['a'], np.array([[5.0]]))
    assert names(made) == {'2': 'a'}


def test_a_track_that_comes_back_still_has_its_phone() -> None:
    made = holding()
    made.decide(S, ['1', '2'], ['a', 'b'], RIGHT)
    made.decide(2 * S, ['2'], ['a', 'b'], RIGHT[1:])
    made.decide(3 * S, ['1', '2'], ['a', 'b'], np.zeros((2, 2)))
    assert names(made) == {'1': 'a', '2': 'b'}


def test_a_phone_that_falls_silent_stays_with_its_track() -> None:
    made = holding()
    made.decide(S, ['1', '2'], ['a', 'b'], RIGHT)
    made.decide(2 * S, ['1', '2'], ['b'], np.array([[9.0], [5.0]]))
    assert names(made) == {'1': 'a', '2': 'b'}


def test_a_phone_that_a_label_names_is_taken_away() -> None:
    made = holding()
    made.decide(S, ['1', '2'], ['a', 'b'], RIGHT)
    made.release(['a'])
    assert names(made) == {'2': 'b'}
