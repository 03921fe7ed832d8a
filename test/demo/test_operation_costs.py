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

"""Made task twins are judged on test sessions, beside training from scratch."""

import json

import pytest

from utt_ros.demo.held_out import cut_sessions
from utt_ros.demo.operation_costs import operation_costs
from utt_ros.demo.operations_stage import PerformedOperation
from utt_ros.demo.scenes import find_demo_areas
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import build_twin, initial_weights
from utt_ros.settings import WindowSettings
from utt_ros.task_twins.operation_request import OperationOutcome, OperationRequest
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.fine_tuning import FineTuning, FineTuningBudget, newest_examples
from utt_ros.training.settings import LearningSettings

WINDOW = WindowSettings(ticks=16, horizon=4, imu_rows=2)
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
PAIR = (('ftm', 'imu'), 'camera')


@pytest.fixture(scope='module')
def area(sessions, tmp_path_factory):
    found, _ = find_demo_areas(sessions, tmp_path_factory.mktemp('areas'))
    return found


@pytest.fixture(scope='module')
def untrained():
    return Checkpoint(
        'f', 0, dump_config(MODEL, WINDOW), initial_weights(MODEL, WINDOW, 0))


def performed(kind, sources, before, after, *twins):
    request = OperationRequest(kind, sources, ('area0',), tuple({twin.task for twin in twins}))
    outcome = OperationOutcome(tuple(twins), (1.0,) * len(twins), 3.0, 5000, 60)
    return PerformedOperation(request, 'area0', outcome, dump_config(MODEL, WINDOW), before, after)


def made(task, sources, area='area0'):
    return TaskTwin(f'{area}_{task}_2', area, task, sources, operation='transfer', windows=60,
                    judged_windows=50)


def test_a_transfer_is_compared_with_the_cheapest_training_from_scratch(area, untrained):
    twin = build_twin(MODEL, WINDOW, untrained.tensors)
    tuning = FineTuning(
        twin, newest_examples(cut_sessions(area, area.train, WINDOW, 5), [PAIR]), [PAIR],
        learning=LearningSettings(), budget=FineTuningBudget(max_windows=1000))
    for _ in range(20):
        tuning.step()
    trained = tuning.finish()
    row, = operation_costs(
        [performed('transfer', ('area0_trajectory',), untrained.tensors, trained,
                   made('trajectory', PAIR[0], 'area1'))], [area], untrained)
    assert (row['operation'], row['area'], row['target']) == (
        'transfer', 'area1', 'area1_trajectory_2')
    assert (row['seconds'], row['bytes'], row['windows']) == (3.0, 5000, 60)
    assert row['seconds_alone'] > 0
    assert row['tuned']
    assert row['nmse'] < row['nmse_before']
    assert row['nmse_scratch'] < row['nmse_before']
    assert row['windows_scratch'] >= 60
    assert row['seconds_scratch'] > 0
    if not row['scratch_reached']:
        assert row['nmse_scratch_end'] > row['nmse']
    json.dumps(row, allow_nan=False)


def test_each_twin_of_a_split_has_a_row_and_a_merge_the_errors_of_single_sources(
    area, untrained,
):
    rows = operation_costs([
        performed('split', ('area0_trajectory',), untrained.tensors, untrained.tensors,
                  made('position', ('camera',)), made('tracking', ('camera',))),
        performed('merge', ('area0_trajectory', 'area0_tracking'), untrained.tensors,
                  untrained.tensors, made('position', ('camera', 'imu')))], [area], untrained)
    assert [(row['operation'], row['target']) for row in rows] == [
        ('split', 'area0_position_2'), ('split', 'area0_tracking_2'),
        ('merge', 'area0_position_2')]
    assert all(row['nmse'] == row['nmse_before'] for row in rows)
    assert set(rows[2]['nmse_alone']) == {'camera', 'imu'}
    assert 'seconds_scratch' not in rows[0]
