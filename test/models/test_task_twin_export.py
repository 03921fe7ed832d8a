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

"""Exported task twins against the model they came from."""

import numpy as np
import pytest
import torch

from utt_ros.errors import ModelError
from utt_ros.models.fusors import FUSORS
from utt_ros.models.onnx_export import example_inputs
from utt_ros.models.operations import Pair
from utt_ros.models.settings import ModelSettings
from utt_ros.models.task_twin_export import export_task_twin
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import NEWEST_OUTPUTS
from utt_ros.twin.onnx_model import OnnxGraph

pytestmark = pytest.mark.slow

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
WINDOW = WindowSettings(ticks=12, imu_rows=3)
PAIRS: list[Pair] = [
    (('ftm', 'imu'), 'camera'), (('imu',), 'ftm'), (('camera', 'ftm'), 'imu')]


def decode(twin: UnifiedTwin, pair: Pair, inputs: dict[str, torch.Tensor]) -> np.ndarray:
    """Decode as in training: whole windows, of which the newest rows remain."""
    names = twin.settings.modalities
    with torch.no_grad():
        features, _ = twin.encode(
            {name: inputs[name] for name in names},
            {name: inputs[f'{name}_mask'] for name in names})
        window = twin.decode_pairs(features, [pair])[pair]
    return window[:, -(WINDOW.imu_rows if pair[1] == 'imu' else 1):].numpy()


def assert_same(payload: bytes, twin: UnifiedTwin, pair: Pair, subjects: int = 5) -> None:
    with torch.no_grad():
        inputs = example_inputs(twin, subjects)
    for name in twin.settings.modalities:
        inputs[name] = inputs[name] * (1 + 0.1 * torch.randn_like(inputs[name]))
        inputs[f'{name}_mask'] = torch.rand(inputs[name].shape[:2]) > 0.3
    output = NEWEST_OUTPUTS[pair[1]]
    graph = OnnxGraph(payload, WINDOW, (output,))
    assert graph.inputs == {name for source in pair[0] for name in (source, f'{source}_mask')}
    given = {name: inputs[name].numpy() for name in graph.inputs}
    scale = np.array(twin.modalities[pair[1]].scale)
    np.testing.assert_allclose(
        graph.run(subjects, given)[output] / scale, decode(twin, pair, inputs) / scale,
        rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('pair', PAIRS, ids=str)
@pytest.mark.parametrize('fusor', sorted(FUSORS.names()))
def test_a_task_twin_makes_the_newest_rows_of_the_models_translation(
    fusor: str, pair: Pair,
) -> None:
    model = ModelSettings(width=16, heads=2, feedforward=16, fusor=fusor)
    twin = UnifiedTwin(model, WINDOW)
    assert_same(export_task_twin(twin, pair), twin, pair)


def test_later_exports_exchange_the_weights_for_any_number_of_subjects() -> None:
    twins = [UnifiedTwin(MODEL, WINDOW) for _ in range(2)]
    payloads = [export_task_twin(twin, PAIRS[0]) for twin in twins]
    assert payloads[0] != payloads[1]
    for twin, payload in zip(twins, payloads, strict=True):
        for subjects in (1, 7):
            assert_same(payload, twin, PAIRS[0], subjects)


def test_a_model_without_the_modality_is_refused() -> None:
    twin = UnifiedTwin(ModelSettings(modalities=('ftm', 'imu'), width=16, heads=2), WINDOW)
    with pytest.raises(ModelError, match='has no camera: it has ftm, imu'):
        export_task_twin(twin, (('ftm', 'imu'), 'camera'))
