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

"""Poisoning attacks of hostile areas on a simulated federation.

Each attack turns the honest update of an area into a hostile one; changes are cut to the norm that
validation accepts, as an attacker would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from utt_ros.federation.wire import Tensors
from utt_ros.training.columns import Columns
from utt_ros.training.simulated_rounds import Learner
from utt_ros.types import MODALITIES, FloatArray

MAX_NORM = 99.0  # of a hostile change: just below the default of `max_change`
CLAIMED_WINDOWS = 1_000_000  # the most that validation accepts


@dataclass(frozen=True, slots=True)
class AttackContext:
    """Knowledge of an attacker: the model of the round, another model, and a random source."""

    before: Tensors
    target: Tensors  # untrained weights, or a model of the attacker's own
    rng: np.random.Generator


Poison = Callable[[Tensors, AttackContext], dict[str, FloatArray]]
"""Honest change of an area -> hostile change."""


@dataclass(frozen=True, slots=True)
class PoisoningAttack:
    """Effect of an attack on the change, the claimed windows and the data of an area."""

    text: str
    poison: Poison | None = None
    windows: int = 0  # claimed; 0: the true number
    shuffles: bool = False  # trains on windows with modalities of other windows


def _scaled(factor: float) -> Poison:
    return lambda change, _: {name: np.float32(factor) * item for name, item in change.items()}


def _noise(change: Tensors, context: AttackContext) -> dict[str, FloatArray]:
    return {name: MAX_NORM * context.rng.standard_normal(item.shape).astype(np.float32)
            for name, item in change.items()}


def _towards(factor: float) -> Poison:
    """Return the poison `factor (target - model)` [S: Zhang et al., FTI, 2024, for factor 10]."""
    return lambda change, context: {
        name: np.float32(factor) * (context.target[name] - context.before[name])
        for name in change}


def _not_a_number(change: Tensors, _context: AttackContext) -> dict[str, FloatArray]:
    first = min(change)
    return {**change, first: np.full_like(change[first], np.nan)}


def _quietly(poison: Poison) -> Poison:
    """Return a poison with the norm of the honest change."""
    def quiet(change: Tensors, context: AttackContext) -> dict[str, FloatArray]:
        return _with_norm(poison(change, context), _norm(change))
    return quiet


ATTACKS: dict[str, PoisoningAttack] = {
    'nan': PoisoningAttack('a tensor of NaN', _not_a_number),
    'label_shuffle': PoisoningAttack('windows with modalities of others', shuffles=True),
    'sign_flip': PoisoningAttack('change times -5', _scaled(-5.0)),
    'noise': PoisoningAttack('Gaussian noise up to max_change', _noise),
    'scaling': PoisoningAttack('change times 10', _scaled(10.0)),
    'replacement': PoisoningAttack('50 times towards another model', _towards(50.0)),
    'inflated': PoisoningAttack('sign flip, 10^6 windows claimed', _scaled(-5.0), CLAIMED_WINDOWS),
    'fti': PoisoningAttack('10 times towards another model', _towards(10.0)),
    'quiet_sign_flip': PoisoningAttack('sign flip with an honest norm', _scaled(-1.0)),
    'quiet_noise': PoisoningAttack('noise with an honest norm', _quietly(_noise)),
    'quiet_fti': PoisoningAttack('towards another model, honest norm', _quietly(_towards(1.0))),
}


class HostileLearner:
    """Learner of a hostile area."""

    def __init__(
        self, honest: Learner, attack: PoisoningAttack, target: Tensors, seed: int,
    ) -> None:
        self._honest, self._attack, self._target = honest, attack, target
        self._rng = np.random.default_rng(seed)
        self._before: dict[str, FloatArray] = {}

    @property
    def modalities(self) -> tuple[str, ...]:
        return self._honest.modalities

    @property
    def window_count(self) -> int:
        return self._attack.windows or self._honest.window_count

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        self._before = {name: np.array(item, np.float32) for name, item in weights.items()}
        self._honest.load(weights)

    def train(self, steps: int) -> float:
        return self._honest.train(steps)

    def update(self) -> Mapping[str, FloatArray]:
        trained = self._honest.update()
        if self._attack.poison is None:
            return trained
        change = {name: item - self._before[name] for name, item in trained.items()}
        context = AttackContext(self._before, self._target, self._rng)
        hostile = self._attack.poison(change, context)
        norm = _norm(hostile)
        if norm > MAX_NORM:  # not for NaN
            hostile = _with_norm(hostile, MAX_NORM)
        return {name: self._before[name] + item for name, item in hostile.items()}


def shuffle_modalities(columns: Columns, rng: np.random.Generator) -> Columns:
    """Return windows each of whose modalities is that of a random window."""
    shuffled = dict(columns)
    for name in MODALITIES:
        order = rng.permutation(len(columns[name]))
        for column in (name, f'{name}_mask'):
            shuffled[column] = columns[column][order]
    return shuffled


def _norm(change: Tensors) -> float:
    return sqrt(sum(float(np.vdot(item, item)) for item in change.values()))


def _with_norm(change: Tensors, norm: float) -> dict[str, FloatArray]:
    factor = np.float32(norm / max(_norm(change), 1e-12))
    return {name: factor * item for name, item in change.items()}
