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


"""Check of the model that a launch plan starts from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.federation.wire import pack
from utt_ros.models.saved_model import ModelCard, code_version, write_saved_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.model_check import check_initial_model
from utt_ros.settings import AreaSettings, WindowSettings

WEIGHTS = {'camera.w': np.zeros(6, np.float32)}
HALL = AreaPlan(AreaSettings(area='hall'))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Write a model file with a card."""
    settings, path = ModelSettings(), tmp_path / 'model.safetensors'
    write_saved_model(path, WEIGHTS, ModelCard(
        list(settings.modalities), {}, dump_config(settings, WindowSettings()), '', {}, {},
        code_version(), pack(WEIGHTS).checksum))
    return path


def with_parameters(folder: Path, text: str) -> AreaPlan:
    file = folder / 'hall.yaml'
    file.write_text(text)
    return replace(HALL, parameter_files=(file,))


def alone(model: Path, area: AreaPlan = HALL) -> LaunchPlan:
    return LaunchPlan((area,), federated=False, model=model)


def test_model_that_fits_is_given_to_the_trainer_alone_or_to_the_aggregator(model: Path) -> None:
    federation = LaunchPlan((HALL,), aggregator=True, model=model)
    for plan, reader in ((alone(model), 'trainer'), (federation, 'aggregator')):
        check_initial_model(plan)
        assert {node.name: node.parameters['initial_model'] for node in graph_nodes(plan)
                if 'initial_model' in node.parameters} == {reader: str(model)}


@pytest.mark.parametrize(('text', 'reason'), [
    ('/**:\n  ros__parameters: {ticks: 20}\n', 'it is for .*ticks=30.*this run has .*ticks=20'),
    ('/**/trainer:\n  ros__parameters: {model: {modalities: [ftm, imu]}}\n',
     r"this run has \['ftm', 'imu'\]"),
])
def test_model_of_other_windows_or_modalities_is_refused(
    model: Path, tmp_path: Path, text: str, reason: str,
) -> None:
    with pytest.raises(SettingsError, match=f'hall/trainer cannot start .*{reason}'):
        prepare_plan(alone(model, with_parameters(tmp_path, text)))


def test_missing_and_damaged_files_are_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r'none\.safetensors: there is no such model file'):
        prepare_plan(alone(tmp_path / 'none.safetensors'))
    model.write_bytes(model.read_bytes()[:-8])
    with pytest.raises(SettingsError, match=r'hall/trainer cannot start from the model .*model\.'):
        prepare_plan(alone(model))


def test_model_of_another_version_is_refused(model: Path) -> None:
    model.write_bytes(model.read_bytes().replace(
        f'\\"code_version\\": \\"{code_version()}'.encode(), b'\\"code_version\\": \\"9.1.0'))
    with pytest.raises(SettingsError, match=r'made by version 9\.1\.0'):
        prepare_plan(alone(model))


def test_model_is_refused_where_the_aggregator_runs_elsewhere(model: Path) -> None:
    with pytest.raises(SettingsError, match='the aggregator, which runs elsewhere'):
        prepare_plan(LaunchPlan((HALL,), federated=True, model=model))
