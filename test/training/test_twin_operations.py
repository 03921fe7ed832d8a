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
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from utt_ros.errors import ModelError, TwinError, UttError
from utt_ros.federation.types import GlobalModel, TwinHandover
from utt_ros.federation.wire import pack
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.task_twins.operation_request import OperationOutcome, OperationRequest
from utt_ros.task_twins.registry_file import dump_twin, parse_twin
from utt_ros.task_twins.running_operation import OperationCanceled, RunningOperation
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.client import ClientProblem, FederatedClient
from utt_ros.training.dataset import make_examples
from utt_ros.training.operation_plan import plan_operation
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.twin_adoption import TwinAdoption
from utt_ros.training.twin_deployment import TwinDeployment
from utt_ros.training.twin_models import TwinModels, model_writer, open_twin_models
from utt_ros.training.twin_operations import TwinOperations
from utt_ros.types import Windows

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
LEARNING = LearningSettings(batch=16)
Walk = Callable[..., Windows]


@dataclass
class Trainer:
    """Parts of a trainer without ROS, and couriers to other ones."""

    area: AreaSettings
    client: FederatedClient
    models: TwinModels
    operations: TwinOperations
    adoption: TwinAdoption
    deployment: TwinDeployment
    folder: Path

    def run(self, kind: str, *sources: str, **fields: object) -> OperationOutcome:
        return self.finish(self.operations.start(OperationRequest(kind, sources, **fields)))

    def finish(self, running: RunningOperation) -> OperationOutcome:
        while not running.outcome.done():
            self.operations.step()
        return running.outcome.result()

    def state(self) -> tuple[bytes, set[str]]:
        return ((self.folder / 'registry.json').read_bytes(),
                {path.name for path in self.folder.glob('*.safetensors')})


class Couriers:
    """Ways to trainers of the same process."""

    def __init__(self) -> None:
        self.trainers: dict[str, Trainer] = {}

    def hand_over(self, handover: TwinHandover, area: str) -> 'Future[TaskTwin]':
        pending: Future[TaskTwin] = Future()
        try:
            if area not in self.trainers:
                raise TwinError(f'the trainer of {area} is away')
            pending.set_result(self.trainers[area].adoption.adopt(handover, lambda: None))
        except UttError as err:
            pending.set_exception(err)
        return pending

    def withdraw(self, area: str, twin_id: str) -> None:
        self.trainers[area].models.manage('rollback', twin_id)


@pytest.fixture
def build(tmp_path: Path, shape: WindowSettings, walk: Walk) -> Callable[..., Trainer]:
    """`build('hall', ('ftm', 'imu'), 200)` makes a trainer with 200 windows."""
    couriers = Couriers()

    def make(name: str, modalities: tuple[str, ...] = ('camera', 'ftm', 'imu'),
             windows: int = 200, round_: int = 1) -> Trainer:
        area = AreaSettings(area=name, modalities=modalities)
        client = FederatedClient(
            area, shape, MODEL, LEARNING, TrainerSettings(state_dir=str(tmp_path / name)))
        models = open_twin_models(area, str(tmp_path / name), client)
        trainer = couriers.trainers[name] = Trainer(
            area, client, models,
            TwinOperations(area, shape, LEARNING, client=client, models=models, courier=couriers),
            TwinAdoption(area, shape, client, models), TwinDeployment(models),
            tmp_path / name / 'twins')
        receive(trainer, shape, round_)
        for buffer, count in ((client.trainer.memory.training, windows),
                              (client.trainer.memory.held_out, windows // 4)):
            if count:
                buffer.add(make_examples(walk(area, count), area, shape))
        return trainer
    return make


def receive(trainer: Trainer, shape: WindowSettings, round_: int) -> None:
    packed = pack(initial_weights(MODEL, shape, round_))
    trainer.client.inbox.put_model(GlobalModel(
        'fed', round_, dump_config(MODEL, shape), packed.schema, packed.checksum, packed.payload))
    trainer.client.step(0.0)
    trainer.models.follow()


def test_transfer_fine_tunes_a_model_of_its_own(build: Callable[..., Trainer]) -> None:
    hall = build('hall')
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


def test_merge_reads_all_sources_and_averages_their_models(
    build: Callable[..., Trainer], shape: WindowSettings,
) -> None:
    hall = build('hall')
    first = hall.run('transfer', 'hall_position', target_tasks=('trajectory',), max_windows=80)
    second = hall.run('transfer', 'hall_tracking', target_tasks=('trajectory',), max_windows=80)
    parents = (first.twins[0].id, second.twins[0].id)
    plan = plan_operation(OperationRequest('merge', parents), hall.area, shape, hall.models)
    one, two = (hall.models.read(name).weights for name in parents)
    name = 'encoders.ftm.' + next(
        key.removeprefix('encoders.ftm.') for key in one if key.startswith('encoders.ftm.'))
    assert plan.weights[name] == pytest.approx((one[name] + two[name]) / 2)
    (twin,) = hall.run('merge', *parents).twins
    assert (twin.sources, twin.task, twin.replaces) == (('ftm', 'imu'), 'trajectory', parents[1])
    assert not twin.follows
    assert hall.models.registry.get(parents[1]).status == 'paused'


def test_split_makes_one_twin_for_each_task_at_once(build: Callable[..., Trainer]) -> None:
    hall = build('hall')
    revision = hall.models.registry.revision
    outcome = hall.run('split', 'hall_tracking', target_tasks=('position', 'trajectory'))
    assert [twin.id for twin in outcome.twins] == ['hall_position_2', 'hall_trajectory_2']
    assert hall.models.registry.revision == revision + 1
    assert len(outcome.nmse_before) == 2


def test_without_a_budget_the_twin_follows_the_model_of_its_area(
    build: Callable[..., Trainer], shape: WindowSettings,
) -> None:
    hall = build('hall')
    outcome = hall.run('transfer', 'hall_position', target_tasks=('tracking',))
    (twin,) = outcome.twins
    assert (twin.follows, twin.windows, outcome.windows, twin.data_fingerprint) == (
        True, 0, 0, '')
    assert twin.mean_nmse == outcome.nmse_before[0]
    receive(hall, shape, 2)
    assert hall.models.registry.get(twin.id).model.round == 2


def test_result_beyond_its_limit_is_not_put_in_service(build: Callable[..., Trainer]) -> None:
    hall = build('hall')
    before = hall.state()
    with pytest.raises(TwinError, match=r'trajectory from ftm has NMSE_var \d.* on 50 windows: '
                       'max_nmse is 0.001, so it is not put in service'):
        hall.run('transfer', 'hall_position', target_tasks=('trajectory',), max_windows=80,
                 max_nmse=0.001)
    assert hall.state() == before


def test_operation_is_canceled_between_two_slices(build: Callable[..., Trainer]) -> None:
    hall = build('hall')
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


@pytest.mark.parametrize(('sources', 'fields', 'sentence'), [
    (('hall_position',), {}, 'hall_position makes position of hall already'),
    (('hall_positon',), {}, "there is no task twin 'hall_positon': close to it: hall_position"),
    (('hall_tracking',), {'target_tasks': ('trajectory',)},
     'no data to judge on: hall does not measure camera'),
    (('hall_position',), {'target_tasks': ('tracking',), 'max_windows': 30},
     'there are 30 windows to train on: fine-tuning needs at least 40'),
    (('hall_position',), {'target_tasks': ('tracking',), 'target_areas': ('lab',)},
     'the trainer of lab is away'),
])
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    build: Callable[..., Trainer], sources: tuple[str, ...], fields: dict[str, object],
    sentence: str,
) -> None:
    hall = build('hall', ('ftm', 'imu'))
    before = hall.state()
    with pytest.raises(UttError, match=sentence):
        hall.run('transfer', *sources, **fields)
    assert hall.state() == before


def test_without_held_out_windows_there_is_nothing_to_judge_on(
    build: Callable[..., Trainer],
) -> None:
    hall = build('hall', windows=0)
    with pytest.raises(TwinError, match='no data to judge on: hall holds no windows out that'):
        hall.run('transfer', 'hall_position', target_tasks=('trajectory',))


def test_models_of_another_shape_are_not_averaged(
    build: Callable[..., Trainer], shape: WindowSettings,
) -> None:
    hall, wide = build('hall'), replace(MODEL, width=32)
    model = hall.models.read('hall_position')
    other = hall.models.registry.register(
        replace(model.twin, id='', operation='import', task='trajectory'), model_writer(replace(
            model, config=dump_config(wide, shape), weights=initial_weights(wide, shape, 1))))
    with pytest.raises(TwinError, match=f'{other.id} has a model of another shape than hall_tr'):
        hall.run('merge', 'hall_tracking', other.id, target_tasks=('trajectory',))


def test_an_area_without_camera_adopts_the_twin_of_another(build: Callable[..., Trainer]) -> None:
    hall, stairs = build('hall'), build('stairs', ('ftm', 'imu'), windows=0)
    before = hall.state()
    outcome = hall.run('transfer', 'hall_trajectory', target_areas=('stairs',), max_windows=100)
    (twin,) = outcome.twins
    assert twin == stairs.models.registry.get('stairs_trajectory_2')
    assert (twin.sources, twin.judged_in, twin.windows) == (('ftm', 'imu'), 'hall', 100)
    assert outcome.bytes == len(pack(stairs.models.read(twin.id).weights).payload)
    assert hall.state() == before


def test_an_area_that_measures_the_target_judges_what_it_adopts(
    build: Callable[..., Trainer],
) -> None:
    hall, stairs = build('hall'), build('stairs')
    (twin,) = hall.run('transfer', 'hall_position', target_areas=('stairs',),
                       target_tasks=('trajectory',)).twins
    assert twin.judged_in == 'stairs'
    before = stairs.state()
    own = hall.run('transfer', 'hall_position', target_tasks=('trajectory',)).twins[0].mean_nmse
    with pytest.raises(TwinError, match=r'trajectory from ftm has NMSE_var .* not put in service'):
        hall.run('transfer', 'hall_position', target_areas=('stairs',), max_nmse=own * 1e-3,
                 target_tasks=('trajectory',))
    assert stairs.state() == before


def test_what_one_area_has_adopted_is_rolled_back_when_another_refuses(
    build: Callable[..., Trainer],
) -> None:
    hall, stairs = build('hall'), build('stairs', ('ftm', 'imu'))
    build('lab', ('camera', 'imu'))
    with pytest.raises(TwinError, match='a twin of trajectory from ftm cannot be made in lab'):
        hall.run('split', 'hall_position', target_areas=('stairs', 'lab'),
                 target_tasks=('trajectory',))
    assert stairs.models.registry.get('stairs_trajectory_2').status == 'retired'


@pytest.mark.parametrize(('damage', 'sentence'), [
    ({'payload': b'x'}, 'payload has checksum'),
    ({'config': '{}'}, 'model configuration'),
    ({'record': {'area': 'lab', 'id': 'lab_trajectory'}},
     "it is for area 'lab': this is 'stairs'"),
    ({'record': {'operation': 'native', 'task': 'position', 'id': 'stairs_position'}},
     'a native twin of stairs is a sensor'),
    ({'record': {'sources': ('imu',), 'task': 'position', 'id': 'stairs_position'}}, None),
    ({'window': WindowSettings(ticks=6)}, 'the model is for WindowSettings'),
    ({'model': replace(MODEL, modalities=('ftm', 'imu'))}, 'the model has no camera'),
    ({'model': replace(MODEL, width=32)}, 'tensor .* must be float32'),
])
def test_models_that_do_not_fit_are_not_adopted(
    build: Callable[..., Trainer], shape: WindowSettings, damage: dict, sentence: str | None,
) -> None:
    stairs = build('stairs', ('ftm', 'imu'), windows=0)
    record = TaskTwin('stairs_trajectory', 'stairs', 'trajectory', ('ftm',), operation='transfer')
    packed = pack(initial_weights(MODEL, shape, 3))
    config = dump_config(damage.get('model', MODEL), damage.get('window', shape))
    handover = TwinHandover(
        'hall', dump_twin(replace(record, **damage.get('record', {}))),
        damage.get('config', config), 0.0, packed.checksum,
        damage.get('payload', packed.payload))
    if sentence is None:
        assert stairs.adoption.adopt(handover, lambda: None).id == 'stairs_position_2'
        return
    before = stairs.state()
    with pytest.raises((ModelError, TwinError), match=sentence):
        stairs.adoption.adopt(handover, lambda: None)
    assert stairs.state() == before
    assert parse_twin(handover.record)


def test_serving_twins_are_deployed_and_withdrawn(
    build: Callable[..., Trainer], shape: WindowSettings,
) -> None:
    hall = build('hall')
    assert hall.deployment.step() == []
    (twin,) = hall.run('transfer', 'hall_position', target_tasks=('tracking',)).twins
    (first,) = hall.deployment.step()
    assert (first.id, first.sources, first.target, first.round) == (twin.id, ('ftm',), 'imu', 1)
    assert first.std == pytest.approx(list(twin.std.values()))
    assert not hall.deployment.step()
    receive(hall, shape, 2)
    (second,) = hall.deployment.step()
    assert (second.round, second.graph != first.graph) == (2, True)
    hall.models.manage('pause', twin.id)
    (gone,) = hall.deployment.step()
    assert (gone.id, gone.graph) == (twin.id, b'')
    (left,) = TwinDeployment(hall.models).step()  # of the next process
    assert (left.id, left.graph) == (twin.id, b'')


def test_a_twin_whose_file_is_damaged_is_a_problem_and_the_others_serve(
    build: Callable[..., Trainer],
) -> None:
    hall = build('hall')
    bad = hall.run('transfer', 'hall_position', target_tasks=('trajectory',), max_windows=60)
    good = hall.run('transfer', 'hall_position', target_tasks=('tracking',))
    hall.models.registry.path(bad.twins[0]).write_bytes(b'x')
    problem, deployed = hall.deployment.step()
    assert isinstance(problem, ClientProblem)
    assert 'hall_trajectory_2 is not in service' in problem.text
    assert deployed.id == good.twins[0].id
