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

"""Layers of encoders and decoders."""

import pytest
import torch
import torch.nn.functional as F

from utt_ros.models.layers import (
    Deconvolution,
    PhysicalScale,
    SelfAttention,
    TransformerLayer,
)


@pytest.mark.parametrize('stride', [2, 4, 5, 8])
def test_a_deconvolution_is_that_of_torch(stride: int) -> None:
    layer = Deconvolution(6, 3, stride)
    rows = torch.randn(2, 7, 6)
    expected = F.conv_transpose1d(
        rows.transpose(1, 2), layer.weight, layer.bias, stride, stride // 2)
    torch.testing.assert_close(layer(rows), expected.transpose(1, 2))


def test_a_deconvolution_returns_physical_units() -> None:
    layer, unit = Deconvolution(6, 2, 4), PhysicalScale((5.0, -1e-5), (2.0, 1e-6))
    rows = torch.randn(2, 7, 6)
    offset, scale = torch.tensor([5.0, -1e-5]), torch.tensor([2.0, 1e-6])
    torch.testing.assert_close((layer(rows, unit) - offset) / scale, layer(rows))


def test_attention_equals_its_definition_also_as_it_is_written_out_for_export(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attention, tokens = SelfAttention(length=5, width=8, heads=2), torch.randn(3 * 5, 8)
    bias = torch.zeros(3, 1, 1, 5)
    bias[..., 1] = -1e4
    query, key, value = attention.project(tokens).reshape(3, 5, 6, 4).split(2, dim=2)
    weights = (torch.einsum('nihd,njhd->nhij', query, key) / 2.0 + bias).softmax(dim=-1)
    expected = attention.join(torch.einsum('nhij,njhd->nihd', weights, value).reshape(15, 8))
    torch.testing.assert_close(attention(tokens, bias), expected)
    monkeypatch.setattr(torch.onnx, 'is_in_onnx_export', lambda: True)
    torch.testing.assert_close(attention(tokens, bias), expected)


def test_the_newest_tokens_alone_are_those_of_all() -> None:
    layer, tokens = TransformerLayer(5, 8, 2, 16), torch.randn(3 * 5, 8)
    whole = layer(tokens).reshape(3, 5, 8)
    torch.testing.assert_close(layer(tokens, newest=2).reshape(3, 2, 8), whole[:, -2:])


def test_a_broken_sensor_is_clamped_to_ten_scales() -> None:
    scale = PhysicalScale((5.0, 0.0), (2.0, 1e-6))
    values = torch.tensor([[[7.0, 1e9], [1e-6, -1.0]]])
    torch.testing.assert_close(
        scale.normalize(values), torch.tensor([[[1.0, 10.0], [1.0, -10.0]]]))
