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

"""Operations of one area, in slices: they register twins, or leave everything as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from utt_ros.errors import TwinError, UttError
from utt_ros.federation.wire import pack
from utt_ros.task_twins.operation_request import OperationRequest
from utt_ros.task_twins.running_operation import OperationCanceled


def test_transfer_fine_tunes_a_model_of_its_own(build_trainer: Callable[..., Any]) -> None:
    hall = build_trainer('hall')
    outcome = hall.run('transfer', 'hall_position', target_tasks=('trajectory',), max_windows=150)
    (twin,) = outcome.twins
    assert twin == hall.models.registry.get('hall_trajectory_2')
    assert (twin.status, twin.operation, twin.parents, twin.sources) == (
        'serving', 'transfer', ('hall_position',), ('ftm',))
    assert (twin.model.federation, twin.model.round) == ('fed', 1)
    assert (twin.windows, twin.judged_in, twin.judged_windows) == (150, 'hall', 50)
    assert len(twin.data_fingerprint) == 64
    assert twin.mean_nmse < outcome.nmse_before[0]
    stored = hall.models.read(twin.id)
    assert pack(stored.weights).checksum == twin.model.checksum
    assert twin.model.checksum != hall.models.read('hall_position').twin.model.checksum


def test_error_of_a_model_is_the_same_whatever_the_budget(
    build_trainer: Callable[..., Any],
) -> None:
    hall = build_trainer('hall')
    budgets = ({}, {'max_windows': 40}, {'max_windows': 150}, {'max_seconds': 0.01})
    before = {hall.run('transfer', 'hall_position', target_tasks=('trajectory',), **budget)
              .nmse_before for budget in budgets}
    assert len(before) == 1


def test_split_makes_one_twin_for_each_task_at_once(build_trainer: Callable[..., Any]) -> None:
    hall = build_trainer('hall')
    revision = hall.models.registry.revision
    outcome = hall.run('split', 'hall_tracking', target_tasks=('position', 'trajectory'))
    assert [twin.id for twin in outcome.twins] == ['hall_position_2', 'hall_trajectory_2']
    assert hall.models.registry.revision == revision + 1
    assert len(outcome.nmse_before) == 2


def test_without_a_budget_the_twin_follows_the_model_of_its_area(
    build_trainer: Callable[..., Any],
) -> None:
    hall = build_trainer('hall')
    outcome = hall.run('transfer', 'hall_position', target_tasks=('tracking',))
    (twin,) = outcome.twins
    assert (twin.follows, twin.windows, outcome.windows, twin.data_fingerprint) == (
        True, 0, 0, '')
    assert twin.mean_nmse == outcome.nmse_before[0]
    hall.receive(2)
    assert hall.models.registry.get(twin.id).model.round == 2


def test_operation_is_canceled_between_two_slices(build_trainer: Callable[..., Any]) -> None:
    hall = build_trainer('hall')
    before = hall.state()
    running = hall.operations.start(OperationRequest(
        'transfer', ('hall_position',), (), ('trajectory',), max_seconds=1000.0))
    while running.progress.phase != 'tune':
        assert hall.operations.step()
    with pytest.raises(TwinError, match='transfer of hall_position is in work in hall: one'):
        hall.operations.start(OperationRequest('split', ('hall_tracking',)))
    hall.operations.cancel()
    with pytest.raises(OperationCanceled):
        hall.finish(running)
    assert hall.state() == before
    assert not hall.operations.step()
    assert hall.run('transfer', 'hall_position', target_tasks=('tracking',)).twins


def test_an_operation_has_its_outcome_before_the_next_may_begin(
    build_trainer: Callable[..., Any],
) -> None:
    hall = build_trainer('hall')
    running = hall.operations.start(OperationRequest('split', ('unknown',)))
    notes: list[str] = []
    running.outcome.add_done_callback(lambda _: notes.append(hall.operations.note))
    with pytest.raises(TwinError):
        hall.finish(running)
    assert notes == ['split of unknown: prepare']
    assert hall.operations.note == ''


def test_an_area_without_camera_adopts_the_twin_of_another(
    build_trainer: Callable[..., Any],
) -> None:
    hall, stairs = build_trainer('hall'), build_trainer('stairs', ('ftm', 'imu'), windows=0)
    before = hall.state()
    outcome = hall.run('transfer', 'hall_trajectory', target_areas=('stairs',), max_windows=100)
    (twin,) = outcome.twins
    assert twin == stairs.models.registry.get('stairs_trajectory_2')
    assert (twin.sources, twin.judged_in, twin.windows) == (('ftm', 'imu'), 'hall', 100)
    assert outcome.bytes == len(pack(stairs.models.read(twin.id).weights).payload)
    assert hall.state() == before


def test_what_areas_have_adopted_is_rolled_back_when_another_refuses(
    build_trainer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall, stairs, lab = (
        build_trainer('hall'), build_trainer('stairs', ('ftm', 'imu')), build_trainer('lab'))

    def fail(*_: object) -> None:
        raise TwinError('the task twins of lab cannot be written: no space left')

    monkeypatch.setattr(lab.models.registry, 'register', fail)
    before = hall.state()
    with pytest.raises(TwinError, match='twins of lab cannot be written'):
        hall.run('split', 'hall_position', target_areas=('hall', 'stairs', 'lab'),
                 target_tasks=('trajectory',))
    assert hall.state() == before
    assert stairs.models.registry.get('stairs_trajectory_2').status == 'retired'


def test_split_between_areas_makes_all_twins(build_trainer: Callable[..., Any]) -> None:
    hall = build_trainer('hall')
    build_trainer('stairs', ('ftm', 'imu'), windows=0)
    outcome = hall.run('split', 'hall_position', target_areas=('stairs', 'hall'),
                       target_tasks=('trajectory',), max_windows=60)
    assert [twin.id for twin in outcome.twins] == ['stairs_trajectory_2', 'hall_trajectory_2']
    assert outcome.twins[0].model.checksum == outcome.twins[1].model.checksum


def test_too_few_windows_to_tune_on_are_refused(build_trainer: Callable[..., Any]) -> None:
    hall = build_trainer('hall')
    before = hall.state()
    with pytest.raises(UttError, match='there are 30 windows to train on: fine-tuning needs'):
        hall.run('transfer', 'hall_position', target_tasks=('tracking',), max_windows=30)
    assert hall.state() == before
