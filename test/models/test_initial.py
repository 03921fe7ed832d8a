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
