"""The graph of a model, asked as association asks it, against the model itself."""

import numpy as np
import pytest
import torch

from utt_ros.errors import ModelError
from utt_ros.evaluation.twin_translator import TwinTranslator
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin.onnx_model import OnnxRuntime
from utt_ros.twin.onnx_translator import OnnxTranslator

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
SHAPE = WindowSettings()


@pytest.fixture
def twin():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        made = UnifiedTwin(MODEL, SHAPE)
        torch.nn.init.normal_(made.motion.say.weight, std=0.3)
    return made.eval()


def test_the_graph_says_of_phones_and_tracks_what_the_model_says(twin) -> None:
    rng = np.random.default_rng(0)
    rows = SHAPE.ticks * SHAPE.imu_rows
    of_phones = (
        rng.normal(8, 3, (3, SHAPE.ticks, 2)).astype(np.float32),
        rng.random((3, SHAPE.ticks)) < 0.3,
        rng.normal(0, 3, (3, rows, 9)).astype(np.float32), rng.random((3, rows)) < 0.9,
        np.array([True, False, True]))
    of_tracks = (rng.normal(300, 50, (2, SHAPE.ticks, 5)).astype(np.float32),
                 rng.random((2, SHAPE.ticks)) < 0.9)
    live, wanted = OnnxTranslator(export_onnx(twin), SHAPE), TwinTranslator(twin)
    assert live.ticks == SHAPE.ticks
    said, expected = live.phones(*of_phones), wanted.phones(*of_phones)
    for name in ('velocity', 'velocity_std', 'boxes'):
        np.testing.assert_allclose(
            getattr(said, name), getattr(expected, name), rtol=1e-3, atol=1e-3, err_msg=name)
    np.testing.assert_allclose(
        live.tracks(*of_tracks), wanted.tracks(*of_tracks), rtol=1e-3, atol=1e-3)


def test_of_nobody_nothing_is_said(twin) -> None:
    live = OnnxTranslator(export_onnx(twin), SHAPE)
    assert live.tracks(np.zeros((0, 30, 5), np.float32), np.zeros((0, 30), bool)).shape == (
        0, 30, 2)


def test_a_graph_of_a_federation_without_ranging_is_refused() -> None:
    model = ModelSettings(modalities=('camera', 'imu'), width=16, heads=2, feedforward=16)
    graph = export_onnx(UnifiedTwin(model, SHAPE))
    with pytest.raises(ModelError, match='translated_ftm'):
        OnnxTranslator(graph, SHAPE)


def test_a_live_twin_leaves_out_what_only_association_needs(twin) -> None:
    graph = export_onnx(twin)
    runtime = OnnxRuntime(graph, SHAPE)
    names = {item.name for item in runtime.session.get_outputs()}
    assert 'synthesized_imu' in names
    assert 'translated_camera' not in names
    assert not any('decoders.camera' in item.name for item in runtime.session.get_inputs())


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(ModelError, match='not a graph'):
        OnnxTranslator(b'no graph', SHAPE)
