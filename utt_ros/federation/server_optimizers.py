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

"""Server optimizers: a step on the change of a round [S: Reddi et al., ICLR 2021].

The pseudo-gradient is `D = mean - reference`, for each tensor that an area sent; then

    fedadagrad  v += D^2
    fedadam     v = beta2 v + (1 - beta2) D^2
    fedyogi     v -= (1 - beta2) D^2 sign(v - D^2)

and `reference + rate D / (sqrt(v) + tau)`. `v` starts at 0 and there is no momentum, as in
Theorem 1 [P].

The aggregator loads torch only with this module, and this module only for an adaptive `server`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from utt_ros.federation.wire import Tensors
from utt_ros.types import FloatArray

LATE_STEP = 10**6  # where Adam's bias correction is 1


@dataclass(frozen=True, slots=True)
class OptimizerRates:
    """Step size, adaptivity and decay; see `AggregatorSettings`."""

    rate: float
    tau: float
    beta2: float


OptimizerStep = Callable[[list[Tensor], list[Tensor], OptimizerRates], None]
"""Changes weights, which hold their gradients, and their `v`, in place."""


def adagrad(weights: list[Tensor], v: list[Tensor], rates: OptimizerRates) -> None:
    """Step with `torch.optim.Adagrad`."""
    optimizer = torch.optim.Adagrad(weights, lr=rates.rate, eps=rates.tau)
    for weight, past in zip(weights, v, strict=True):
        optimizer.state[weight]['sum'] = past
    optimizer.step()


def adam(weights: list[Tensor], v: list[Tensor], rates: OptimizerRates) -> None:
    """Step with `torch.optim.Adam`, without momentum and without bias correction."""
    optimizer = torch.optim.Adam(
        weights, lr=rates.rate, betas=(0.0, rates.beta2), eps=rates.tau)
    for weight, past in zip(weights, v, strict=True):
        optimizer.state[weight] = {
            'step': torch.tensor(float(LATE_STEP)), 'exp_avg': torch.zeros_like(weight),
            'exp_avg_sq': past}
    optimizer.step()


def yogi(weights: list[Tensor], v: list[Tensor], rates: OptimizerRates) -> None:
    """Step with Yogi, which torch does not have."""
    for weight, past in zip(weights, v, strict=True):
        gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
        square = gradient.square()
        past.sub_((1.0 - rates.beta2) * square * torch.sign(past - square))
        weight.sub_(rates.rate * gradient / (past.sqrt() + rates.tau))


OPTIMIZERS: dict[str, OptimizerStep] = {'fedadagrad': adagrad, 'fedadam': adam, 'fedyogi': yogi}


@dataclass(frozen=True, slots=True)
class ServerOptimizer:
    """Server step from the model before a round and the aggregate of its updates."""

    name: str
    rates: OptimizerRates

    def __call__(
        self, reference: Tensors, mean: Tensors, memory: Tensors,
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Return the next model and memory; `memory` holds `v` under 'server/tensor'.

        Tensors that no area sent, which `mean` has from the reference, stay, as does their `v`.
        """
        changed = [name for name in sorted(reference) if mean[name] is not reference[name]]
        weights, past = [], []
        for name in changed:
            weight = torch.tensor(reference[name])
            weight.grad = torch.from_numpy(reference[name] - mean[name])
            weights.append(weight)
            known = memory.get(f'{self.name}/{name}')
            past.append(torch.zeros_like(weight) if known is None else torch.tensor(known))
        with torch.no_grad():
            OPTIMIZERS[self.name](weights, past, self.rates)
        kept = {key: v for key, v in memory.items() if key.startswith(f'{self.name}/')}
        kept |= {f'{self.name}/{name}': v.numpy() for name, v in zip(changed, past, strict=True)}
        stepped = {name: weight.numpy() for name, weight in zip(changed, weights, strict=True)}
        return {name: np.asarray(stepped.get(name, reference[name])) for name in reference}, kept
