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

"""Steps of a group of weights."""

import pytest
import torch
from torch import nn

from utt_ros.training.optimization import ParameterGroup


def group(max_grad_norm: float = 1.0) -> tuple[dict[str, nn.Parameter], ParameterGroup]:
    weights = {name: nn.Parameter(torch.ones(2)) for name in ('used', 'unused', 'zero')}
    return weights, ParameterGroup(weights, 0.1, max_grad_norm)


def test_a_step_changes_the_weights_that_have_a_gradient_and_names_them() -> None:
    weights, optimizer = group()
    changed = optimizer.step((weights['used'].square() + 0.0 * weights['zero']).sum())
    assert changed == {'used'}
    assert (weights['used'] < 1.0).all()
    assert all((weights[name] == 1.0).all() for name in ('unused', 'zero'))


@pytest.mark.parametrize('factor', [torch.nan, torch.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(factor: float) -> None:
    weights, optimizer = group()
    assert optimizer.step((weights['used'] * factor + weights['zero']).sum()) == set()
    assert all((weight == 1.0).all() for weight in weights.values())


def test_gradients_are_clipped_to_their_common_norm() -> None:
    weights, optimizer = group(max_grad_norm=0.5)
    optimizer.step((3.0 * weights['used'] + 4.0 * weights['zero']).sum())
    gradients = torch.cat([weights['used'].grad, weights['zero'].grad])  # type: ignore[list-item]
    assert gradients.norm() == pytest.approx(0.5, rel=1e-4)


def test_a_rate_of_zero_stops_the_weights() -> None:
    weights, optimizer = group()
    optimizer.set_rate(0.0)
    optimizer.step(weights['used'].sum())
    assert (weights['used'] == 1.0).all()
