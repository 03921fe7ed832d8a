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

"""Layers of encoders and decoders: attention, transposed convolution, physical scale."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Multi-head self-attention; masked tokens are excluded by `bias`.

    Written out, since the fast path of nn.TransformerEncoderLayer neither exports nor compiles.
    """

    def __init__(self, length: int, width: int, heads: int) -> None:
        super().__init__()
        self.length, self.width, self.heads = length, width, heads
        self.scale = (width // heads) ** -0.5
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)

    def forward(
        self, tokens: Tensor, bias: Tensor | None, newest: int | None = None,
    ) -> Tensor:  # (N L, d) -> the same, or (N newest, d)
        shape = (-1, self.length, 3 * self.heads, self.width // self.heads)
        query, key, value = (  # (N, heads, L, d / heads)
            part.transpose(1, 2)
            for part in self.project(tokens).reshape(shape).split(self.heads, dim=2))
        if newest is not None:
            query = query[:, :, -newest:]
        mixed = self._attend(query, key, value, bias)
        joined: Tensor = self.join(mixed.transpose(1, 2).reshape(-1, self.width))
        return joined

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        """Attend by scaled dot products; written out for export, where that halves the nodes."""
        if not torch.onnx.is_in_onnx_export():
            return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        scores = (query * self.scale) @ key.transpose(-2, -1)
        mixed: Tensor = (scores if bias is None else scores + bias).softmax(dim=-1) @ value
        return mixed


class TransformerLayer(nn.Module):
    """Attention and a feed-forward network, each behind layer norm and beside a residual.

    Tokens are one flat matrix (N L, d), so that every linear map is one product with its bias.
    With `newest`, only the last `newest` tokens of each window are computed; all are attended to.
    """

    def __init__(self, length: int, width: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = SelfAttention(length, width, heads)
        self.norm_feedforward = nn.LayerNorm(width)
        self.expand = nn.Linear(width, feedforward)
        self.contract = nn.Linear(feedforward, width)

    def forward(
        self, tokens: Tensor, bias: Tensor | None = None, newest: int | None = None,
    ) -> Tensor:  # (N L, d) -> the same, or (N newest, d)
        mixed = self.attention(self.norm_attention(tokens), bias, newest)
        if newest is not None:
            width = tokens.shape[1]
            tokens = tokens.reshape(-1, self.attention.length, width)[:, -newest:]
            tokens = tokens.reshape(-1, width)
        tokens = tokens + mixed
        hidden = F.relu(self.expand(self.norm_feedforward(tokens)))
        result: Tensor = tokens + self.contract(hidden)
        return result


class Deconvolution(nn.ConvTranspose1d):
    """A transposed convolution of rows (N, L, C) to (N, L * stride, F) [P].

    Its kernel is twice its stride, so each input row gives a first and a second half, and the
    next row's first half overlaps with its second: one product and one sum. With their gradients
    they take less time than torch's own, which needs channels before rows.
    """

    bias: Tensor

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        self.step, self.trim = stride, stride // 2
        super().__init__(inputs, outputs, 2 * stride, stride, self.trim)

    def forward(  # type: ignore[override]
        self, rows: Tensor, unit: 'PhysicalScale | None' = None,
    ) -> Tensor:
        """Return rows in physical units of `unit`; the kernel is scaled instead of the rows."""
        count, length, inputs = rows.shape
        kernel, bias = self.weight.permute(2, 1, 0), self.bias  # (2 stride, F, C), (F,)
        if unit is not None:
            kernel = kernel * unit.scale
            bias = bias * unit.scale.squeeze(1) + unit.offset.squeeze(1)
        halves = F.linear(rows.reshape(-1, inputs), kernel.reshape(-1, inputs))
        first, second = halves.reshape(count, length, 2, -1).unbind(2)  # (N, L, stride F)
        total = F.pad(first, (0, 0, 0, 1)) + F.pad(second, (0, 0, 1, 0)) + bias.repeat(self.step)
        total = total.reshape(count, (length + 1) * self.step, -1)
        return total[:, self.trim:total.shape[1] - self.trim]


class PhysicalScale(nn.Module):
    """Constant offset and scale of each channel of a modality; never trained.

    On (N, F, T), where the rows of a channel are contiguous: several times faster than (N, T, F).
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, offset: tuple[float, ...], scale: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer('offset', torch.tensor(offset).unsqueeze(1), persistent=False)
        self.register_buffer('scale', torch.tensor(scale).unsqueeze(1), persistent=False)

    def normalize(self, values: Tensor) -> Tensor:
        """Bring physical units to order 1, clamped so that a broken sensor cannot dominate."""
        return ((values - self.offset) / self.scale).clamp(-10.0, 10.0)
