"""The process that makes the weights of round 0."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from utt_ros.models.initial import main
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings

MODEL = ModelSettings(width=8, heads=2, feedforward=8)


def test_the_weights_of_a_configuration_and_a_seed_are_written(tmp_path: Path) -> None:
    path = tmp_path / 'weights.safetensors'
    assert main([dump_config(MODEL, WindowSettings()), '7', str(path)]) == 0
    expected = initial_weights(MODEL, WindowSettings(), 7)
    written = safetensors.numpy.load_file(path)
    assert written.keys() == expected.keys()
    assert all(np.array_equal(written[name], expected[name]) for name in expected)


def test_a_bad_configuration_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / 'weights.safetensors'
    assert main(['{}', '7', str(path)]) == 2
    assert 'model configuration' in capsys.readouterr().err
    assert not path.exists()
