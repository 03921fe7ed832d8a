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

"""Registry of an area's task twins: ids, changes of status, versions and refusals."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from utt_ros.errors import TwinError
from utt_ros.task_twins import registry_file as registry_module
from utt_ros.task_twins.twin_registry import MAX_TWIN_VERSIONS, TwinRegistry
from utt_ros.task_twins.types import ModelReference, TaskTwin

MODALITIES = ('ftm', 'imu')
TRANSFER = TaskTwin(
    '', 'hall', 'trajectory', ('ftm', 'imu'), operation='transfer', parents=('stairs_trajectory',))


def write(path: Path) -> None:
    path.write_bytes(b'weights')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'twins'


@pytest.fixture
def reopen(folder: Path) -> Callable[[], TwinRegistry]:
    clock = count(1)
    return lambda: TwinRegistry(folder, 'hall', MODALITIES, lambda: next(clock))


@pytest.fixture
def registry(reopen: Callable[[], TwinRegistry]) -> TwinRegistry:
    return reopen()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {'registry.json'}


def status(registry: TwinRegistry) -> dict[str, str]:
    return {twin.id: twin.status for twin in registry.twins if not twin.is_native}


def test_an_area_begins_with_the_native_twins_of_its_sensors(registry: TwinRegistry) -> None:
    assert [(twin.id, twin.sources, twin.status) for twin in registry.twins] == [
        ('hall_position', ('ftm',), 'serving'), ('hall_tracking', ('imu',), 'serving')]
    assert registry.serving == ()
    assert registry.problem == ''


def test_a_sensor_that_is_gone_retires_its_native_twin_until_it_returns(folder: Path) -> None:
    TwinRegistry(folder, 'hall', MODALITIES, lambda: 1)
    without = TwinRegistry(folder, 'hall', ('imu',), lambda: 2)
    assert without.get('hall_position').status == 'retired'
    again = TwinRegistry(folder, 'hall', MODALITIES, lambda: 3).get('hall_position')
    assert (again.status, again.created_ns) == ('serving', 1)


def test_a_new_twin_serves_and_pauses_the_one_of_its_task(registry: TwinRegistry) -> None:
    first = registry.register(TRANSFER)
    second = registry.register(TRANSFER, write)
    assert (first.id, first.replaces) == ('hall_trajectory_2', '')
    assert (second.id, second.replaces) == ('hall_trajectory_3', 'hall_trajectory_2')
    assert second.model.file == 'hall_trajectory_3.safetensors'
    assert registry.serving == (second,)
    assert registry.get(first.id).status == 'paused'


def test_a_registry_survives_a_restart(
    registry: TwinRegistry, reopen: Callable[[], TwinRegistry], folder: Path,
) -> None:
    registry.register(TRANSFER, write)
    registry.register(replace(TRANSFER, nmse={'depth_m': 0.25}), write)
    assert reopen().twins == registry.twins
    assert files(folder) == {'hall_trajectory_2.safetensors', 'hall_trajectory_3.safetensors'}


def test_an_id_is_never_given_twice(
    registry: TwinRegistry, reopen: Callable[[], TwinRegistry],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry_module, 'MAX_TWINS', 3)
    for _ in range(3):
        registry.remove(registry.register(TRANSFER).id)
    assert reopen().register(TRANSFER).id == 'hall_trajectory_5'


def test_a_retired_twin_is_forgotten_only_for_a_new_one(
    registry: TwinRegistry, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry_module, 'MAX_TWINS', 4)
    registry.remove(registry.register(TRANSFER).id)
    registry.register(TRANSFER)
    registry.register(TRANSFER)
    assert status(registry) == {'hall_trajectory_3': 'paused', 'hall_trajectory_4': 'serving'}
    with pytest.raises(TwinError, match='hall has 4 task twins, which is the limit: remove one'):
        registry.register(TRANSFER)


def test_pause_and_resume_are_changes_of_status(registry: TwinRegistry) -> None:
    twin = registry.register(TRANSFER)
    assert registry.pause(twin.id)[1] == 'hall_trajectory_2 is paused: it publishes nothing'
    assert registry.pause(twin.id)[1] == 'hall_trajectory_2 is paused already'
    assert registry.serving == ()
    assert registry.resume(twin.id) == (twin, 'hall_trajectory_2 serves again')
    assert registry.resume(twin.id)[1] == 'hall_trajectory_2 serves already'


def test_of_a_task_one_twin_serves(registry: TwinRegistry) -> None:
    registry.register(TRANSFER)
    registry.register(TRANSFER)
    with pytest.raises(TwinError, match='hall_trajectory_3 serves trajectory in hall: pause it'):
        registry.resume('hall_trajectory_2')


def test_twins_without_a_file_follow_the_model_of_their_area(registry: TwinRegistry) -> None:
    following = registry.register(TRANSFER)
    own = registry.register(replace(TRANSFER, model=ModelReference('f', 3, 'c' * 64)), write)
    registry.follow(ModelReference('f', 9, 'd' * 64))
    assert registry.get(following.id).model == ModelReference('f', 9, 'd' * 64)
    assert registry.get('hall_tracking').model.round == 9
    assert registry.get(own.id).model.round == 3
    revision = registry.revision
    registry.follow(ModelReference('f', 9, 'd' * 64))
    assert registry.revision == revision


def test_a_pinned_twin_no_longer_follows(registry: TwinRegistry, folder: Path) -> None:
    twin = registry.register(TRANSFER)
    model = ModelReference('f', 4, 'c' * 64)
    pinned, sentence = registry.pin(twin.id, model, write)
    assert sentence == 'hall_trajectory_2 is pinned to the model of round 4'
    registry.follow(ModelReference('f', 5, 'd' * 64))
    assert registry.get(twin.id) == pinned
    assert files(folder) == {'hall_trajectory_2.safetensors'}
    with pytest.raises(TwinError, match=r'is pinned already, hall_trajectory_2\.safetensors'):
        registry.pin(twin.id, model, write)


def test_versions_are_rolled_back_before_the_twin_that_was_replaced(
    registry: TwinRegistry, folder: Path,
) -> None:
    first = registry.register(TRANSFER)
    twin = registry.register(TRANSFER)
    models = [ModelReference('f', number, 'c' * 64) for number in range(3)]
    registry.pin(twin.id, models[0], write)
    registry.unpin(twin.id, models[1])
    registry.pin(twin.id, models[2], write)
    assert files(folder) == {f'{twin.id}.safetensors', f'{twin.id}.2.safetensors'}
    former, sentence = registry.rollback(twin.id)
    assert sentence == 'hall_trajectory_3 uses its former model again, of round 0'
    assert (former.model.round, former.pinned) == (0, True)
    assert files(folder) == {f'{twin.id}.safetensors'}
    again, sentence = registry.rollback(twin.id)
    assert sentence == (
        'hall_trajectory_3 is retired: hall_trajectory_2, which it replaced, serves again')
    assert again == replace(first, status='serving')
    assert status(registry) == {first.id: 'serving', twin.id: 'retired'}
    assert files(folder) == set()


def test_former_versions_are_bounded(registry: TwinRegistry, folder: Path) -> None:
    twin = registry.register(TRANSFER)
    for number in range(MAX_TWIN_VERSIONS + 3):
        registry.pin(twin.id, ModelReference('f', number, 'c' * 64), write)
        registry.unpin(twin.id, ModelReference('f', number + 1, 'd' * 64))
    assert len(files(folder)) == MAX_TWIN_VERSIONS
    assert registry.rollback(twin.id)[0].model.round == MAX_TWIN_VERSIONS + 2


def test_a_rollback_of_the_first_of_its_task_leaves_none(registry: TwinRegistry) -> None:
    twin = registry.register(TRANSFER)
    assert registry.rollback(twin.id)[1] == (
        'hall_trajectory_2 is retired: it replaced no other task twin')
    assert registry.serving == ()


def test_a_rollback_to_a_removed_twin_is_refused(registry: TwinRegistry) -> None:
    registry.remove(registry.register(TRANSFER).id)
    first, second = registry.register(TRANSFER), registry.register(TRANSFER)
    registry.remove(first.id)
    with pytest.raises(TwinError, match='replaced hall_trajectory_3, which is retired: remove h'):
        registry.rollback(second.id)


def test_remove_keeps_the_record_and_removes_the_model(
    registry: TwinRegistry, folder: Path,
) -> None:
    twin = registry.register(TRANSFER, write)
    registry.remove(twin.id)
    assert registry.get(twin.id) == replace(twin, status='retired')
    assert files(folder) == set()
    with pytest.raises(TwinError, match='task twin hall_trajectory_2 is retired'):
        registry.resume(twin.id)


@pytest.mark.parametrize(('verb', 'deed'), [
    ('pause', 'paused'), ('resume', 'resumed'), ('rollback', 'rolled back'),
    ('remove', 'removed')])
def test_a_native_twin_stays_as_it_is(registry: TwinRegistry, verb: str, deed: str) -> None:
    with pytest.raises(
        TwinError, match=f'hall_position is the native twin of a sensor: it cannot be {deed}'):
        getattr(registry, verb)('hall_position')


def test_what_makes_no_sense_of_a_model_is_refused(registry: TwinRegistry) -> None:
    model = ModelReference('f', 1, 'c' * 64)
    following = registry.register(TRANSFER)
    own = registry.register(TRANSFER, write)
    with pytest.raises(TwinError, match='is not pinned: it follows the model of hall'):
        registry.unpin(following.id, model)
    with pytest.raises(TwinError, match='is not pinned: it was trained for itself'):
        registry.unpin(own.id, model)
    with pytest.raises(TwinError, match=r'has a model of its own, hall_trajectory_3\.safet'):
        registry.pin(own.id, model, write)
    with pytest.raises(TwinError, match='hall_trajectory_2 has no model file: it follows'):
        registry.path(following)


def test_an_unknown_id_is_refused_with_those_close_to_it(registry: TwinRegistry) -> None:
    with pytest.raises(TwinError, match=r"no task twin 'hall_positoin': close to it: hall_pos"):
        registry.pause('hall_positoin')
    with pytest.raises(TwinError, match=r"no task twin 'x': there are hall_position, hall_track"):
        registry.pause('x')


def test_only_made_twins_of_the_area_are_registered(registry: TwinRegistry) -> None:
    with pytest.raises(TwinError, match="transfer twin of area 'stairs' cannot be registered in"):
        registry.register(replace(TRANSFER, area='stairs'))
    with pytest.raises(TwinError, match='reads camera, which it makes'):
        registry.register(replace(TRANSFER, sources=('camera',)))


def test_a_change_that_cannot_be_written_changes_nothing(
    registry: TwinRegistry, folder: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    twin = registry.register(TRANSFER, write)
    before = registry.twins

    def fail(path: Path, data: bytes) -> None:
        raise OSError('no space left')

    monkeypatch.setattr('utt_ros.task_twins.registry_folder.write_atomically', fail)
    with pytest.raises(TwinError, match='twins of hall cannot be written: no space left'):
        registry.register(TRANSFER, write)
    with pytest.raises(TwinError, match='no space left'):
        registry.remove(twin.id)
    assert registry.twins == before
    assert files(folder) == {'hall_trajectory_2.safetensors'}


def test_a_model_that_cannot_be_written_registers_nothing(registry: TwinRegistry) -> None:
    def fail(path: Path) -> None:
        raise OSError('no space left')

    with pytest.raises(TwinError, match='model of hall_trajectory_2 cannot be written: no space'):
        registry.register(TRANSFER, fail)
    assert status(registry) == {}


def test_listeners_are_called_once_for_each_change(registry: TwinRegistry) -> None:
    calls: list[int] = []
    registry.listen(lambda: calls.append(registry.revision))
    twin = registry.register(TRANSFER)
    registry.pause(twin.id)
    registry.pause(twin.id)
    with pytest.raises(TwinError):
        registry.pause('x')
    assert len(calls) == 2
    assert calls[1] == calls[0] + 1


def test_twins_of_several_tasks_are_registered_together_or_not_at_all(
    registry: TwinRegistry, folder: Path,
) -> None:
    position = replace(TRANSFER, task='position', sources=('imu',), operation='split')

    def fail(_: Path) -> None:
        raise OSError('no space left')

    before = registry.twins
    with pytest.raises(TwinError, match='model of hall_position_2 cannot be written'):
        registry.register_all([(TRANSFER, write), (position, fail)])
    assert (registry.twins, files(folder)) == (before, set())
    made = registry.register_all([(TRANSFER, write), (position, write)])
    assert [twin.id for twin in made] == ['hall_trajectory_3', 'hall_position_3']
    assert all(twin.status == 'serving' for twin in made)
