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

"""Records of task twins in model files."""

from dataclasses import replace
from pathlib import Path

import pytest

from utt_ros.errors import ModelError, TwinError
from utt_ros.models.saved_model import read_saved_model, write_saved_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings
from utt_ros.task_twins.twin_files import imported_twin, twin_in_model
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.twin_models import TwinModel, model_writer

TWIN = TaskTwin(
    'hall_trajectory_2', 'hall', 'trajectory', ('ftm',), operation='transfer',
    parents=('hall_position',), nmse={'depth_m': 0.5})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    model, shape = ModelSettings(width=16, heads=2, feedforward=16), WindowSettings(ticks=8)
    path = tmp_path / 'twin.safetensors'
    weights = initial_weights(model, shape, 1)
    model_writer(TwinModel(TWIN, dump_config(model, shape), weights))(path)
    return path


def test_the_record_of_a_twin_travels_with_its_model(file: Path) -> None:
    assert twin_in_model(file) == TWIN


@pytest.mark.parametrize(('training', 'complaint'), [
    ({}, 'holds no record of a task twin'),
    ({'task_twin': []}, 'it is not the record of a task twin'),
    ({'task_twin': {'id': 'hall_position_2'}}, 'it is not the record of a task twin')])
def test_a_model_without_a_sound_record_is_refused_by_name(
    training: dict[str, object], complaint: str, file: Path,
) -> None:
    weights, card = read_saved_model(file)
    write_saved_model(file, weights, replace(card, training=training))
    with pytest.raises(ModelError, match=f'twin.safetensors.*{complaint}'):
        twin_in_model(file)


def test_an_import_inherits_task_and_sources_and_becomes_a_child(file: Path) -> None:
    _, card = read_saved_model(file)
    twin = imported_twin(card, 'stairs')
    assert (twin.area, twin.task, twin.sources, twin.operation) == (
        'stairs', 'trajectory', ('ftm',), 'import')
    assert (twin.parents, twin.nmse) == (('hall_trajectory_2',), {'depth_m': 0.5})
    assert twin.model.checksum == card.checksum


def test_another_task_or_other_sources_inherit_no_errors(file: Path) -> None:
    _, card = read_saved_model(file)
    other = imported_twin(card, 'stairs', 'position')
    assert (other.sources, other.nmse) == (('camera', 'imu'), {})
    both = imported_twin(card, 'stairs', sources=('imu', 'ftm'))
    assert (both.sources, both.nmse) == (('ftm', 'imu'), {})


def test_a_model_of_training_becomes_a_twin_without_parents(file: Path) -> None:
    _, card = read_saved_model(file)
    twin = imported_twin(replace(card, training={}), 'stairs', 'tracking')
    assert (twin.sources, twin.parents) == (('camera', 'ftm'), ())


@pytest.mark.parametrize(('task', 'sources', 'complaint'), [
    ('', (), 'the model names no task: give one of trajectory'),
    ('walking', (), "task 'walking' is unknown"),
    ('tracking', ('lidar',), 'the model has no lidar: it has camera, ftm, imu'),
    ('tracking', ('imu', 'ftm'), 'reads imu, which it makes')])
def test_an_impossible_import_is_refused(
    task: str, sources: tuple[str, ...], complaint: str, file: Path,
) -> None:
    _, card = read_saved_model(file)
    with pytest.raises(TwinError, match=complaint):
        imported_twin(replace(card, training={}), 'stairs', task, sources)
