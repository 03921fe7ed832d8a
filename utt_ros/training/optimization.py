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

"""Optimisation of a group of weights: AdamW with clipped gradients."""

from collections.abc import Mapping
from math import cos, pi

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_

from utt_ros.types import FloatArray

MOMENTS = ('step', 'exp_avg', 'exp_avg_sq')  # of AdamW
MIN_RATE = 0.05  # final learning rate, as a share of the initial one


def cosine_factor(share: float) -> float:
    """Return half a cosine from 1 to MIN_RATE, after a `share` of the training."""
    return MIN_RATE + (1.0 - MIN_RATE) * (1.0 + cos(pi * share)) / 2.0


class ParameterGroup:
    """Weights by name and their optimiser."""

    def __init__(
        self, weights: Mapping[str, nn.Parameter], learning_rate: float, max_grad_norm: float,
    ) -> None:
        self._weights, self._max_grad_norm = weights, max_grad_norm
        self._optimizer = torch.optim.AdamW(list(weights.values()), lr=learning_rate, fused=True)

    def set_rate(self, rate: float) -> None:
        """Change the learning rate."""
        for group in self._optimizer.param_groups:
            group['lr'] = rate

    @property
    def rate(self) -> float:
        """Learning rate."""
        return float(self._optimizer.param_groups[0]['lr'])

    def read_moments(self) -> dict[str, FloatArray]:
        """Copy the optimiser's values by 'weight/value', such as 'fusor.scale/exp_avg'."""
        return {f'{name}/{value}': tensor.cpu().numpy().copy()
                for name, weight in self._weights.items()
                for value, tensor in self._optimizer.state.get(weight, {}).items()}

    def load_moments(self, moments: Mapping[str, FloatArray]) -> None:
        """Replace the optimiser's values by those of `read_moments`; other names are left out."""
        self._optimizer.state.clear()
        for name, weight in self._weights.items():
            own = {value: moments[key] for value in MOMENTS
                   if (key := f'{name}/{value}') in moments}
            if own:
                self._optimizer.state[weight] = {
                    value: torch.from_numpy(array.copy()).to(weight.device)
                    for value, array in own.items()}

    def step(self, loss: torch.Tensor) -> set[str]:
        """Take a gradient step; return the names of changed weights.

        Nothing changes when the gradient is not finite. Weights with an all-zero gradient are left
        alone, or their decay would look like learning.
        """
        for weight in self._weights.values():
            weight.grad = None  # as zero_grad does, which takes ten times as long
        torch.autograd.backward(loss)
        reached = {name: weight for name, weight in self._weights.items()
                   if weight.grad is not None}
        norms = torch.stack([torch.linalg.vector_norm(weight.grad) for weight in reached.values()])
        norm = torch.linalg.vector_norm(norms)
        if not norm.isfinite():
            return set()
        changed = set()
        for (name, weight), weight_norm in zip(reached.items(), norms.tolist(), strict=True):
            if weight_norm:
                changed.add(name)
            else:
                weight.grad = None
        clip_grads_with_norm_(reached.values(), self._max_grad_norm, norm)
        self._optimizer.step()
        return changed
