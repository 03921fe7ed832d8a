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

"""Definitions of modalities and their registry."""

from dataclasses import replace

import pytest

from utt_ros.errors import ModelError
from utt_ros.models import modalities
from utt_ros.models.modalities import (
    REGISTRY,
    modality,
    register_modality,
    select_modalities,
)
from utt_ros.plugins import Registry
from utt_ros.types import CHANNELS


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    builtin = {name: REGISTRY[name] for name in CHANNELS}
    monkeypatch.setattr(modalities, 'REGISTRY', Registry(
        'modality', 'utt_ros.modalities', builtin, ModelError))


def test_built_in_modalities_have_the_channels_of_sensor_records() -> None:
    assert {name: len(modality(name).scale) for name in CHANNELS} == {
        name: len(channels) for name, channels in CHANNELS.items()}


def test_a_registered_modality_is_found_by_name_and_cannot_be_replaced() -> None:
    lidar = replace(modality('ftm'), name='lidar')
    register_modality(lidar)
    assert modality('lidar') is lidar
    with pytest.raises(ModelError, match="modality 'lidar' is registered already"):
        register_modality(replace(lidar, scale=(1.0, 1.0)))


def test_an_unknown_modality_is_refused_with_the_known_names() -> None:
    with pytest.raises(ModelError, match=r"modality is 'radar'.*camera, ftm, imu"):
        modality('radar')


def test_modalities_that_are_passed_precede_registered_ones_and_register_nothing() -> None:
    wide = replace(modality('ftm'), scale=(14.0, 0.7))
    selected = select_modalities(('camera', 'ftm'), [wide])
    assert list(selected) == ['camera', 'ftm']
    assert selected['ftm'] is wide
    assert selected['camera'] is modality('camera')
    assert modality('ftm') is not wide


def test_offsets_and_scales_of_different_length_are_refused() -> None:
    with pytest.raises(ModelError, match="'ftm' has 2 offsets and 1 scales"):
        replace(modality('ftm'), scale=(1.0,))
