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

"""Operations on saved models: windows that are held out, sources, and work that is ended."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError, SessionError, TwinError
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.task_twins.operation_request import OperationProgress, OperationRequest
from utt_ros.task_twins.running_operation import OperationCanceled
from utt_ros.training.offline_operation import (
    memory_of_recordings,
    operate_offline,
    read_source,
    recordings_of_area,
    write_outcome,
)
from utt_ros.training.recordings import Recordings

MODEL = ModelSettings(width=8, heads=2, feedforward=8)
TRANSFER = OperationRequest('transfer', ('file',), (), ('trajectory',))


@pytest.fixture
def area0(data: Recordings) -> Recordings:
    return replace(data, recordings=tuple(
        item for item in data.recordings if item.area.area == 'area0'))


@pytest.fixture
def model(data: Recordings, tmp_path: Path) -> Path:
    path = tmp_path / 'model.safetensors'
    save_model(path, UnifiedTwin(MODEL, data.window), 'x', {}, {})
    return path


def test_the_test_split_is_held_out(area0: Recordings) -> None:
    memory, _ = memory_of_recordings(area0, area0.areas['area0'])
    splits = [split for split in ('train', 'val', 'test') if area0.of(split)]
    window_count = {split: len(area0.windows(split, stride=5)) for split in splits}
    assert len(memory.held_out) == window_count.pop('test')
    assert len(memory.training) == sum(window_count.values())


@pytest.mark.parametrize('split', ['train', 'test'])
def test_blocks_of_time_are_held_out_where_there_is_one_split(
    split: str, area0: Recordings,
) -> None:
    alike = replace(area0, recordings=tuple(
        replace(item, split=split) for item in area0.recordings))
    memory, learning = memory_of_recordings(alike, area0.areas['area0'])
    assert len(memory.training) > 0
    assert len(memory.training) + len(memory.held_out) <= learning.capacity
    assert learning.capacity == len(alike.windows(split, stride=5))


def test_the_area_of_the_recordings_must_be_one(sessions: Path, tmp_path: Path) -> None:
    assert list(recordings_of_area(sessions, tmp_path, 'area1').areas) == ['area1']
    assert list(recordings_of_area(sessions / 'area0', tmp_path).areas) == ['area0']
    with pytest.raises(SessionError, match='has the areas area0, area1: give one with --area'):
        recordings_of_area(sessions, tmp_path)
    with pytest.raises(SessionError, match="has no area 'hall': it has area0, area1"):
        recordings_of_area(sessions, tmp_path, 'hall')


def test_a_made_model_is_written_with_its_record_and_is_a_parent_then(
    model: Path, area0: Recordings, tmp_path: Path,
) -> None:
    source = read_source(model, 'area0', ['ftm'], 'trajectory')
    assert source.parents == ()
    outcome = operate_offline(TRANSFER, [source], area0)
    assert outcome.operation.nmse_before == (outcome.operation.twins[0].mean_nmse,)
    (path,) = write_outcome(outcome, tmp_path / 'made.safetensors')
    again = read_source(path, 'area0')
    assert again.parents == ('area0_trajectory_2',)
    assert again.model.twin == outcome.models[0].twin
    for name, values in source.model.weights.items():
        np.testing.assert_array_equal(again.model.weights[name], values)


def test_work_goes_on_in_steps_and_can_be_ended(model: Path, area0: Recordings) -> None:
    seen: list[OperationProgress] = []

    def watch(progress: OperationProgress) -> None:
        seen.append(progress)
        if progress.step == 2:
            raise OperationCanceled('enough')

    source = read_source(model, 'area0', ['ftm', 'imu'], 'trajectory')
    with pytest.raises(OperationCanceled):
        operate_offline(replace(TRANSFER, max_seconds=600.0), [source], area0, watch)
    assert [item.phase for item in seen] == ['judge', 'tune', 'tune']
    memory, _ = memory_of_recordings(area0, area0.areas['area0'])
    assert 40 <= seen[-1].windows <= len(memory.training), 'those that have all three sensors'


@pytest.mark.parametrize(('modalities', 'task', 'complaint'), [
    ((), '', 'its card has no task twin: name the modalities'),
    (('ftm',), '', 'its card has no task twin'),
    (('lidar',), 'position', 'the model has no lidar: it has camera, ftm, imu'),
    (('ftm', 'imu'), 'position', 'reads ftm, which it makes')])
def test_a_source_that_cannot_be_read_so_is_refused_by_name(
    modalities: tuple[str, ...], task: str, complaint: str, model: Path,
) -> None:
    with pytest.raises(ModelError, match=f'model.safetensors: .*{complaint}'):
        read_source(model, 'area0', modalities, task)


def test_models_of_different_shapes_are_not_merged(
    model: Path, area0: Recordings, tmp_path: Path,
) -> None:
    other = tmp_path / 'other.safetensors'
    save_model(other, UnifiedTwin(replace(MODEL, width=16), area0.window), 'x', {}, {})
    sources = [read_source(path, 'area0', ['ftm'], 'trajectory') for path in (model, other)]
    with pytest.raises(TwinError, match='has a model of another shape'):
        operate_offline(OperationRequest('merge', ('a', 'b')), sources, area0)
