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

"""Encoders of windows."""

import pytest
import torch
from torch import Tensor

from utt_ros.models.encoders import WindowEncoder
from utt_ros.models.layers import PhysicalScale
from utt_ros.models.settings import ModelSettings
from utt_ros.models.window_statistics import DerivedChannels, no_derived_channels

MODEL = ModelSettings(width=8, heads=2, feedforward=16)


def encoder(
    rows: int, *strides: int, derived: DerivedChannels = no_derived_channels,
) -> WindowEncoder:
    return WindowEncoder(PhysicalScale((5.0, 0.0), (2.0, 1.0)), rows, strides, MODEL, derived)


@pytest.mark.parametrize(('rows', 'strides'), [(30, (2,)), (7, (2,)), (150, (2, 2)), (1, (2, 2))])
def test_a_window_of_any_length_becomes_one_feature(rows: int, strides: tuple[int, ...]) -> None:
    feature = encoder(rows, *strides)(torch.randn(3, rows, 2), torch.ones(3, rows, dtype=bool))
    assert feature.shape == (3, 8)
    assert feature.isfinite().all()


def test_features_are_normalized() -> None:
    feature = encoder(30, 2)(torch.randn(3, 30, 2), torch.ones(3, 30, dtype=bool))
    torch.testing.assert_close(feature.mean(dim=1), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(feature.square().mean(dim=1), torch.ones(3), rtol=0, atol=1e-2)


def test_a_masked_row_enters_the_convolutions_as_the_offset_of_its_channels() -> None:
    network = encoder(8, 2)
    inputs: list[Tensor] = []
    network.convolutions[0].register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    values, mask = torch.tensor([5.0, 0.0]).expand(1, 8, 2), torch.ones(1, 8, dtype=bool)
    mask[0, 3] = False
    network(values, mask)
    assert not inputs[0][:, :2].any()
    assert inputs[0][0, 2].tolist() == mask[0].float().tolist()


def test_tokens_without_a_measurement_are_left_out_of_the_feature() -> None:
    network = encoder(16, 2)
    with torch.no_grad():
        network.place[0] += 100.0  # of the token of rows 0 to 3
    mask = torch.ones(1, 16, dtype=bool)
    mask[0, :4] = False
    values = torch.randn(1, 16, 2)
    before = network(values, mask)
    with torch.no_grad():
        network.place[0] -= 100.0
    torch.testing.assert_close(network(values, mask), before)


def test_derived_channels_enter_the_statistics_where_something_was_measured() -> None:
    def energy(values: Tensor, _: Tensor) -> Tensor:
        return values.square().sum(dim=1, keepdim=True) + 1.0

    network = encoder(30, 2, derived=energy)
    inputs: list[Tensor] = []
    network.trends.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    values, mask = torch.randn(1, 30, 2), torch.ones(1, 30, dtype=bool)
    mask[0, ::3] = False
    network(values, mask)
    expected = torch.where(mask, values.square().sum(dim=2) + 1.0, 0.0)
    torch.testing.assert_close(inputs[0][:, 2], expected)
