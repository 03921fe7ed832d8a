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

"""Mean gates against numbers computed by hand."""

import pytest
import torch
from torch import Tensor, nn

from utt_ros.models.fusors import Add, Attention, Gating
from utt_ros.training.gate_means import GateMeans

NAMES = ('camera', 'ftm', 'imu')
PRESENT = torch.tensor([[True, True, True], [False, True, True], [True, True, False]])
BROKEN = torch.tensor([[torch.nan], [1.0], [1.0]])  # camera
FEATURES = torch.tensor([[[0.1], [0.2], [0.3]], [[0.4], [0.5], [0.6]], [[0.7], [0.8], [0.9]]])


class Told(nn.Module):
    """Fusor whose gates are the features themselves."""

    def gates(self, features: Tensor, use: Tensor) -> Tensor:
        return torch.where(use, features[:, :, 0], 0.0)


def test_windows_that_lack_a_modality_of_the_area_are_left_out() -> None:
    whole, without_camera = GateMeans(NAMES, NAMES), GateMeans(NAMES, ('imu', 'ftm'))
    for gates in (whole, without_camera):
        gates.add(Told(), FEATURES[:2], PRESENT[:2])
        gates.add(Told(), FEATURES[2:], PRESENT[2:])
    assert whole.by_modality == pytest.approx({'camera': 0.1, 'ftm': 0.2, 'imu': 0.3})
    assert without_camera.by_modality == pytest.approx({'ftm': 0.35, 'imu': 0.45})


@pytest.mark.parametrize('fusor', [Told(), Gating(NAMES, 1), Attention(NAMES, 1)])
def test_a_feature_that_is_not_finite_is_left_out_and_leaves_the_others(fusor: nn.Module) -> None:
    found = []
    for features in (FEATURES[:1], torch.cat([FEATURES[:1], FEATURES[1:2] * BROKEN])):
        gates = GateMeans(NAMES, NAMES)
        gates.add(fusor, features, torch.ones(len(features), 3, dtype=torch.bool))
        found.append(gates.by_modality)
    good, with_broken = found
    assert set(good) == set(NAMES)
    assert with_broken == good


def test_a_modality_that_the_area_lacks_may_be_broken() -> None:
    gates = GateMeans(NAMES, ('ftm', 'imu'))
    gates.add(Told(), FEATURES[:1] * BROKEN, PRESENT[:1])
    assert gates.by_modality == pytest.approx({'ftm': 0.2, 'imu': 0.3})


@pytest.mark.parametrize(('fusor', 'modalities', 'present'), [
    (Add(NAMES, 1), NAMES, PRESENT), (Told(), ('imu',), PRESENT), (Told(), NAMES, PRESENT[1:]),
], ids=['no gates', 'one modality', 'no complete window'])
def test_there_are_no_gates_where_none_is_at_work(
    fusor: nn.Module, modalities: tuple[str, ...], present: Tensor,
) -> None:
    gates = GateMeans(NAMES, modalities)
    gates.add(fusor, FEATURES[-len(present):], present)
    assert gates.by_modality == {}
