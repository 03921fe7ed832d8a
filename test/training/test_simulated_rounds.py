# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Algorithm 1 in one process: model, bytes and time."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.aggregation import Contribution, average_by_windows
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.wire import pack
from utt_ros.training.simulated_rounds import FederationPlan, SimulatedRound, run_federation

BEGIN = {'camera.w': np.zeros((2, 3), np.float32), 'imu.w': np.ones(4, np.float32)}
Weights = dict[str, np.ndarray]


class Descent:
    """Learner of an area; a step goes a tenth of the way to its optimum."""

    def __init__(
        self, optimum: float, windows: int = 1, names: tuple[str, ...] = tuple(BEGIN),
    ) -> None:
        self.optimum, self.names = optimum, names
        self.window_count = windows
        self.modalities = tuple(name.split('.')[0] for name in names)
        self.loads = 0

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        self.loads += 1
        self.weights = {name: values.copy() for name, values in weights.items()}

    def train(self, steps: int) -> float:
        for _, name in ((step, name) for step in range(steps) for name in self.names):
            self.weights[name] += np.float32(0.1) * (self.optimum - self.weights[name])
        return float(np.mean([np.abs(self.weights[n] - self.optimum).mean() for n in BEGIN]))

    def update(self) -> Weights:
        return {name: self.weights[name] for name in self.names}


def steady_clock() -> Iterator[float]:
    return count(0.0, 0.5)


def test_the_model_is_between_the_optima_of_areas_weighted_by_their_windows() -> None:
    plan = FederationPlan(rounds=30)
    result = run_federation({'a': Descent(0.0), 'b': Descent(4.0, 3)}, BEGIN, plan)
    np.testing.assert_allclose(result.weights['imu.w'], 3.0, atol=1e-5)
    assert result.rounds[0].windows == {'a': 1, 'b': 3}
    uniform = FederationPlan(rounds=30, aggregator=AggregatorSettings(weighting='uniform'))
    result = run_federation({'a': Descent(0.0), 'b': Descent(4.0, 3)}, BEGIN, uniform)
    np.testing.assert_allclose(result.weights['imu.w'], 2.0, atol=1e-5)


def test_a_round_equals_the_rule_of_the_live_aggregator_bit_by_bit() -> None:
    learners = {'a': Descent(0.3, 5), 'b': Descent(-2.0, 7, ('imu.w',))}
    result = run_federation(learners, BEGIN, FederationPlan(rounds=1, local_steps=3))
    contributions = []
    for area, learner in learners.items():
        learner.load(BEGIN)
        learner.train(3)
        contributions.append(Contribution(area, learner.update(), learner.window_count))
    expected = average_by_windows(contributions, BEGIN)
    for name in BEGIN:
        np.testing.assert_array_equal(result.weights[name], expected[name])


def test_a_tensor_is_averaged_over_the_areas_that_trained_it() -> None:
    learners = {'a': Descent(2.0, names=('camera.w',)), 'b': Descent(6.0)}
    result = run_federation(learners, BEGIN, FederationPlan(rounds=40))
    np.testing.assert_allclose(result.weights['camera.w'], 4.0, atol=1e-5)
    np.testing.assert_allclose(result.weights['imu.w'], 6.0, atol=1e-5)


def test_bytes_are_those_of_the_payloads() -> None:
    learners = {'a': Descent(2.0, names=('camera.w',)), 'b': Descent(6.0)}
    result = run_federation(learners, BEGIN, FederationPlan(rounds=2))
    whole, part = len(pack(BEGIN).payload), len(pack({'camera.w': BEGIN['camera.w']}).payload)
    for item in result.rounds:
        assert item.bytes_down == {'a': whole, 'b': whole}
        assert item.bytes_up == {'a': part, 'b': whole}
    assert result.bytes_final == whole
    assert result.bytes_moved(areas=2) == 2 * (2 * whole + part + whole) + 2 * whole


def test_wall_time_is_that_of_the_slowest_area_and_its_link() -> None:
    slow_link = SimulatedRound(0, {}, {}, {}, {'a': 1.0, 'b': 3.0}, 0.25,
                      {'a': 1000, 'b': 1000}, {'a': 2000, 'b': 100})
    assert slow_link.seconds(link_bps=1e9) == pytest.approx(3.25, abs=1e-4)
    assert slow_link.seconds(link_bps=8000.0) == pytest.approx(3.0 + 1.1 + 0.25)
    assert slow_link.seconds(link_bps=800.0) == pytest.approx(1.0 + 30.0 + 0.25)


def test_time_is_measured_per_area_and_for_the_aggregation() -> None:
    result = run_federation(
        {'a': Descent(0.0), 'b': Descent(1.0)}, BEGIN, FederationPlan(rounds=2),
        clock=steady_clock().__next__)
    for item in result.rounds:
        assert item.train_s == {'a': 0.5, 'b': 0.5}
        assert item.aggregate_s == 0.5
    assert result.seconds(link_bps=1e15) == pytest.approx(2.0)


def test_areas_are_drawn_by_the_seed_and_no_others_train() -> None:
    def drawn(seed: int) -> list[tuple[str, ...]]:
        learners = {name: Descent(1.0) for name in 'abcdef'}
        result = run_federation(learners, BEGIN, FederationPlan(rounds=8, sampled=2, seed=seed))
        assert sum(learner.loads for learner in learners.values()) == 16
        return [tuple(item.windows) for item in result.rounds]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    assert {len(names) for names in drawn(3)} == {2}


def test_training_ends_when_the_stop_rule_holds() -> None:
    result = run_federation(
        {'a': Descent(4.0)}, BEGIN, FederationPlan(rounds=50, local_steps=1),
        stop=lambda _, weights: bool(weights['imu.w'][0] > 3.0))
    assert len(result.rounds) == 11  # 1 - 0.9^11 > 2/3
    assert result.weights['imu.w'][0] > 3.0


def test_a_diverged_area_is_refused_by_name_and_the_others_continue() -> None:
    learners = {'a': Descent(np.nan), 'b': Descent(4.0)}
    result = run_federation(learners, BEGIN, FederationPlan(rounds=2))
    assert 'are not finite' in result.rounds[1].refused['a']
    assert result.rounds[1].windows == {'b': 1}
    assert np.isfinite(result.weights['imu.w']).all()


def test_an_area_that_can_train_nothing_is_left_out() -> None:
    learners = {'a': Descent(9.0, names=()), 'b': Descent(1.0)}
    result = run_federation(learners, BEGIN, FederationPlan(rounds=1))
    assert result.rounds[0].windows == {'b': 1}
    assert 'a' not in result.rounds[0].bytes_up
    alone = run_federation({'a': Descent(9.0, names=())}, BEGIN, FederationPlan(rounds=2))
    np.testing.assert_array_equal(alone.weights['imu.w'], BEGIN['imu.w'])


def test_a_model_that_does_not_fit_names_the_area() -> None:
    class Strict(Descent):
        def load(self, weights: Mapping[str, np.ndarray]) -> None:
            raise ModelError('missing tensor')

    with pytest.raises(ModelError, match="area 'a': missing tensor"):
        run_federation({'a': Strict(1.0)}, BEGIN, FederationPlan(rounds=1))


ROUNDS = 60


def coded(compression: str) -> AggregatorSettings:
    return AggregatorSettings(screening=False, compression=compression)


@pytest.mark.parametrize('scheme', ['int8', 'sign'])
def test_a_compressed_federation_comes_to_the_model_of_a_plain_one(scheme: str) -> None:
    begin = {'camera.w': np.zeros((40, 50), np.float32), 'imu.w': np.ones(900, np.float32)}
    results = {}
    for compression in ('none', scheme):
        areas = {'north': Descent(1.0), 'south': Descent(3.0, names=('camera.w',))}
        results[compression] = run_federation(
            areas, begin, FederationPlan(ROUNDS, 2, aggregator=coded(compression)))
    for name in begin:
        np.testing.assert_allclose(
            results[scheme].weights[name], results['none'].weights[name], atol=0.1)
    plain, short = results['none'].rounds[-1], results[scheme].rounds[-1]
    for area in ('north', 'south'):
        assert short.bytes_up[area] < plain.bytes_up[area] / 3
        assert short.bytes_down[area] < plain.bytes_down[area] / 3
    assert results[scheme].bytes_final < results['none'].bytes_final / 3


def test_an_area_that_missed_a_model_receives_it_whole() -> None:
    areas = {name: Descent(1.0) for name in ('north', 'south', 'west')}
    result = run_federation(areas, BEGIN, FederationPlan(
        12, 1, sampled=1, aggregator=coded('sign')))
    whole, drawn = len(pack(BEGIN).payload), ''
    for item in result.rounds:
        ((area, size),) = item.bytes_down.items()
        assert (size == whole) == (area != drawn)
        drawn = area
    assert result.bytes_final == whole


ROBUST = ('trimmed_mean', 'coordinate_median', 'geometric_median', 'multi_krum')


@pytest.mark.parametrize('settings', [
    AggregatorSettings(),  # screened
    *(AggregatorSettings(weighting=name, screening=False) for name in ROBUST)])
def test_a_hostile_area_changes_little_where_all_updates_are_compressed(
    settings: AggregatorSettings,
) -> None:
    areas = {f'area{number}': Descent(1.0) for number in range(5)} | {'hostile': Descent(-50.0)}
    result = run_federation(areas, BEGIN, FederationPlan(
        ROUNDS, 2, aggregator=replace(settings, compression='sign')))
    for tensor in result.weights.values():
        np.testing.assert_allclose(tensor, np.ones_like(tensor), atol=0.15)


class OnceDiverged(Descent):
    """Learner whose optimum is far too large in its first round only."""

    def train(self, steps: int) -> float:
        loss = super().train(steps)
        self.optimum = 1.0
        return loss


def test_what_is_left_of_a_refused_update_is_not_sent_later() -> None:
    areas = {'north': Descent(1.0), 'south': OnceDiverged(1e4)}
    result = run_federation(areas, BEGIN, FederationPlan(4, 1, aggregator=coded('ternary')))
    assert [list(item.refused) for item in result.rounds] == [['south'], [], [], []]
    assert all('south' in item.windows for item in result.rounds[1:])


class Misfit(Descent):
    """Learner that sends a tensor of another name or shape."""

    def update(self) -> Weights:
        return self.sent


@pytest.mark.parametrize(('tensor', 'reason'), [
    ({'radar.w': np.zeros(3, np.float32)}, "tensor 'radar.w' is not in the model"),
    ({'imu.w': np.zeros((1000, 4), np.float32)}, r"tensor 'imu.w' has shape (1000, 4)"),
])
@pytest.mark.parametrize('compression', ['none', 'sign'])
def test_tensors_of_another_model_are_refused_by_name(
    compression: str, tensor: Weights, reason: str,
) -> None:
    south = Misfit(1.0)
    south.sent = tensor
    result = run_federation({'north': Descent(1.0), 'south': south}, BEGIN, FederationPlan(
        2, 1, aggregator=coded(compression)))
    for item in result.rounds:
        assert reason in item.refused['south']
        assert item.windows == {'north': 1}


def test_more_areas_cannot_be_drawn_than_exist() -> None:
    with pytest.raises(SettingsError, match='sampled is 3: there are 1 areas'):
        run_federation({'a': Descent(1.0)}, BEGIN, FederationPlan(sampled=3))
