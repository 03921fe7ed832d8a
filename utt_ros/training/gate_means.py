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

"""Mean gates of a fusor over windows."""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn

from utt_ros.models.fusors import GatedFusor


class GateMeans:
    """Mean gate of each modality of an area when all of them are fused.

    Windows that lack one of them are left out: their gates are those of another fusion. So are
    windows with a feature that is not finite.
    """

    def __init__(self, names: Sequence[str], modalities: Collection[str]) -> None:
        """`names`: modalities of the model, sorted; `modalities`: those of the area."""
        self._names = names
        self._fused = torch.tensor([name in modalities for name in names])
        self._total = torch.zeros(len(names), dtype=torch.float64)
        self._count = 0

    def add(self, fusor: nn.Module, features: Tensor, present: Tensor) -> None:
        """Accumulate features (N, M, d), where present (N, M) has all modalities of the area.

        Nothing is accumulated for a fusor without gates, or for a single modality, which is its
        own fusion.
        """
        complete = present[:, self._fused].all(dim=1) & features[:, self._fused].isfinite().all(
            dim=2).all(dim=1)
        if not isinstance(fusor, GatedFusor) or self._fused.sum() < 2 or not complete.any():
            return
        used = features[complete]
        gates = fusor.gates(used, self._fused.expand(len(used), -1))
        self._total += gates.sum(dim=0, dtype=torch.float64)
        self._count += len(used)

    @property
    def by_modality(self) -> dict[str, float]:
        """Mean gates, 0..1; empty when nothing was accumulated."""
        if not self._count:
            return {}
        means = (self._total / self._count).tolist()
        return {name: mean for name, mean, fused in zip(
            self._names, means, self._fused.tolist(), strict=True) if fused}
