from dataclasses import replace

import numpy as np
import pytest

from utt_ros.association.assignment import NOBODY
from utt_ros.association.candidates import Candidates
from utt_ros.evaluation.association.encounters import Encounter
from utt_ros.evaluation.association.live_scorers import _alone, _lacking, _young
from utt_ros.evaluation.association.scorer_training import train_scorer
from utt_ros.settings import AreaSettings


@pytest.fixture
def one():
    seen = Candidates(
        10**9, 0.1, ('1', '2'), ('a', 'b', 'c'), np.ones((2, 60, 5), np.float32),
        np.ones((2, 60), bool), np.ones((3, 60, 2), np.float32), np.ones((3, 60), bool),
        np.ones((3, 300, 9), np.float32), np.ones((3, 300), bool))
    return Encounter(AreaSettings(), 'walk', seen, np.array([2, 0]))


def often(change, one):
    return [change(one, np.random.default_rng(seed)) for seed in range(60)]


def test_sometimes_an_owner_left_the_phone_at_home(one) -> None:
    found = [each for each in often(_alone, one) if NOBODY in each.owners]
    assert 10 < len(found) < 40
    for each in found:
        assert len(each.seen.phones) == each.seen.ftm.shape[0] == 2
        for owner, phone in zip(each.owners, ('c', 'a'), strict=True):
            assert owner == NOBODY or each.seen.phones[owner] == phone
            assert phone in each.seen.phones or owner == NOBODY


def test_sometimes_tracks_have_just_appeared(one) -> None:
    ages = [each.seen.boxes_mask[0].sum() for each in often(_young, one)]
    assert 15 < sum(age < 40 for age in ages) < 45
    assert min(ages) < 12


def test_sometimes_a_phone_lacks_a_sensor(one) -> None:
    found = often(_lacking, one)
    assert any(not each.seen.ftm_mask.any(1).all() for each in found)
    assert any(not each.seen.imu_mask.any(1).all() for each in found)
    assert one.seen.ftm_mask.all()


def test_the_scorer_learns_that_some_tracks_are_nobodys() -> None:
    rng = np.random.default_rng(0)

    def meetings(count):
        pairs = []
        for _ in range(count):
            owner = int(rng.integers(-1, 3))
            evidence = rng.normal(3.0, 0.3, (1, 3, 1)).astype(np.float32)
            if owner != NOBODY:
                evidence[0, owner] = 0.0
            pairs.append((evidence, np.array([owner])))
        return pairs
    scorer = train_scorer(meetings(200), meetings(50), seed=0)
    for evidence, owners in meetings(50):
        scores = scorer(evidence)[0]
        assert (scores > 0.0).any() == (owners[0] != NOBODY)
        assert owners[0] == NOBODY or scores.argmax() == owners[0]
    assert replace(scorer, level=9.0)(evidence).min() > scorer(evidence).min()
