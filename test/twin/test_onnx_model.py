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

import numpy as np
import onnx
import pytest

from utt_ros.errors import ModelError
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.motion.features import CONTEXT
from utt_ros.settings import WindowSettings
from utt_ros.twin.onnx_model import OnnxGraph, OnnxModel
from utt_ros.types import CHANNELS, Windows

SHAPE = WindowSettings()


def windows_of(rng, subjects: int) -> Windows:
    values, masks = {}, {}
    for name, channels in CHANNELS.items():
        rows = SHAPE.ticks * (SHAPE.imu_rows if name == 'imu' else 1)
        values[name] = rng.normal(0, 1, (subjects, rows, len(channels))).astype(np.float32)
        masks[name] = np.ones((subjects, rows), bool)
    names = tuple(map(str, range(subjects)))
    return Windows(np.zeros(subjects, np.int64), names, values, masks)


def edited(payload: bytes, change) -> bytes:
    model = onnx.load_from_string(payload)
    change(model.graph)
    return model.SerializeToString()


@pytest.mark.parametrize('subjects', [1, 7])
def test_outputs_have_a_row_per_subject(make_graph, rng, subjects):
    model = OnnxModel(make_graph(1.2, rms=0.3), SHAPE)
    windows = windows_of(rng, subjects)
    output, imu = model.run(windows, np.zeros((subjects, len(CONTEXT)), np.float32))
    np.testing.assert_allclose(output.velocity, [[1.2, 0]] * subjects)
    np.testing.assert_allclose(output.velocity_std, 0.2)
    np.testing.assert_allclose(output.future[:, -1], [[3.6, 0]] * subjects)
    np.testing.assert_allclose(output.future_std, 0.5)
    np.testing.assert_array_equal(imu.imu, windows.values['imu'][:, -5:])
    np.testing.assert_allclose(imu.cadence, [2.0] * subjects)
    np.testing.assert_allclose(imu.swing, np.full((subjects, 6, 5), 0.3), rtol=1e-6)


def test_the_imu_of_each_subject_is_that_of_the_whole_graph_whatever_its_sources(rng):
    payload = export_onnx(UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), SHAPE))
    windows, context = windows_of(rng, 8), np.zeros((8, len(CONTEXT)), np.float32)
    for bit, name in enumerate(('camera', 'ftm', 'imu')):
        windows.masks[name][[subject >> bit & 1 == 1 for subject in range(8)]] = False
    whole = OnnxGraph(payload, SHAPE, ('synthesized_imu',)).run(8, {
        **windows.values, **{f'{name}_mask': mask for name, mask in windows.masks.items()},
        'context': context})
    read = []
    imu = OnnxModel(payload, SHAPE).prepare_imu(
        windows, context, lambda part: read.append(part.subjects) or part)()
    np.testing.assert_allclose(imu.imu, whole['synthesized_imu'], rtol=1e-5, atol=1e-5)
    assert read == [('3', '7')]


@pytest.mark.parametrize('payload', [b'', b'no graph at all', b'\x08\x07' * 500])
def test_bytes_that_are_not_a_graph_are_refused(payload):
    with pytest.raises(ModelError, match='not a graph'):
        OnnxModel(payload, SHAPE)


def test_new_weights_of_the_same_graph_share_its_session(make_graph, rng):
    old = OnnxModel(make_graph(1.2), SHAPE)
    new = OnnxModel(make_graph(0.7), SHAPE, old)
    assert len(old.graphs) == 3
    for graph, former in zip(new.graphs, old.graphs, strict=True):
        assert graph.session is former.session
    windows, context = windows_of(rng, 2), np.zeros((2, len(CONTEXT)), np.float32)
    for model, speed in ((new, 0.7), (old, 1.2)):
        np.testing.assert_allclose(model.run(windows, context)[0].velocity, [[speed, 0]] * 2)


def test_another_graph_gets_a_session_of_its_own(make_graph):
    old = OnnxModel(make_graph(), SHAPE)
    other = OnnxModel(make_graph(fragile=True), SHAPE, old)
    assert other.graphs[0].session is not old.graphs[0].session  # of motion, which differs


def test_weights_that_are_not_finite_are_refused_and_leave_the_session_usable(make_graph, rng):
    old = OnnxModel(make_graph(1.2), SHAPE)
    with pytest.raises(ModelError, match='not finite'):
        OnnxModel(make_graph(float('nan')), SHAPE, old)
    old.run(windows_of(rng, 2), np.zeros((2, len(CONTEXT)), np.float32))


def test_a_graph_with_an_unknown_input_is_refused(make_graph):
    def change(graph):
        graph.input[0].name = 'lidar'

    with pytest.raises(ModelError, match="unknown inputs: 'lidar'"):
        OnnxModel(edited(make_graph(), change), SHAPE)


def test_a_graph_without_an_output_is_refused(make_graph):
    def change(graph):
        del graph.output[2]

    with pytest.raises(ModelError, match='lacks the outputs future'):
        OnnxModel(edited(make_graph(), change), SHAPE)


def test_a_graph_for_other_windows_is_refused(make_graph):
    with pytest.raises(ModelError):
        OnnxModel(make_graph(shape=WindowSettings(ticks=20)), SHAPE)
    with pytest.raises(ModelError, match=r'future has shape \(1, 10, 2\)'):
        OnnxModel(make_graph(shape=WindowSettings(horizon=10)), SHAPE)


def test_outputs_that_are_not_finite_are_refused(make_graph, rng):
    model = OnnxModel(make_graph(fragile=True), SHAPE)
    with pytest.raises(ModelError, match='velocity is not finite'):
        model.run(windows_of(rng, 2), np.eye(2, len(CONTEXT), -1, np.float32))


def test_a_strength_that_overflows_is_refused(make_graph, rng):
    model = OnnxModel(make_graph(), SHAPE)
    model.run(windows_of(rng, 2), np.zeros((2, len(CONTEXT)), np.float32))
    with pytest.raises(ModelError, match='swing_log_rms is too large'):
        OnnxModel(make_graph(rms=1e40), SHAPE)


def test_areas_without_a_sensor_may_use_a_graph_without_it(make_graph, rng):
    def change(graph):
        for value in [item for item in graph.input if item.name.startswith('camera')]:
            graph.input.remove(value)

    output, _ = OnnxModel(edited(make_graph(), change), SHAPE).run(
        windows_of(rng, 3), np.zeros((3, len(CONTEXT)), np.float32))
    assert output.velocity.shape == (3, 2)
