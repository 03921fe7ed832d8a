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

"""The exported graph against the model it came from."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from utt_ros.models.fusors import FUSORS
from utt_ros.models.modalities import modality
from utt_ros.models.onnx_export import (
    LiveGraph,
    OnnxExporter,
    example_inputs,
    export_onnx,
)
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, initial_weights, load_weights
from utt_ros.motion.features import CONTEXT
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import (
    LIVE_OUTPUTS,
    TRANSFERRED_IMU,
    TRANSLATED_OUTPUTS,
    input_shapes,
)
from utt_ros.types import AP_GEOMETRY, FURTHER_FTM

pytestmark = pytest.mark.slow

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
READS_ALL = replace(MODEL, access_points_read='all')
WINDOW = WindowSettings()
FURTHER_OUTPUTS = (TRANSFERRED_IMU, *TRANSLATED_OUTPUTS.values())
DECODED = {'synthesized_imu': 'imu', TRANSFERRED_IMU: 'imu', 'translated_camera': 'camera',
           'translated_ftm': 'ftm'}
SUBJECTS = 9  # every subset of the modalities, and one more subject with all of them


def inputs(twin: UnifiedTwin) -> dict[str, Tensor]:
    arrays = example_inputs(twin, SUBJECTS)
    for bit, name in enumerate(twin.settings.modalities):
        arrays[name] = arrays[name] * (1 + 0.1 * torch.randn_like(arrays[name]))
        present = torch.tensor([(subject >> bit) % 2 == 0 for subject in range(SUBJECTS)])
        measured = torch.rand(arrays[name].shape[:2]) > 0.3
        arrays[f'{name}_mask'] = measured & present.unsqueeze(1)
    arrays['context'] = torch.randn(SUBJECTS, len(CONTEXT))
    arrays['context'][:, :2] = (arrays['context'][:, :2] > 0).float()
    return arrays


def randomize_heads(twin: UnifiedTwin) -> UnifiedTwin:
    """Random outputs of the heads, unlike untrained ones."""
    torch.nn.init.normal_(twin.motion.say.weight, std=0.3)
    torch.nn.init.normal_(twin.stride.say.weight, std=0.3)
    return twin


def run(graph: bytes, given: dict[str, Tensor]) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=['CPUExecutionProvider'])
    names = [item.name for item in session.get_outputs()]
    arrays = session.run(None, {name: item.numpy() for name, item in given.items()})
    return dict(zip(names, arrays, strict=True))


def assert_same(graph: bytes, twin: UnifiedTwin, given: dict[str, Tensor]) -> None:
    with torch.no_grad():
        expected = LiveGraph(twin, FURTHER_OUTPUTS, tuple(given))(*given.values())
    outputs = run(graph, given)
    assert tuple(outputs) == (*LIVE_OUTPUTS[:-1], *FURTHER_OUTPUTS)
    for (name, actual), wanted in zip(outputs.items(), expected, strict=True):
        assert np.isfinite(actual).all(), name
        unit = np.array(modality(DECODED[name]).scale if name in DECODED else 1.0)
        np.testing.assert_allclose(
            actual / unit, wanted.numpy() / unit, rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize('fusor', sorted(FUSORS.names()))
def test_the_graph_equals_the_model_for_every_subset_of_modalities(fusor: str) -> None:
    model = ModelSettings(width=16, heads=2, feedforward=16, fusor=fusor)
    twin = randomize_heads(UnifiedTwin(model, WINDOW))
    assert_same(export_onnx(twin), twin, inputs(twin))


def test_the_graph_takes_any_number_of_subjects() -> None:
    twin = randomize_heads(UnifiedTwin(MODEL, WINDOW))
    graph, given = export_onnx(twin), inputs(twin)
    for count in (1, 3):
        assert_same(graph, twin, {name: item[:count] for name, item in given.items()})


@pytest.mark.parametrize('access_points', [2, 3, 6])
def test_the_graph_of_several_access_points_takes_any_number_of_them(access_points: int) -> None:
    twin = randomize_heads(UnifiedTwin(READS_ALL, WINDOW))
    graph, given = export_onnx(twin, access_points=2), inputs(twin)
    further = (SUBJECTS, WINDOW.ticks, access_points - 1)
    given |= {FURTHER_FTM: 10.0 * torch.rand(*further, 2),
              AP_GEOMETRY: 5.0 * torch.randn(SUBJECTS, access_points, 3),
              f'{FURTHER_FTM}_mask': torch.rand(further) > 0.5}
    assert_same(graph, twin, given)


def test_a_model_of_the_first_access_point_has_one_graph_for_any_number() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    assert export_onnx(twin, access_points=3) == export_onnx(twin)


def test_one_access_point_gives_the_same_in_either_graph() -> None:
    twin = randomize_heads(UnifiedTwin(READS_ALL, WINDOW))
    given = inputs(twin)
    several = given | {name: torch.zeros(SUBJECTS, *shape, dtype=torch.bool if 'mask' in name
                                         else torch.float32)
                       for name, shape in input_shapes(WINDOW, 2).items() if name not in given}
    one, other = (run(export_onnx(twin, access_points=number), part)
                  for number, part in ((1, given), (2, several)))
    for name in one:
        np.testing.assert_allclose(other[name], one[name], rtol=1e-4, atol=1e-4, err_msg=name)


def test_later_exports_only_exchange_the_weights() -> None:
    exporter = OnnxExporter()
    twin = randomize_heads(UnifiedTwin(MODEL, WINDOW))
    first = exporter.export(twin)
    load_weights(twin, initial_weights(MODEL, WINDOW, 3))
    with torch.no_grad():
        for weight in twin.parameters():  # some were equal, such as the zeros of fresh biases
            weight.add_(0.1 * torch.randn_like(weight))
    second = exporter.export(twin)
    assert first != second
    assert_same(second, twin, inputs(twin))
    assert second == export_onnx(twin)


def test_exports_leave_the_traced_graph_as_it_is_which_would_keep_the_weights_of_each() -> None:
    exporter = OnnxExporter()
    twin = randomize_heads(UnifiedTwin(MODEL, WINDOW))
    exporter.export(twin)
    traced = exporter.graph.SerializeToString(deterministic=True)
    load_weights(twin, initial_weights(MODEL, WINDOW, 3))
    assert exporter.export(twin) != traced
    assert exporter.graph.SerializeToString(deterministic=True) == traced


def test_the_imu_is_synthesized_from_other_modalities_where_one_is_present() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    graph, given = export_onnx(twin), inputs(twin)
    without = dict(given, imu_mask=torch.zeros_like(given['imu_mask']))
    synthesized, other = (
        run(graph, item)['synthesized_imu'] for item in (given, without))
    alone = [subject for subject in range(SUBJECTS) if subject % 4 == 3]  # neither camera nor ftm
    rest = [subject for subject in range(SUBJECTS) if subject not in alone]
    np.testing.assert_allclose(synthesized[rest], other[rest], rtol=1e-5, atol=1e-5)
    assert np.abs(synthesized[3] - other[3]).max() > 1e-3


@pytest.mark.parametrize('fusor', sorted(FUSORS.names()))
def test_the_transferred_imu_is_the_synthesized_one_where_another_modality_is_present(
    fusor: str,
) -> None:
    model = ModelSettings(width=16, heads=2, feedforward=16, fusor=fusor)
    twin = UnifiedTwin(model, WINDOW)
    given = inputs(twin)
    outputs = run(export_onnx(twin), given)
    present = (given['camera_mask'].any(dim=1) | given['ftm_mask'].any(dim=1)).numpy()
    assert 0 < present.sum() < SUBJECTS
    unit = np.array(modality('imu').scale)
    np.testing.assert_allclose(
        outputs[TRANSFERRED_IMU][present] / unit, outputs['synthesized_imu'][present] / unit,
        rtol=1e-5, atol=1e-5)


def test_a_model_of_the_imu_alone_has_the_outputs_of_the_layout() -> None:
    twin = UnifiedTwin(replace(MODEL, modalities=('imu',)), WINDOW)
    outputs = run(export_onnx(twin), inputs(twin))
    np.testing.assert_array_equal(outputs[TRANSFERRED_IMU], outputs['synthesized_imu'])
