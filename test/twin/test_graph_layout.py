"""Names and shapes of the live graph."""

import onnxruntime

from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import input_shapes, output_shapes

WINDOW = WindowSettings(ticks=12, imu_rows=3, horizon=7)


def test_an_exported_graph_has_the_inputs_and_outputs_of_the_layout():
    model = ModelSettings(width=8, heads=2, feedforward=8)
    session = onnxruntime.InferenceSession(export_onnx(UnifiedTwin(model, WINDOW)))
    inputs = {item.name: tuple(item.shape[1:]) for item in session.get_inputs()}
    assert inputs == input_shapes(WINDOW)
    assert {item.name for item in session.get_outputs()} == set(output_shapes(WINDOW))
