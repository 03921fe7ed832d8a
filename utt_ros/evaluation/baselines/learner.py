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

"""Learner of a baseline network on the examples of one area, alone or in a federation."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from utt_ros.errors import ModelError
from utt_ros.evaluation.baselines.scaling import Example
from utt_ros.models.twin import Weights

NetworkLoss = Callable[[nn.Module, dict[str, Tensor]], Tensor]
MAX_GRAD_NORM = 1.0


class BaselineLearner:
    """Trains a network on examples in memory; a `training.simulated_rounds.Learner`."""

    def __init__(
        self, net: nn.Module, loss: NetworkLoss, examples: Example, modalities: Sequence[str], *,
        seed: int, batch: int = 64, learning_rate: float = 2e-3,
    ) -> None:
        self.net, self.modalities = net, tuple(modalities)
        self.window_count = len(next(iter(examples.values())))
        self._loss, self._examples, self._batch = loss, examples, batch
        self._rng = np.random.default_rng(seed)
        self._optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate)
        self._trained = False

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Load the initial weights of a round. Raises ModelError when they do not fit."""
        load_net(self.net, weights)
        self._trained = False

    def train(self, steps: int) -> float:
        """Take gradient steps; return their mean loss, NaN without examples."""
        losses = [self._step() for _ in range(steps)] if self.window_count else []
        counted = [loss for loss in losses if isfinite(loss)]
        return float(np.mean(counted)) if counted else nan

    def update(self) -> Weights:
        """Return all tensors, or none without a step since `load`."""
        return read_net(self.net) if self._trained else {}

    def _step(self) -> float:
        rows = self._rng.integers(0, self.window_count, self._batch)
        batch = {name: torch.from_numpy(values[rows]) for name, values in self._examples.items()}
        self._optimizer.zero_grad()
        loss = self._loss(self.net, batch)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), MAX_GRAD_NORM)
        if not norm.isfinite():
            return nan
        self._optimizer.step()
        self._trained = True
        return loss.item()


def read_net(net: nn.Module) -> Weights:
    """Copy all tensors, by sorted name."""
    return {name: tensor.numpy().copy() for name, tensor in sorted(net.state_dict().items())}


def load_net(net: nn.Module, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Replace all tensors. Raises ModelError when they do not fit."""
    try:
        net.load_state_dict(
            {name: torch.from_numpy(np.array(values)) for name, values in weights.items()})
    except RuntimeError as err:
        raise ModelError(f'weights do not fit the baseline: {err}') from err
