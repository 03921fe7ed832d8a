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


"""Model that a run starts from or resumes."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.wire import pack
from utt_ros.models.saved_model import ModelCard, code_version, write_saved_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.starting_model import check_resumed_config, read_initial_model
from utt_ros.settings import WindowSettings

MODEL, WINDOW = ModelSettings(fusor='max'), WindowSettings()
WEIGHTS = {'camera.w': np.arange(6, dtype=np.float32)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a model file of the fusor max."""
    card = ModelCard(
        list(MODEL.modalities), {}, dump_config(MODEL, WINDOW), 'abc', {}, {}, code_version(),
        pack(WEIGHTS).checksum)
    write_saved_model(tmp_path / 'model.safetensors', WEIGHTS, card)
    return tmp_path / 'model.safetensors'


def test_a_run_takes_the_architecture_of_the_file(path: Path) -> None:
    weights, config = read_initial_model(path, ModelSettings(), WINDOW)
    assert config == dump_config(MODEL, WINDOW)
    assert np.array_equal(weights['camera.w'], WEIGHTS['camera.w'])


def test_a_run_refuses_other_windows_and_modalities(path: Path) -> None:
    with pytest.raises(ModelError, match=r'ticks=30.*this run has .*ticks=20'):
        read_initial_model(path, MODEL, WindowSettings(ticks=20))
    with pytest.raises(ModelError, match=r"this run has \['ftm', 'imu'\]"):
        read_initial_model(path, ModelSettings(modalities=('ftm', 'imu')), WINDOW)


def test_a_federation_is_resumed_with_the_sizes_of_the_parameters_or_of_its_model_file() -> None:
    config, folder, other = dump_config(MODEL, WINDOW), Path('state'), ModelSettings()
    check_resumed_config(config, folder, MODEL, WINDOW, any_size=False)
    check_resumed_config(config, folder, other, WINDOW, any_size=True)
    with pytest.raises(SettingsError, match=r'state holds a federation with the configuration'):
        check_resumed_config(config, folder, other, WINDOW, any_size=False)
    with pytest.raises(SettingsError, match=r'the parameters are .*"ticks":20'):
        check_resumed_config(config, folder, MODEL, WindowSettings(ticks=20), any_size=True)
    with pytest.raises(SettingsError, match='that this program cannot resume'):
        check_resumed_config('{}', folder, MODEL, WINDOW, any_size=True)
