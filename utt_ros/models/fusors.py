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

"""Fusors: features of the present modalities, joined into one feature.

A fusor takes `features` (B, M, d), one row per modality in sorted order, and `use` (B, M) bool,
and returns (B, d). A modality that is not in use is skipped, never replaced by zeros; with none in
use the result is finite. A fusor with gates tells them by a method `gates`, see `GatedFusor`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.errors import ModelError
from utt_ros.plugins import Registry

EXTREME = 1e30  # beyond any feature, yet finite: infinity would end as NaN


def linear_block(width: int, fan_in: int) -> nn.Parameter:
    """Initialize a (d, d) block of a larger linear map with `fan_in` inputs."""
    return nn.Parameter((torch.rand(width, width) * 2 - 1) / fan_in**0.5)


def modality_blocks(names: Sequence[str], width: int, fan_in: int) -> nn.ParameterDict:
    """Initialize a block per modality: an area uploads only those that it could train."""
    return nn.ParameterDict({name: linear_block(width, fan_in) for name in names})


class Fusor(nn.Module):
    """Base of all built-in fusors."""

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.width = width


@runtime_checkable
class GatedFusor(Protocol):
    """Fusor that weights each modality by a gate, which depends on the features."""

    def gates(self, features: Tensor, use: Tensor) -> Tensor:
        """Return the gates (B, M), 0..1, averaged over channels; 0 where not in use."""


class Add(Fusor):
    """Sum of the features [S]."""

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        return torch.where(use.unsqueeze(2), features, 0.0).sum(dim=1)


class Average(Fusor):
    """Mean of the features in use [S]."""

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        total = torch.where(use.unsqueeze(2), features, 0.0).sum(dim=1)
        return total / use.to(features.dtype).sum(dim=1, keepdim=True).clamp(min=1.0)


class Multiply(Fusor):
    """Element-wise product [P]."""

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        return torch.where(use.unsqueeze(2), features, 1.0).prod(dim=1)


class Max(Fusor):
    """Element-wise maximum [P]."""

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        largest = torch.where(use.unsqueeze(2), features, -EXTREME).amax(dim=1)
        return torch.where(use.any(dim=1, keepdim=True), largest, 0.0)


class Min(Fusor):
    """Element-wise minimum [P]."""

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        smallest = torch.where(use.unsqueeze(2), features, EXTREME).amin(dim=1)
        return torch.where(use.any(dim=1, keepdim=True), smallest, 0.0)


class Concat(Fusor):
    """`[f_1; ...; f_M]`, projected back to d [S]; a learned token where one is missing [R]."""

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.project = modality_blocks(modalities, width, width * len(modalities))
        self.missing = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(width)) for name in modalities})
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        missing = torch.stack([self.missing[name] for name in self.modalities])  # (M, d)
        projection = torch.cat([self.project[name] for name in self.modalities], dim=1)  # (d, M d)
        filled = torch.where(use.unsqueeze(2), features, missing)
        return F.linear(filled.flatten(1), projection, self.bias)


class GatingSum(Fusor):
    """`sigmoid(sum_i W_i f_i + b)`: a weighted sum followed by a sigmoid [R]."""

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.weight = modality_blocks(modalities, width, width * len(modalities))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        weight = torch.cat([self.weight[name] for name in self.modalities], dim=1)  # (d, M d)
        used = torch.where(use.unsqueeze(2), features, 0.0)
        return torch.sigmoid(F.linear(used.flatten(1), weight, self.bias))


class Gating(Fusor):
    """`sum_i g_i * f_i` with `g_i = sigmoid(W_i [f_1; ...; f_M] + b_i)`, a gate per modality [R].

    `weight[i][j]`, the block of `W_i` for modality j, is a tensor of its own, so that an area that
    lacks a modality does not change its blocks.
    """

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.weight = nn.ModuleDict(
            {name: modality_blocks(modalities, width, width * len(modalities))
             for name in modalities})
        self.bias = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(width)) for name in modalities})

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        used = torch.where(use.unsqueeze(2), features, 0.0)
        return (self._channel_gates(used) * used).sum(dim=1)

    def gates(self, features: Tensor, use: Tensor) -> Tensor:
        gates = self._channel_gates(torch.where(use.unsqueeze(2), features, 0.0))
        return torch.where(use, gates.mean(dim=2), 0.0)

    def _channel_gates(self, used: Tensor) -> Tensor:
        """Return the gates (B, M, d) of features that are 0 where they are not in use."""
        weight = torch.cat([
            torch.cat([row.get_parameter(other) for other in self.modalities], dim=1)
            for row in (self.weight[name] for name in self.modalities)])  # (M d, M d)
        bias = torch.cat([self.bias[name] for name in self.modalities])
        return torch.sigmoid(F.linear(used.flatten(1), weight, bias)).reshape(used.shape)


class Attention(Fusor):
    """`sum_i a_i f_i` with `a = softmax_i(w . tanh(W f_i))` over the features in use [R]."""

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.hidden = linear_block(width, width)
        self.score = nn.Parameter(torch.randn(width) / width**0.5)

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        weights = self._weights(features, use)
        return torch.where(use.unsqueeze(2), weights.unsqueeze(2) * features, 0.0).sum(dim=1)

    def gates(self, features: Tensor, use: Tensor) -> Tensor:
        return torch.where(use, self._weights(features, use), 0.0)

    def _weights(self, features: Tensor, use: Tensor) -> Tensor:
        scores = torch.tanh(F.linear(features, self.hidden)) @ self.score  # (B, M)
        return torch.softmax(torch.where(use, scores, -EXTREME), dim=1)


FusorFactory = Callable[[Sequence[str], int], nn.Module]
"""Modality names, sorted, and the feature width d -> a module (B, M, d), (B, M) -> (B, d)."""

FUSORS: Registry[FusorFactory] = Registry('fusor', 'utt_ros.fusors', {
    'add': Add,
    'average': Average,
    'concat': Concat,
    'multiply': Multiply,
    'max': Max,
    'min': Min,
    'gating_sum': GatingSum,
    'gating': Gating,
    'attention': Attention,
}, ModelError)


def register_fusor(name: str, factory: FusorFactory) -> None:
    """Let `ModelSettings(fusor=name)` build its fusor with `factory`, in this process.

    A package that offers an entry point `name` in the group `utt_ros.fusors` needs no call, and
    nodes, which are processes of their own, find it too. An area sends the tensors that received a
    gradient: tensors per modality keep areas that lack a modality from changing them. Raises
    ModelError when the name is taken.
    """
    FUSORS.register(name, factory)


def make_fusor(name: str, modalities: Sequence[str], width: int) -> nn.Module:
    """Build a fusor; raises ModelError, with all known names, for an unknown one."""
    return FUSORS[name](modalities, width)
