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

"""Asynchronous federation: staleness weighting, and order of updates by paces and links."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.federated.asynchronous import (
    AsynchronousPlan,
    AsynchronousServer,
    MergedUpdate,
    StalenessWeighting,
    run_asynchronous,
)
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.client_messages import make_update, open_model
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import GlobalModel, Update
from utt_ros.federation.wire import pack
from utt_ros.training.simulated_rounds import FederationPlan

BEGIN = {'w': np.zeros(3, np.float32)}
BITS = 8 * len(pack(BEGIN).payload)
FAST_LINK = 1e15


class HalfWay:
    """Learner of an area; training goes half of the way to its optimum."""

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


def plan(updates: int, rounds: int = 1, **weighting: float) -> AsynchronousPlan:
    staleness = StalenessWeighting(**weighting)  # type: ignore[arg-type]
    return AsynchronousPlan(FederationPlan(rounds=rounds), updates, staleness)


def test_a_fast_area_is_merged_more_often() -> None:
    result = run_asynchronous(
        {'fast': HalfWay(1.0), 'slow': HalfWay(-1.0)}, BEGIN, plan(8),
        {'fast': 1.0, 'slow': 3.1}, FAST_LINK)
    names = [merge.area for merge in result.merges]
    assert names == ['fast', 'fast', 'fast', 'slow', 'fast', 'fast', 'fast', 'slow']
    stamps = [round(merge.stamp_s - 3.1, 6) for merge in result.merges]  # after one round of 3.1 s
    assert stamps == [1.0, 2.0, 3.0, 3.1, 4.0, 5.0, 6.0, 6.2]
    assert [merge.staleness for merge in result.merges] == [0, 0, 0, 3, 1, 0, 0, 3]
    assert result.seconds == pytest.approx(3.1 + 6.2)


def test_areas_start_from_the_model_of_the_synchronous_rounds() -> None:
    result = run_asynchronous(
        {'a': HalfWay(4.0), 'b': HalfWay(0.0)}, BEGIN, plan(1, rounds=2, weight=1.0),
        {'a': 1.0, 'b': 2.0}, FAST_LINK)
    synchronous = result.initial.weights['w']
    np.testing.assert_allclose(synchronous, 1.5)  # 0 -> mean(2, 0) = 1 -> mean(2.5, 0.5)
    np.testing.assert_allclose(result.weights['w'], synchronous + 0.5 * (4.0 - synchronous))


def test_transfers_take_the_time_of_the_link() -> None:
    result = run_asynchronous(
        {'a': HalfWay(1.0)}, BEGIN, plan(2, rounds=1), {'a': 1.0}, link_bps=BITS / 0.25)
    assert [merge.stamp_s for merge in result.merges] == pytest.approx([3.0, 4.5])
    assert {(merge.bytes_down, merge.bytes_up) for merge in result.merges} == {
        (BITS // 8, BITS // 8)}


def test_the_outcome_is_the_same_every_time() -> None:
    def once() -> tuple[tuple[MergedUpdate, ...], np.ndarray]:
        result = run_asynchronous(
            {'a': HalfWay(1.0), 'b': HalfWay(2.0), 'c': HalfWay(3.0)}, BEGIN, plan(30),
            {'a': 1.0, 'b': 1.0, 'c': 0.7}, 1e6)
        return result.merges, result.weights['w']

    first, second = once(), once()
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])


def test_the_model_is_between_the_optima_of_the_areas() -> None:
    result = run_asynchronous(
        {'a': HalfWay(1.0), 'b': HalfWay(3.0)}, BEGIN, plan(200, weight=0.1),
        {'a': 1.0, 'b': 1.0}, FAST_LINK)
    np.testing.assert_allclose(result.weights['w'], 2.0, atol=0.15)


def test_idle_and_stale_areas_are_refused_with_a_reason_and_others_continue() -> None:
    result = run_asynchronous(
        {'idle': HalfWay(1.0, sends=False), 'old': HalfWay(1.0), 'quick': HalfWay(1.0)}, BEGIN,
        plan(12, max_staleness=3), {'idle': 1.0, 'old': 5.5, 'quick': 1.0}, FAST_LINK)
    refused = {merge.area: merge.refused for merge in result.merges}
    assert refused['idle'] == 'nothing could be trained'
    assert refused['old'] == "area 'old': it is 5 models old: 0..3 are allowed"
    assert refused['quick'] == ''
    assert result.weights['w'][0] > 0.7


def test_training_ends_when_the_stop_rule_holds() -> None:
    result = run_asynchronous(
        {'a': HalfWay(1.0)}, BEGIN, plan(50), {'a': 1.0}, FAST_LINK,
        stop=lambda _, weights: bool(weights['w'][0] > 0.9))
    assert 1 < len(result.merges) < 50
    assert result.weights['w'][0] > 0.9


@pytest.mark.parametrize('pace', [{}, {'a': 0.0}])
def test_a_missing_pace_is_an_error(pace: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=r"pace of area 'a' is .* must be above 0"):
        run_asynchronous({'a': HalfWay(1.0)}, BEGIN, plan(1), pace, FAST_LINK)


INITIAL = {'a': np.float32([0.0, 0.0]), 'b': np.float32([1.0])}
WEIGHTING = StalenessWeighting(weight=0.5, exponent=1.0, max_staleness=2)


@pytest.fixture
def server() -> AsynchronousServer:
    return AsynchronousServer(
        AggregatorSettings(), WEIGHTING, Checkpoint('f00d', 0, '{}', INITIAL))


def update(model: GlobalModel, value: float, *names: str) -> Update:
    tensors = {name: np.full_like(INITIAL[name], value) for name in names or INITIAL}
    return make_update(model, 'north', 5, ('imu',), tensors)


def test_an_update_of_the_newest_model_has_the_full_weight(
    server: AsynchronousServer,
) -> None:
    assert server.receive(update(server.model, 4.0)) is None
    model = open_model(server.model, 10**6)
    np.testing.assert_allclose(model['a'], 2.0)
    np.testing.assert_allclose(model['b'], 0.5 * 4.0 + 0.5 * 1.0)
    assert server.model.round == 1


def test_weight_falls_with_staleness(server: AsynchronousServer) -> None:
    first = server.model
    for _ in range(2):
        server.receive(update(server.model, 0.0, 'a'))
    assert server.receive(update(first, 6.0, 'a')) is None
    np.testing.assert_allclose(server.checkpoint.tensors['a'], 6.0 * 0.5 / 3)
    assert [WEIGHTING.of(staleness) for staleness in range(3)] == [0.5, 0.25, 0.5 / 3]


def test_a_tensor_not_in_the_update_stays(server: AsynchronousServer) -> None:
    server.receive(update(server.model, 4.0, 'a'))
    assert server.checkpoint.tensors['b'] is INITIAL['b']


@pytest.mark.parametrize(('spoil', 'reason'), [
    (lambda sent: replace(sent, round=1), 'it is -1 models old: 0..2 are allowed'),
    (lambda sent: replace(sent, federation='beef'), "belongs to federation 'beef'"),
    (lambda sent: replace(sent, area='no/area'), "'no/area' is not a name of an area"),
    (lambda sent: replace(sent, checksum='0' * 64), 'payload has checksum'),
    (lambda sent: replace(sent, windows=0), 'claims 0 windows'),
])
def test_an_invalid_update_changes_nothing(
    server: AsynchronousServer, spoil: object, reason: str,
) -> None:
    refusal = server.receive(spoil(update(server.model, 4.0)))  # type: ignore[operator]
    assert refusal is not None
    assert reason in refusal
    assert server.model.round == 0
    assert server.checkpoint.tensors is INITIAL


def test_a_stale_or_diverged_update_is_refused(server: AsynchronousServer) -> None:
    first = server.model
    for _ in range(3):
        server.receive(update(server.model, 0.0, 'a'))
    assert 'it is 3 models old' in (server.receive(update(first, 1.0)) or '')
    assert 'are not finite' in (server.receive(update(server.model, np.nan)) or '')
    assert 'its change has norm' in (server.receive(update(server.model, 1e6)) or '')
    assert server.model.round == 3


@pytest.mark.parametrize('wrong', [{'weight': 0.0}, {'weight': 1.5}, {'exponent': -1.0}])
def test_invalid_weighting_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=f'{next(iter(wrong))} is'):
        StalenessWeighting(**wrong)  # type: ignore[arg-type]


def test_an_asynchronous_federation_refuses_compression() -> None:
    settings = AggregatorSettings(screening=False, compression='sign')
    with pytest.raises(SettingsError, match="compression is 'sign': an asynchronous federation"):
        AsynchronousPlan(FederationPlan(rounds=1, aggregator=settings))
