"""Areas at their own pace: who is merged when follows from the paces and the link alone."""

from collections.abc import Mapping

import numpy as np
import pytest
from utt_ros.evaluation.federated.fedasync import Mixing

from utt_ros.errors import SettingsError
from utt_ros.evaluation.federated.asynchronous import AsynchronousPlan, Merge, follow
from utt_ros.federation.wire import pack
from utt_ros.training.simulated_rounds import FederationPlan

BEGIN = {'w': np.zeros(3, np.float32)}
BITS = 8 * len(pack(BEGIN).payload)
FAST_LINK = 1e15


class Jump:
    """An area that goes half of the way to its own optimum whenever it trains."""

    def __init__(self, optimum: float, sends: bool = True) -> None:
        self.optimum, self.sends = optimum, sends
        self.window_count = 10
        self.modalities = ('imu',)

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        self.w = weights['w'].copy()

    def train(self, steps: int) -> float:
        self.w += np.float32(0.5) * (self.optimum - self.w)
        return float(np.abs(self.w - self.optimum).mean())

    def update(self) -> dict[str, np.ndarray]:
        return {'w': self.w} if self.sends else {}


def plan(updates: int, rounds: int = 1, **mixing: float) -> AsynchronousPlan:
    return AsynchronousPlan(FederationPlan(rounds=rounds), updates, Mixing(**mixing))  # type: ignore[arg-type]


def test_a_fast_area_is_merged_as_often_as_it_is_faster() -> None:
    found = follow({'fast': Jump(1.0), 'slow': Jump(-1.0)}, BEGIN, plan(8),
                   {'fast': 1.0, 'slow': 3.1}, FAST_LINK)
    names = [merge.area for merge in found.merges]
    assert names == ['fast', 'fast', 'fast', 'slow', 'fast', 'fast', 'fast', 'slow']
    stamps = [round(merge.stamp_s - 3.1, 6) for merge in found.merges]  # after one round of 3.1 s
    assert stamps == [1.0, 2.0, 3.0, 3.1, 4.0, 5.0, 6.0, 6.2]
    assert [merge.staleness for merge in found.merges] == [0, 0, 0, 3, 1, 0, 0, 3]
    assert found.seconds == pytest.approx(3.1 + 6.2)


def test_both_begin_from_the_model_of_the_rounds_together() -> None:
    found = follow({'a': Jump(4.0), 'b': Jump(0.0)}, BEGIN, plan(1, rounds=2, weight=1.0),
                   {'a': 1.0, 'b': 2.0}, FAST_LINK)
    together = found.initial.weights['w']
    np.testing.assert_allclose(together, 1.5)  # 0 -> mean(2, 0) = 1 -> mean(2.5, 0.5)
    np.testing.assert_allclose(found.weights['w'], together + 0.5 * (4.0 - together))


def test_transfers_take_as_long_as_the_link_needs() -> None:
    found = follow({'a': Jump(1.0)}, BEGIN, plan(2, rounds=1), {'a': 1.0}, link_bps=BITS / 0.25)
    assert [merge.stamp_s for merge in found.merges] == pytest.approx([3.0, 4.5])
    assert {(merge.bytes_down, merge.bytes_up) for merge in found.merges} == {
        (BITS // 8, BITS // 8)}


def test_the_outcome_is_the_same_every_time() -> None:
    def once() -> tuple[tuple[Merge, ...], np.ndarray]:
        found = follow({'a': Jump(1.0), 'b': Jump(2.0), 'c': Jump(3.0)}, BEGIN, plan(30),
                       {'a': 1.0, 'b': 1.0, 'c': 0.7}, 1e6)
        return found.merges, found.weights['w']

    first, second = once(), once()
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])


def test_areas_meet_between_their_optima() -> None:
    found = follow({'a': Jump(1.0), 'b': Jump(3.0)}, BEGIN, plan(200, weight=0.1),
                   {'a': 1.0, 'b': 1.0}, FAST_LINK)
    np.testing.assert_allclose(found.weights['w'], 2.0, atol=0.15)


def test_an_area_that_cannot_train_or_is_too_old_is_told_and_the_others_go_on() -> None:
    found = follow({'idle': Jump(1.0, sends=False), 'old': Jump(1.0), 'quick': Jump(1.0)}, BEGIN,
                   plan(12, max_staleness=3), {'idle': 1.0, 'old': 5.5, 'quick': 1.0}, FAST_LINK)
    why = {merge.area: merge.refused for merge in found.merges}
    assert why['idle'] == 'nothing could be trained'
    assert why['old'] == "area 'old': it is 5 models old: 0..3 are allowed"
    assert why['quick'] == ''
    assert found.weights['w'][0] > 0.7


def test_mapping_ends_when_the_model_is_good_enough() -> None:
    found = follow({'a': Jump(1.0)}, BEGIN, plan(50), {'a': 1.0}, FAST_LINK,
                   stop=lambda _, weights: bool(weights['w'][0] > 0.9))
    assert 1 < len(found.merges) < 50
    assert found.weights['w'][0] > 0.9


@pytest.mark.parametrize('pace', [{}, {'a': 0.0}])
def test_a_pace_that_is_missing_is_an_error(pace: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=r"pace of area 'a' is .* must be above 0"):
        follow({'a': Jump(1.0)}, BEGIN, plan(1), pace, FAST_LINK)
