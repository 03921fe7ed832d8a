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

"""The convergence bound against stochastic log-cosh problems, optimised by the real server.

Area m has `F_m(x) = sum_j log cosh(x_j - c_mj)`. So gradients are hyperbolic tangents: L = 1, and
with noise that is uniform in [-s, s] their entries are below G = 1 + s.
"""

from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize

from utt_ros.errors import SettingsError
from utt_ros.evaluation.federated.convergence_bound import (
    LossAssumptions,
    Schedule,
    chi_squared,
    fedadagrad_order,
    fedadagrad_schedule,
    fedadam_bound,
    max_local_rate,
)
from utt_ros.federation.aggregation import Contribution
from utt_ros.federation.aggregation_rules import make_aggregation_rule, make_server_step
from utt_ros.federation.settings import AggregatorSettings

CENTERS = np.array([[-2.0, 0.5, 1.0, -0.5], [1.0, -1.5, 0.5, 1.0], [0.5, 1.0, -2.0, 0.0]])
START = np.full(4, 3.0)
SENSORS = ('camera', 'ftm', 'imu')  # of the three areas, one each
SCHEDULE = Schedule(rounds=600, local_steps=5, local_rate=0.009, server_rate=10.0, tau=10.0)
EQUAL = (1 / 3, 1 / 3, 1 / 3)
Array = np.ndarray


@dataclass(frozen=True)
class LogCosh:
    """Losses of M = 3 areas with optima `spread` times as far apart as CENTERS."""

    spread: float
    noise: float
    weights: tuple[float, ...] = EQUAL

    @property
    def centers(self) -> Array:
        return self.spread * CENTERS

    def gradient(self, x: Array) -> Array:
        return np.asarray(self.weights) @ np.tanh(x - self.centers)

    def loss(self, x: Array) -> float:
        away = np.abs(x - self.centers)
        log_cosh = away + np.log1p(np.exp(-2 * away)) - log(2)
        return float(np.asarray(self.weights) @ log_cosh.sum(1))

    def constants(self) -> LossAssumptions:
        """Of the assumptions; sigma_g from half the weighted squares of pairwise differences."""
        best = minimize(self.loss, self.centers.mean(0), jac=self.gradient).fun
        apart = self.centers[:, None] - self.centers[None]
        squares = ((2 * np.tanh(np.abs(apart) / 2)) ** 2).sum(-1)
        p = np.asarray(self.weights)
        return LossAssumptions(1.0, 1.0 + self.noise, self.loss(START) - best,
                       self.noise * sqrt(len(START) / 3), sqrt(p @ squares @ p / 2))

    def descend(self, schedule: Schedule, gates: tuple[float, ...], seed: int) -> Array:
        """Squared norms of the gradient (T,) at the models of all rounds."""
        rng = np.random.default_rng(seed)
        settings = AggregatorSettings(
            weighting='gated', server='fedadam', server_rate=schedule.server_rate,
            gates=tuple(f'{name}={gate}' for name, gate in zip(SENSORS, gates, strict=True)),
            server_tau=schedule.tau, server_beta2=schedule.beta2)
        mean = make_aggregation_rule(settings.weighting, settings.gates)
        step = make_server_step(
            settings.server, settings.server_rate, settings.server_tau, settings.server_beta2)
        model, memory = {'x': START.astype(np.float32)}, {}
        norms = []
        for _ in range(schedule.rounds):
            norms.append((self.gradient(model['x']) ** 2).sum())
            local = np.tile(model['x'].astype(float), (len(SENSORS), 1))
            for _ in range(schedule.local_steps):
                noise = rng.uniform(-self.noise, self.noise, local.shape)
                local -= schedule.local_rate * (np.tanh(local - self.centers) + noise)
            sent = [Contribution(name, {'x': x.astype(np.float32)}, 1, (name,))
                    for name, x in zip(SENSORS, local, strict=True)]
            model, memory = step(model, mean(sent, model), memory)
        return np.array(norms)


@pytest.mark.parametrize('beta2', [0.9, 0.99])
@pytest.mark.parametrize('problem', [
    LogCosh(spread=0.0, noise=0.0),
    LogCosh(spread=1.0, noise=0.5),
    LogCosh(spread=0.3, noise=0.3, weights=(0.7, 0.2, 0.1)),
])
def test_measured_average_is_below_the_bound(problem: LogCosh, beta2: float) -> None:
    schedule = replace(SCHEDULE, beta2=beta2)
    bound = fedadam_bound(problem.constants(), schedule, problem.weights)
    measured = np.mean([problem.descend(schedule, problem.weights, seed) for seed in range(3)])
    assert 0.0 < measured <= bound.value


def test_bound_is_informative_after_many_rounds() -> None:
    problem = LogCosh(spread=0.1, noise=0.1)
    bound = fedadam_bound(problem.constants(), replace(SCHEDULE, rounds=2000), EQUAL)
    assert bound.value < 0.25 * (problem.gradient(START) ** 2).sum()


def test_hand_computed_bound() -> None:
    problem = LossAssumptions(
        smoothness=2.0, gradient=3.0, gap=5.0, local_std=0.5, global_std=0.25)
    schedule = Schedule(rounds=7, local_steps=4, local_rate=0.002, server_rate=1.5, tau=2.0,
                        beta2=0.84)
    front = 8 * (sqrt(0.84) * 0.002 * 4 * 3 + 2) / (0.002 * 4 * 7)
    variance = 0.25 + 6 * 4 * 0.0625
    psi = 5 / 1.5 + 5 * 0.002**3 * 16 * 4 * 7 * variance / (2 * 2)
    psi_var = 7 * (sqrt(0.16) * 3 + 1.5 * 2 / 2) * (
        4 * 0.002**2 * 4 * 0.25 * (0.6**2 + 0.4**2) / 4
        + 20 * 0.002**4 * 64 * 4 * variance / 4)
    bound = fedadam_bound(problem, schedule, (0.6, 0.4))
    assert bound.value == pytest.approx(front * (psi + psi_var), rel=1e-12)


@pytest.mark.parametrize(('smoothness', 'tau', 'limit'), [
    (50.0, 1000.0, 1 / (80 * 50)),
    (1.0, 0.5, 0.5 / (80 * (2 * 2 + 10))),
])
def test_local_rate_above_the_condition_is_refused(
    smoothness: float, tau: float, limit: float,
) -> None:
    problem = LossAssumptions(smoothness=smoothness, gradient=2.0)
    schedule = replace(SCHEDULE, tau=tau, local_rate=limit)
    assert max_local_rate(problem, schedule) == pytest.approx(limit)
    fedadam_bound(problem, replace(schedule, local_rate=limit * 0.999), EQUAL)
    with pytest.raises(SettingsError, match=r'local_rate is .*: the bound holds for at most'):
        fedadam_bound(problem, replace(schedule, local_rate=limit * 1.001), EQUAL)


@pytest.mark.parametrize('name', ['global_std', 'local_std', 'gap', 'gradient'])
def test_bound_grows_with_every_constant_of_the_losses(name: str) -> None:
    values = [fedadam_bound(replace(LogCosh(0.5, 0.1).constants(), **{name: value}), SCHEDULE,
                            EQUAL).value for value in (1.1, 1.2, 1.3)]
    assert values[0] < values[1] < values[2]


def test_bound_falls_with_rounds_down_to_the_noise() -> None:
    problem = LogCosh(0.5, 0.5).constants()
    bounds = [fedadam_bound(problem, replace(SCHEDULE, rounds=rounds), EQUAL)
              for rounds in (10, 100, 1000, 10**9)]
    values = [bound.value for bound in bounds]
    assert values == sorted(values, reverse=True)
    assert len({round(bound.noise, 12) for bound in bounds}) == 1
    assert values[-1] == pytest.approx(bounds[-1].noise, rel=1e-3)


def test_uneven_weights_increase_the_noise() -> None:
    problem = LogCosh(0.5, 0.5).constants()
    even, uneven = (fedadam_bound(problem, SCHEDULE, each) for each in (EQUAL, (0.8, 0.1, 0.1)))
    assert uneven.noise > even.noise
    assert uneven.descent == even.descent


def test_floor_is_zero_only_with_the_gates_of_the_objective() -> None:
    problem, target = LogCosh(0.5, 0.1).constants(), (0.5, 0.3, 0.2)
    assert fedadam_bound(problem, SCHEDULE, target, target).floor == 0.0
    assert fedadam_bound(problem, SCHEDULE, [*target], [*target]).floor == 0.0
    for gates in ((0.51, 0.3, 0.19), EQUAL, (1.0, 0.0, 0.0)):
        assert fedadam_bound(problem, SCHEDULE, gates, target).floor > 0.0


def test_hand_computed_floor() -> None:
    assert chi_squared((0.75, 0.25), (0.5, 0.5)) == pytest.approx(0.25)
    bound = fedadam_bound(LossAssumptions(global_std=2.0), SCHEDULE, (0.75, 0.25), (0.5, 0.5))
    assert bound.floor == pytest.approx(10 * 0.25 * 4)


def test_a_wrong_gate_stalls_where_the_right_one_continues() -> None:
    problem, wrong = LogCosh(spread=1.0, noise=0.2), (0.9, 0.05, 0.05)
    right_end, wrong_end = (
        problem.descend(SCHEDULE, gates, seed=1)[-100:].mean() for gates in (EQUAL, wrong))
    longer = problem.descend(replace(SCHEDULE, rounds=1200), wrong, seed=1)[-100:].mean()
    assert wrong_end > 100 * right_end
    assert longer > 0.9 * wrong_end
    bound = fedadam_bound(problem.constants(), SCHEDULE, wrong, EQUAL)
    assert longer <= bound.floor
    assert problem.descend(SCHEDULE, wrong, seed=1).mean() <= bound.value


def test_gates_that_do_not_add_up_to_1_rescale_the_local_rate() -> None:
    problem = LogCosh(0.5, 0.1).constants()
    doubled = fedadam_bound(problem, replace(SCHEDULE, local_rate=0.002), (1.0, 0.6, 0.4))
    assert doubled == fedadam_bound(problem, replace(SCHEDULE, local_rate=0.004), (0.5, 0.3, 0.2))
    with pytest.raises(SettingsError, match=r'local_rate is 0\.018'):
        fedadam_bound(problem, SCHEDULE, (1.0, 0.6, 0.4))


@pytest.mark.parametrize(('weights', 'objective', 'message'), [
    ((), None, r'weights are \[\]'),
    ((-0.5, 1.5), None, 'none may be negative'),
    ((0.0, 0.0), None, 'nor all 0'),
    ((0.5, 0.5), (1.0,), 'the objective has 1 weights: it must have 2'),
    ((0.5, 0.5), (1.0, 0.0), 'they must be above 0'),
    ((0.5, 0.5), (0.5, 0.6), 'add up to 1'),
])
def test_invalid_weights_are_refused(
    weights: tuple[float, ...], objective: tuple[float, ...] | None, message: str,
) -> None:
    with pytest.raises(SettingsError, match=message):
        fedadam_bound(LossAssumptions(), SCHEDULE, weights, objective)


def test_fedadagrad_of_its_schedule_falls_with_the_root_of_its_rounds() -> None:
    problem = LogCosh(0.5, 0.3).constants()
    values = [fedadagrad_order(problem, fedadagrad_schedule(problem, rounds, 5, 3), EQUAL)
              for rounds in (10**4, 10**6, 10**8)]
    ratios = np.array(values[:-1]) / values[1:]
    np.testing.assert_allclose(ratios, 10.0, rtol=0.3)
