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

"""Decoder: one feature vector to a window of one modality."""

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.models.layers import Deconvolution, PhysicalScale, TransformerLayer
from utt_ros.models.settings import ModelSettings


class WindowDecoder(nn.Module):
    """Transformer layers over learned queries plus the feature, then deconvolutions [P]."""

    def __init__(
        self, scale: PhysicalScale, rows: int, strides: tuple[int, ...], model: ModelSettings,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.strides = strides
        self.width = model.width
        self.length = -(-rows // prod(strides))
        self.surplus = self.length * prod(strides) - rows
        self.queries = nn.Parameter(0.5 * torch.randn(self.length, model.width))
        self.tell = nn.Linear(model.width, model.width)
        self.layers = nn.ModuleList(
            TransformerLayer(self.length, model.width, model.heads, model.feedforward)
            for _ in range(model.decoder_layers))
        self.norm = nn.LayerNorm(model.width)
        inner = [model.width // 2] * (len(strides) - 1)
        sizes = [model.width, *inner, scale.scale.numel()]
        self.deconvolutions = nn.ModuleList(
            Deconvolution(inputs, outputs, stride)
            for inputs, outputs, stride in zip(sizes, sizes[1:], strides, strict=False))

    def forward(
        self, feature: Tensor, newest: int | None = None, code: Tensor | None = None,
    ) -> Tensor:
        """Decode (B, d) to (B, T, F) in physical units; with `newest`, only its last rows.

        `code` (B, d) is added to each query.
        """
        length = self.length if newest is None else self._token_count(newest)
        told = self.tell(feature) if code is None else self.tell(feature) + code
        tokens = self.queries + told.unsqueeze(1)  # (B, L, d)
        tokens = tokens.reshape(-1, self.width)
        *inner_layers, last_layer = self.layers
        for layer in inner_layers:
            tokens = layer(tokens)
        tokens = last_layer(tokens, None, None if newest is None else length)
        rows = self.norm(tokens).reshape(-1, length, self.width)
        *inner, last = self.deconvolutions
        for deconvolution in inner:
            rows = F.relu(deconvolution(rows))
        window: Tensor = last(rows, self.scale)
        return window[:, self.surplus if newest is None else -newest:]

    def _token_count(self, rows: int) -> int:
        """Return the number of last tokens on which the last `rows` rows depend."""
        for stride in reversed(self.strides):
            rows = (rows - 1 - stride // 2) // stride + 2
        return min(rows, self.length)
