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

"""Translation by the exported graph against the model itself."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from utt_ros.errors import ModelError
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.motion.features import phone_context
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import LIVE_OUTPUTS
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.onnx_translator import OnnxTranslator

pytestmark = pytest.mark.slow

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
SHAPE = WindowSettings()


@pytest.fixture
def twin():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        twin = UnifiedTwin(MODEL, SHAPE)
        torch.nn.init.normal_(twin.motion.say.weight, std=0.3)
    return twin.eval()


def translate(twin, target, **windows):
    """Decode `target` from windows and their masks by the model itself."""
    values = {name: torch.from_numpy(array) for name, (array, _) in windows.items()}
    masks = {name: torch.from_numpy(mask) for name, (_, mask) in windows.items()}
    with torch.no_grad():
        return twin.decode(target, twin.fuse(*twin.encode(values, masks)))


def test_translations_by_the_graph_equal_those_of_the_model(twin, rng) -> None:
    rows = SHAPE.ticks * SHAPE.imu_rows
    ftm = rng.normal(8, 3, (3, SHAPE.ticks, 2)).astype(np.float32)
    imu = rng.normal(0, 3, (3, rows, 9)).astype(np.float32)
    boxes = rng.normal(300, 50, (2, SHAPE.ticks, 5)).astype(np.float32)
    ftm_mask, imu_mask = rng.random(ftm.shape[:2]) < 0.3, rng.random(imu.shape[:2]) < 0.9
    box_mask, heading_valid = rng.random(boxes.shape[:2]) < 0.9, np.array([True, False, True])
    translator = OnnxTranslator(export_onnx(twin), SHAPE)
    assert translator.ticks == SHAPE.ticks

    phones = translator.translate_phones(ftm, ftm_mask, imu, imu_mask, heading_valid)
    context = phone_context(imu, imu_mask, SHAPE.period / SHAPE.imu_rows, heading_valid)
    with torch.no_grad():
        motion = twin.motion(torch.from_numpy(context))
    for name, output, expected in (
            ('velocity', phones.velocity, motion.velocity),
            ('velocity_std', phones.velocity_std, motion.velocity_log_std.exp()),
            ('boxes', phones.boxes,
             translate(twin, 'camera', ftm=(ftm, ftm_mask), imu=(imu, imu_mask))),
            ('ranges', translator.translate_tracks(boxes, box_mask),
             translate(twin, 'ftm', camera=(boxes, box_mask)))):
        np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-3, err_msg=name)


def test_no_windows_give_no_translations(twin) -> None:
    translator = OnnxTranslator(export_onnx(twin), SHAPE)
    ranges = translator.translate_tracks(np.zeros((0, 30, 5), np.float32), np.zeros((0, 30), bool))
    assert ranges.shape == (0, 30, 2)


def test_new_weights_of_a_known_graph_share_its_sessions_and_translate_anew(twin) -> None:
    former = OnnxTranslator(export_onnx(twin), SHAPE)
    changed = deepcopy(twin)
    with torch.no_grad():
        for weight in changed.parameters():
            weight.add_(0.1)
    translator = OnnxTranslator(export_onnx(changed), SHAPE, former)
    assert [graph.session for graph in translator.graphs] == [
        graph.session for graph in former.graphs]
    boxes, mask = np.full((1, SHAPE.ticks, 5), 300, np.float32), np.ones((1, SHAPE.ticks), bool)
    np.testing.assert_array_equal(
        translator.translate_tracks(boxes, mask),
        OnnxTranslator(export_onnx(changed), SHAPE).translate_tracks(boxes, mask))
    assert not np.array_equal(
        translator.translate_tracks(boxes, mask), former.translate_tracks(boxes, mask))


def test_a_graph_of_a_federation_without_ranging_is_refused() -> None:
    model = ModelSettings(modalities=('camera', 'imu'), width=16, heads=2, feedforward=16)
    graph = export_onnx(UnifiedTwin(model, SHAPE))
    with pytest.raises(ModelError, match='translated_ftm'):
        OnnxTranslator(graph, SHAPE)


def test_a_live_twin_prunes_the_outputs_that_only_association_needs(twin) -> None:
    graph = export_onnx(twin)
    sessions = [item.session for item in OnnxModel(graph, SHAPE).graphs]
    names = {item.name for session in sessions for item in session.get_outputs()}
    assert names == set(LIVE_OUTPUTS)
    motion, transfer, alone = ({item.name for item in each.get_inputs()} for each in sessions)
    assert not any('decoders.camera' in name for name in motion | transfer | alone)
    assert not any('encoders' in name for name in motion)
    assert any('encoders.camera' in name for name in transfer)
    assert not any('encoders.imu' in name for name in transfer), 'which is for those without it'
    assert any('encoders.imu' in name for name in alone)


def test_bytes_that_are_not_a_graph_are_refused() -> None:
    with pytest.raises(ModelError, match='not a graph'):
        OnnxTranslator(b'no graph', SHAPE)
