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

"""Convergence bound of a federated mapping: Theorem 1 of the paper, as numbers.

The form for FedAdam, with every constant [D], follows Reddi et al. (ICLR 2021) [S]: `v` starts at
0, there is no momentum, weights `p` take the place of 1/n. For modality gates `p` is `alpha` [D].
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum, isclose, sqrt

from utt_ros.errors import SettingsError
from utt_ros.settings import check, setting


@dataclass(frozen=True, slots=True)
class LossAssumptions:
    """Assumptions on the losses of the areas, whose weighted sum is minimised."""

    smoothness: float = setting(1.0, 'L, of every gradient', low=1e-12)
    gradient: float = setting(1.0, 'G, largest entry of a stochastic gradient', low=0.0)
    gap: float = setting(1.0, 'initial loss above the minimum', low=0.0)
    local_std: float = setting(0.0, 'sigma_l, of stochastic gradients, as a norm', low=0.0)
    global_std: float = setting(
        0.0, 'sigma_g, of the gradients of areas around that of their sum, as a norm', low=0.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rounds, steps and rates of the areas and of an adaptive server."""

    rounds: int = setting(100, 'T', low=1)
    local_steps: int = setting(5, 'K', low=1)
    local_rate: float = setting(1e-3, 'eta_l, step size of an area', low=1e-12)
    server_rate: float = setting(1.0, 'eta', low=1e-12)
    tau: float = setting(1.0, 'adaptivity of the server', low=1e-12)
    beta2: float = setting(0.99, 'decay of v', low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class ConvergenceBound:
    """Bound on the expected squared gradient norm, averaged over rounds."""

    descent: float  # remaining initial loss; falls with 1/T at fixed rates
    noise: float  # of drift and stochastic gradients; does not fall
    floor: float  # of weights other than those of the objective; never vanishes

    @property
    def value(self) -> float:
        """Sum of the three parts."""
        return self.descent + self.noise + self.floor


def max_local_rate(problem: LossAssumptions, schedule: Schedule) -> float:
    """Return `1/(16 K) min{1/L, tau/(2 G + eta L)}`, the largest eta_l of the theorem [D]."""
    return min(1.0 / problem.smoothness, schedule.tau / (
        2.0 * problem.gradient + schedule.server_rate * problem.smoothness)
    ) / (16.0 * schedule.local_steps)


def fedadam_bound(
    problem: LossAssumptions, schedule: Schedule, weights: Sequence[float],
    objective: Sequence[float] | None = None,
) -> ConvergenceBound:
    """Bound `(1/T) sum_t E|grad f(theta_t)|^2` for FedAdam [D].

    `weights` are those of areas, `p`, or of modality gates, `alpha`; if they do not add up to 1
    they rescale eta_l. `objective` are the weights `pi` that define f, if they differ. Then a
    floor of `10 chi^2 sigma_g^2` is added.

    Raises SettingsError when a weight is negative, or eta_l is larger than the theorem allows.
    """
    total = fsum(weights)
    if not weights or min(weights) < 0.0 or total <= 0.0:
        raise SettingsError(f'weights are {list(weights)}: none may be negative, nor all 0')
    shares = [weight / total for weight in weights]
    schedule = replace(schedule, local_rate=schedule.local_rate * total)
    limit = max_local_rate(problem, schedule)
    if schedule.local_rate > limit:
        raise SettingsError(f'local_rate is {schedule.local_rate:.4g}: '
                            f'the bound holds for at most {limit:.4g}')
    front = _front(problem, schedule)
    floor = 10.0 * chi_squared(shares, objective or shares) * problem.global_std**2
    return ConvergenceBound(front * problem.gap / schedule.server_rate,
                 front * _drift_and_noise(problem, schedule, shares), floor)


def _front(problem: LossAssumptions, schedule: Schedule) -> float:
    """Return `8 (sqrt(beta2) eta_l K G + tau) / (eta_l K T)`."""
    path = schedule.local_rate * schedule.local_steps  # of an area in a round, per unit gradient
    return 8.0 * (sqrt(schedule.beta2) * path * problem.gradient + schedule.tau) / (
        path * schedule.rounds)


def _drift_and_noise(
    problem: LossAssumptions, schedule: Schedule, shares: Sequence[float],
) -> float:
    """Return the second term of Psi, and Psi_var."""
    rate, steps, tau = schedule.local_rate, schedule.local_steps, schedule.tau
    smooth = problem.smoothness**2
    variance = problem.local_std**2 + 6.0 * steps * problem.global_std**2
    drift = 5.0 * rate**3 * steps**2 * smooth * variance / (2.0 * tau)
    sampling = 4.0 * rate**2 * steps * problem.local_std**2 * fsum(p * p for p in shares) / tau**2
    spread = 20.0 * rate**4 * steps**3 * smooth * variance / tau**2
    adaptivity = (sqrt(1.0 - schedule.beta2) * problem.gradient
                  + schedule.server_rate * problem.smoothness / 2.0)
    return schedule.rounds * (drift + adaptivity * (sampling + spread))


def chi_squared(weights: Sequence[float], objective: Sequence[float]) -> float:
    """Return `sum_m (alpha_m - pi_m)^2 / pi_m`, the distance of gates from the objective.

    Raises SettingsError unless the objective has as many weights, all above 0, that add up to 1.
    """
    if len(objective) != len(weights):
        raise SettingsError(f'the objective has {len(objective)} weights: '
                            f'it must have {len(weights)}')
    if weights is objective:
        return 0.0
    if min(objective) <= 0.0 or not isclose(fsum(objective), 1.0, abs_tol=1e-9):
        raise SettingsError(f'the objective has weights {list(objective)}: '
                            'they must be above 0 and add up to 1')
    return fsum((a - p) ** 2 / p for a, p in zip(weights, objective, strict=True))


def fedadagrad_order(
    problem: LossAssumptions, schedule: Schedule, weights: Sequence[float],
) -> float:
    """Return FedAdagrad's bound up to a factor [S].

    `[G/sqrt(T) + tau/(eta_l K T)] (Psi + Psi_var)`: for comparing schedules only.
    """
    total = fsum(weights)
    shares = [weight / total for weight in weights]
    path = schedule.local_rate * schedule.local_steps
    front = (problem.gradient / sqrt(schedule.rounds) + schedule.tau / (path * schedule.rounds))
    return front * (problem.gap / schedule.server_rate
                    + _drift_and_noise(problem, replace(schedule, beta2=0.0), shares))


def fedadagrad_schedule(
    problem: LossAssumptions, rounds: int, local_steps: int, areas: int,
) -> Schedule:
    """Return `eta_l = 1/(K L sqrt(T))`, `eta = sqrt(K n)`, `tau = G/L` for that order [S]."""
    smooth = problem.smoothness
    return Schedule(
        rounds, local_steps, 1.0 / (local_steps * smooth * sqrt(rounds)),
        sqrt(local_steps * areas), problem.gradient / smooth)
