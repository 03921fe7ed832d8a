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

"""Encoder: a window of one modality to one feature vector."""

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.models.layers import PhysicalScale, TransformerLayer
from utt_ros.models.settings import ModelSettings
from utt_ros.models.window_statistics import DerivedChannels, WindowStatistics, no_derived_channels

MASKED_LOGIT = -1e4  # finite: a window without any measurement must not give NaN


class WindowEncoder(nn.Module):
    """1-D convolutions, pooling, transformer layers, masked pooling; layer norm and residuals [P].

    Window statistics of the channels and of those `derived` from them are added to the output.
    `strides` are those of the convolutions; neighbouring tokens are then averaged in pairs. Rows
    are padded before the window, so that its newest row always ends the last token.
    """

    def __init__(
        self, scale: PhysicalScale, rows: int, strides: tuple[int, ...], model: ModelSettings,
        derived: DerivedChannels = no_derived_channels,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.derived = derived
        self.width = model.width
        self.stride = 2 * prod(strides)
        self.padding = -rows % self.stride
        self.length = (rows + self.padding) // self.stride
        inner = [model.width // 2] * (len(strides) - 1)
        sizes = [scale.scale.numel() + 1, *inner, model.width]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(inputs, outputs, kernel_size=2 * stride + 1, stride=stride, padding=stride)
            for inputs, outputs, stride in zip(sizes, sizes[1:], strides, strict=False))
        self.place = nn.Parameter(0.02 * torch.randn(self.length, model.width))
        self.layers = nn.ModuleList(
            TransformerLayer(self.length, model.width, model.heads, model.feedforward)
            for _ in range(model.encoder_layers))
        channels = scale.scale.numel()
        derived_channels = derived(torch.zeros(1, channels, rows), torch.ones(1, 1, rows)).shape[1]
        self.trends = WindowStatistics(channels + derived_channels, rows, model.width)
        self.norm = nn.LayerNorm(model.width)

    def forward(self, values: Tensor, mask: Tensor, code: Tensor | None = None) -> Tensor:
        """Encode (N, T, F) in physical units with a mask (N, T) to (N, d).

        `code` (N, d or more) is added to each token and before the statistics' nonlinearity.
        """
        seen_rows = mask.unsqueeze(1)  # (N, 1, T)
        present = seen_rows.to(values.dtype)
        physical = torch.where(seen_rows, values.transpose(1, 2).contiguous(), 0.0)
        scaled = self.scale.normalize(physical) * present
        derived = torch.where(seen_rows, self.derived(physical, present), 0.0)
        statistics = self.trends(torch.cat([scaled, derived], dim=1), present, code)
        rows = torch.cat([scaled, present], dim=1)
        rows = F.pad(rows, (self.padding, 0))  # (N, F + 1, T')
        seen = rows[:, -1].reshape(-1, self.length, self.stride).amax(dim=2)  # (N, L)
        for convolution in self.convolutions:
            rows = F.relu(convolution(rows))
        pairs = (rows[:, :, ::2] + rows[:, :, 1::2]) / 2  # (N, d, L): torch's pooling is slower
        tokens = pairs.transpose(1, 2) + self.place
        if code is not None:
            tokens = tokens + code[:, None, :self.width]
        tokens = tokens.reshape(-1, self.width)
        bias = ((1.0 - seen) * MASKED_LOGIT)[:, None, None, :]
        for layer in self.layers:
            tokens = layer(tokens, bias)
        weight = (seen / seen.sum(dim=1, keepdim=True).clamp(min=1.0)).unsqueeze(1)  # (N, 1, L)
        pooled = weight @ tokens.reshape(-1, self.length, self.width)  # (N, 1, d)
        feature: Tensor = self.norm(pooled.squeeze(1) + statistics)
        return feature
