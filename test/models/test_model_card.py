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

"""Model cards."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.wire import serialize
from utt_ros.models.modalities import modality
from utt_ros.models.model_card import PACKAGE, load_model, save_model
from utt_ros.models.saved_model import ModelCard
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, read_weights
from utt_ros.settings import WindowSettings

SMALL = ModelSettings(width=8, heads=2, feedforward=8)


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, UnifiedTwin, ModelCard]:
    """Save a model."""
    twin, path = UnifiedTwin(SMALL, WindowSettings()), tmp_path / 'model.safetensors'
    return path, twin, save_model(path, twin, 'abc', {'seed': 1}, {'score': 0.5})


def rewrite(path: Path, twin: UnifiedTwin, card: ModelCard) -> None:
    path.write_bytes(serialize(read_weights(twin), {'card': json.dumps(asdict(card))}))


def test_a_model_comes_back_with_its_card(model: tuple[Path, UnifiedTwin, ModelCard]) -> None:
    path, twin, card = model
    again, read = load_model(path)
    assert read == card
    assert read.data_fingerprint == 'abc'
    assert json.loads(path.with_suffix('.json').read_bytes())['metrics'] == {'score': 0.5}
    ours, theirs = read_weights(twin), read_weights(again)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_model_of_passed_modalities_is_loaded_with_them_alone(tmp_path: Path) -> None:
    lidar = replace(modality('ftm'), name='lidar')
    path, settings = tmp_path / 'model.safetensors', replace(SMALL, modalities=('imu', 'lidar'))
    save_model(path, UnifiedTwin(settings, WindowSettings(), [lidar]), 'abc', {}, {})
    twin, _ = load_model(path, [lidar])
    assert twin.modalities == {'imu': modality('imu'), 'lidar': lidar}
    with pytest.raises(ModelError, match=r"modality is 'lidar'"):
        load_model(path)
    with pytest.raises(ModelError, match='lidar was scaled by'):
        load_model(path, [replace(lidar, scale=(1.0, 1.0))])


@pytest.mark.parametrize(('change', 'why'), [
    ({'scaling': {}}, 'was scaled by'),
    ({'modalities': ['camera']}, 'its card has the modalities'),
    ({'code_version': '99.0'}, 'made by version 99.0'),
    ({'checksum': 'x'}, 'do not match the checksum'),
    ({'config': '{}'}, 'configuration'),
])
def test_a_card_that_does_not_fit_is_refused(
    model: tuple[Path, UnifiedTwin, ModelCard], change: dict[str, object], why: str,
) -> None:
    path, twin, card = model
    rewrite(path, twin, replace(card, **change))
    with pytest.raises(ModelError, match=why):
        load_model(path)


def test_weights_without_a_card_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    path.write_bytes(serialize({}))
    with pytest.raises(ModelError, match='has no card'):
        load_model(path)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    path.write_bytes(b'nothing')
    with pytest.raises(ModelError, match=r'model\.safetensors'):
        load_model(path)


def test_the_model_of_the_package_is_of_this_version_and_loads() -> None:
    twin, card = load_model(PACKAGE / 'models/pretrained.safetensors')
    assert twin.window == WindowSettings()
    assert card.statistics is not None
    assert card.statistics.means.keys() == {'camera', 'ftm', 'imu'}
