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

"""Names and shapes of exported graphs."""

import onnxruntime
import pytest

from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import (
    AP_DIMENSIONS,
    NEWEST_OUTPUTS,
    input_shapes,
    output_shapes,
)

pytestmark = pytest.mark.slow

WINDOW = WindowSettings(ticks=12, imu_rows=3, horizon=7)


def test_an_exported_graph_has_the_inputs_and_outputs_of_the_layout():
    model = ModelSettings(width=8, heads=2, feedforward=8)
    session = onnxruntime.InferenceSession(export_onnx(UnifiedTwin(model, WINDOW)))
    inputs = {item.name: tuple(item.shape[1:]) for item in session.get_inputs()}
    assert inputs == {
        name: shape for name, shape in input_shapes(WINDOW).items() if name not in AP_DIMENSIONS}
    of_area = set(output_shapes(WINDOW)) - set(NEWEST_OUTPUTS.values())
    assert {item.name for item in session.get_outputs()} == of_area


def test_the_number_of_access_points_is_free_in_a_graph_that_reads_several():
    model = ModelSettings(width=8, heads=2, feedforward=8, access_points_read='all')
    session = onnxruntime.InferenceSession(export_onnx(UnifiedTwin(model, WINDOW), 3))
    shapes = {item.name: item.shape[1:] for item in session.get_inputs()}
    assert shapes.keys() == input_shapes(WINDOW).keys()
    for name, dimension in AP_DIMENSIONS.items():
        assert isinstance(shapes[name].pop(dimension), str)
        expected = list(input_shapes(WINDOW, 5)[name])
        assert expected.pop(dimension) == (5 if name == 'ap_geometry' else 4)
        assert shapes[name] == expected
