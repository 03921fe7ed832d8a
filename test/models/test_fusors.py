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

"""Fusors against tensors computed by hand."""

import math
from pathlib import Path

import pytest
import torch

from utt_ros.errors import ModelError
from utt_ros.models import fusors
from utt_ros.models.fusors import (
    FUSORS,
    Attention,
    Average,
    Concat,
    GatedFusor,
    Gating,
    GatingSum,
    make_fusor,
    register_fusor,
)
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.plugins import Registry
from utt_ros.settings import WindowSettings
from utt_ros.twin.onnx_model import OnnxModel

MODALITIES = ('camera', 'ftm', 'imu')
FEATURES = torch.tensor([[[1.0, -2.0], [3.0, 5.0], [-4.0, 0.5]]])  # (1, 3, 2)
ALL = torch.tensor([[True, True, True]])
NO_FTM = torch.tensor([[True, False, True]])
NONE = torch.tensor([[False, False, False]])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize(('name', 'of_all', 'without_ftm'), [
    ('add', [0.0, 3.5], [-3.0, -1.5]),
    ('average', [0.0, 3.5 / 3], [-1.5, -0.75]),
    ('multiply', [-12.0, -5.0], [-4.0, -1.0]),
    ('max', [3.0, 5.0], [1.0, 0.5]),
    ('min', [-4.0, -2.0], [-4.0, -2.0]),
])
def test_fusors_without_weights_give_the_hand_computed_result(
    name: str, of_all: list[float], without_ftm: list[float],
) -> None:
    fusor = make_fusor(name, MODALITIES, 2)
    torch.testing.assert_close(fusor(FEATURES, ALL), torch.tensor([of_all]))
    torch.testing.assert_close(fusor(FEATURES, NO_FTM), torch.tensor([without_ftm]))
    assert not list(fusor.parameters())


def test_concat_puts_a_learned_token_where_a_modality_is_missing() -> None:
    fusor = Concat(MODALITIES, 2)
    with torch.no_grad():
        for scale, name in zip((1.0, 10.0, 100.0), MODALITIES, strict=True):
            fusor.project[name].copy_(scale * torch.eye(2))
        fusor.missing['ftm'].copy_(torch.tensor([0.5, 0.25]))
        fusor.bias.copy_(torch.tensor([7.0, 0.0]))
    torch.testing.assert_close(fusor(FEATURES, ALL), torch.tensor([[-362.0, 98.0]]))
    torch.testing.assert_close(fusor(FEATURES, NO_FTM), torch.tensor([[-387.0, 50.5]]))


def test_gating_sum_is_the_sigmoid_of_a_weighted_sum() -> None:
    fusor = GatingSum(MODALITIES, 2)
    with torch.no_grad():
        for scale, name in zip((1.0, 0.5, 0.25), MODALITIES, strict=True):
            fusor.weight[name].copy_(scale * torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
        fusor.bias.copy_(torch.tensor([0.0, 1.0]))
    of_all = [sigmoid(-2 + 2.5 + 0.125), sigmoid(1 + 1.5 - 1 + 1)]
    without_ftm = [sigmoid(-2 + 0.125), sigmoid(1 - 1 + 1)]
    torch.testing.assert_close(fusor(FEATURES, ALL), torch.tensor([of_all]))
    torch.testing.assert_close(fusor(FEATURES, NO_FTM), torch.tensor([without_ftm]))


def test_gating_weighs_each_modality_by_a_gate_that_reads_all_of_them() -> None:
    fusor = Gating(MODALITIES, 2)
    with torch.no_grad():
        for parameter in fusor.parameters():
            parameter.zero_()
        fusor.weight['camera'].get_parameter('ftm').copy_(torch.eye(2))
        fusor.bias['imu'].copy_(torch.tensor([1.0, -1.0]))
    camera = [sigmoid(3.0), sigmoid(5.0)]
    imu = [sigmoid(1.0), sigmoid(-1.0)]
    torch.testing.assert_close(fusor(FEATURES, ALL), torch.tensor([[
        camera[0] * 1 + 0.5 * 3 - imu[0] * 4, camera[1] * -2 + 0.5 * 5 + imu[1] * 0.5]]))
    torch.testing.assert_close(fusor(FEATURES, NO_FTM), torch.tensor([[
        0.5 * 1 - imu[0] * 4, 0.5 * -2 + imu[1] * 0.5]]))


def test_attention_weighs_by_a_softmax_over_what_is_there() -> None:
    fusor = Attention(MODALITIES, 2)
    with torch.no_grad():
        fusor.hidden.copy_(torch.eye(2))
        fusor.score.copy_(torch.tensor([1.0, 0.0]))
    scores = [math.exp(math.tanh(value)) for value in (1.0, 3.0, -4.0)]
    a, b, c = (score / sum(scores) for score in scores)
    torch.testing.assert_close(
        fusor(FEATURES, ALL), torch.tensor([[a + 3 * b - 4 * c, -2 * a + 5 * b + 0.5 * c]]))
    a, c = (score / (scores[0] + scores[2]) for score in (scores[0], scores[2]))
    torch.testing.assert_close(
        fusor(FEATURES, NO_FTM), torch.tensor([[a - 4 * c, -2 * a + 0.5 * c]]))


def test_gates_are_means_over_channels_or_the_weights_of_attention() -> None:
    gating, attention = Gating(MODALITIES, 2), Attention(MODALITIES, 2)
    with torch.no_grad():
        for parameter in (*gating.parameters(), *attention.parameters()):
            parameter.zero_()
        gating.bias['imu'].copy_(torch.tensor([1.0, 2.0]))
    imu = (sigmoid(1.0) + sigmoid(2.0)) / 2
    torch.testing.assert_close(gating.gates(FEATURES, ALL), torch.tensor([[0.5, 0.5, imu]]))
    torch.testing.assert_close(gating.gates(FEATURES, NO_FTM), torch.tensor([[0.5, 0.0, imu]]))
    torch.testing.assert_close(attention.gates(FEATURES, ALL), torch.full((1, 3), 1 / 3))
    torch.testing.assert_close(
        attention.gates(FEATURES, NO_FTM), torch.tensor([[0.5, 0.0, 0.5]]))
    assert {name for name in FUSORS.names()
            if isinstance(make_fusor(name, MODALITIES, 2), GatedFusor)} == {'gating', 'attention'}


@pytest.mark.parametrize('name', sorted(FUSORS.names()))
def test_what_is_not_used_does_not_matter(name: str) -> None:
    fusor = make_fusor(name, MODALITIES, 2)
    other = FEATURES.clone()
    other[:, 1] = 1e6
    torch.testing.assert_close(fusor(FEATURES, NO_FTM), fusor(other, NO_FTM))


@pytest.mark.parametrize('name', sorted(FUSORS.names()))
def test_nothing_in_use_gives_a_finite_feature_and_finite_gradients(name: str) -> None:
    fusor = make_fusor(name, MODALITIES, 2)
    features = FEATURES.clone().requires_grad_()
    fused = fusor(torch.cat([features, features]), torch.cat([NONE, NO_FTM]))
    assert fused.isfinite().all()
    fused.sum().backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


@pytest.mark.parametrize('name', ['concat', 'gating', 'gating_sum'])
def test_weights_that_read_a_missing_modality_get_no_gradient(name: str) -> None:
    fusor = make_fusor(name, MODALITIES, 2)
    fusor(FEATURES, NO_FTM).square().sum().backward()
    moved = {key for key, item in fusor.named_parameters()
             if item.grad is not None and item.grad.any()}
    assert not {key for key in moved if 'ftm' in key and 'missing' not in key}


def test_an_unknown_fusor_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"fusor is 'sum'.*gating"):
        make_fusor('sum', MODALITIES, 2)


def test_the_fusor_of_the_document_is_part_of_a_model_and_of_its_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fusors, 'FUSORS', Registry('fusor', 'none', {}, ModelError))
    document = (Path(__file__).parents[2] / 'docs/model.md').read_text(encoding='utf-8')
    names: dict[str, object] = {}
    exec(document.partition('```python\n')[2].partition('```')[0], names)  # our own document
    twin = UnifiedTwin(names['model'], WindowSettings())
    fused = twin.fusor(FEATURES, NO_FTM)
    torch.testing.assert_close(fused, torch.tensor([[17.0**0.5, 4.25**0.5]]))
    assert twin.fusor(FEATURES, NONE).isfinite().all()
    OnnxModel(export_onnx(twin), WindowSettings())


def test_a_registered_fusor_is_built_by_name_and_its_name_is_then_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fusors, 'FUSORS', Registry('fusor', 'none', {'add': Average}, ModelError))
    register_fusor('mine', Average)
    twin = UnifiedTwin(
        ModelSettings(fusor='mine', width=8, heads=2, feedforward=8), WindowSettings())
    assert isinstance(twin.fusor, Average)
    with pytest.raises(ModelError, match="fusor 'mine' is registered already"):
        register_fusor('mine', Concat)
    with pytest.raises(ModelError, match=r"fusor is 'other': it must be one of add, mine"):
        make_fusor('other', MODALITIES, 2)
