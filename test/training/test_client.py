"""An area's part in a federation, step by step and without ROS."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from utt_ros.federation.types import Deployment, GlobalModel, Report, Update
from utt_ros.federation.wire import pack, unpack
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.client import CHECKPOINT, Event, Participant, Problem
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.types import Windows

Walk = Callable[..., Windows]
Make = Callable[..., Participant]
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
AREA = AreaSettings()
STEPS = 3


@pytest.fixture
def make(tmp_path: Path, shape: WindowSettings) -> Make:
    torch.set_num_threads(1)

    def start(area: AreaSettings = AREA, **settings: object) -> Participant:
        chosen = TrainerSettings(**{  # type: ignore[arg-type]
            'local_steps': STEPS, 'min_windows': 50, 'state_dir': str(tmp_path), **settings})
        return Participant(area, shape, MODEL, LearningSettings(batch=16), chosen)
    return start


def global_model(
    shape: WindowSettings, round_: int = 0, seed: int = 0, model: ModelSettings = MODEL,
) -> GlobalModel:
    packed = pack(initial_weights(model, shape, seed))
    return GlobalModel(
        'fed', round_, dump_config(model, shape), packed.schema, packed.checksum, packed.payload)


def run(participant: Participant, steps: int = STEPS + 3) -> list[Event]:
    return [event for _ in range(steps) for event in participant.step(0.0)]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_round_is_deployed_judged_trained_and_answered_once(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make()
    assert participant.resume() == []
    model = global_model(shape, round_=4)
    participant.inbox.put_model(model)
    participant.inbox.put_windows(walk(AREA, 60))
    participant.inbox.put_windows(walk(AREA, 20, first_s=110.0))
    deployment, report, update = run(participant)
    assert isinstance(deployment, Deployment)
    assert (deployment.round, deployment.federation, deployment.config) == (
        4, 'fed', model.config)
    assert isinstance(report, Report)
    assert (report.round, report.windows, report.held_out) == (4, 60, 20)
    assert len(report.nmse) == 12
    assert isinstance(update, Update)
    assert (update.federation, update.round, update.windows) == ('fed', 4, 60)
    before = unpack(model.payload, model.checksum, 2**24)
    tensors = unpack(update.payload, update.checksum, 2**24)
    assert {name for name in tensors if not np.array_equal(tensors[name], before[name])}
    participant.inbox.put_model(model)
    assert run(participant) == []


def test_the_next_round_reports_the_loss_of_the_one_before(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make()
    participant.inbox.put_windows(walk(AREA, 60))
    reports = []
    for round_ in range(2):
        participant.inbox.put_model(global_model(shape, round_))
        reports += [event for event in run(participant) if isinstance(event, Report)]
    assert np.isnan(reports[0].loss)
    assert reports[1].loss > 0
    assert reports[1].steps == STEPS


def test_training_waits_for_enough_windows(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make()
    participant.inbox.put_model(global_model(shape))
    participant.inbox.put_windows(walk(AREA, 40))
    assert kinds(run(participant)) == ['Deployment']
    participant.inbox.put_windows(walk(AREA, 40))
    assert kinds(run(participant)) == ['Report', 'Update']


def test_a_new_model_ends_the_training_of_the_old_one(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make()
    participant.inbox.put_windows(walk(AREA, 60))
    participant.inbox.put_model(global_model(shape, 0))
    run(participant, STEPS)
    participant.inbox.put_model(global_model(shape, 1))
    events = run(participant)
    assert kinds(events) == ['Deployment', 'Report', 'Update']
    assert [event.round for event in events if isinstance(event, Update)] == [1]


def test_an_area_that_does_not_learn_deploys_only(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make(learn=False)
    participant.inbox.put_windows(walk(AREA, 60))
    participant.inbox.put_model(global_model(shape))
    assert kinds(run(participant)) == ['Deployment']


def test_an_area_that_can_train_nothing_says_so_and_sends_nothing(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    area = AreaSettings(modalities=('ftm',))
    participant = make(area)
    participant.inbox.put_windows(walk(area, 60))
    participant.inbox.put_model(global_model(shape))
    events = run(participant)
    assert kinds(events) == ['Deployment', 'Report', 'Problem']
    assert participant.problem == 'round 0: nothing could be trained'


def test_an_area_that_could_train_nothing_tries_again_with_new_windows(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make()
    empty = walk(AreaSettings(modalities=('ftm',)), 60)
    participant.inbox.put_windows(empty)
    participant.inbox.put_model(global_model(shape))
    assert kinds(run(participant)) == ['Deployment', 'Report', 'Problem']
    participant.inbox.put_windows(walk(AREA, 15))
    assert run(participant) == []
    participant.inbox.put_windows(walk(AREA, 40))
    assert kinds(run(participant)) == ['Update']


def test_training_ends_with_its_round_and_the_model_is_judged_all_the_same(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make()
    participant.inbox.put_windows(walk(AREA, 60))
    participant.inbox.put_model(global_model(shape, 4))
    participant.follow_round('fed', 3, completed=True)
    run(participant, 2)
    participant.follow_round('fed', 4, completed=True)
    events = run(participant)
    assert kinds(events) == []
    participant.inbox.put_model(global_model(shape, 5))
    participant.step(0.0)
    participant.follow_round('fed', 5, completed=True)
    assert kinds(run(participant)) == ['Report']
    participant.follow_round('fed', 5, completed=False)
    assert kinds(run(participant)) == ['Update']
    participant.inbox.put_model(global_model(shape, 4, seed=2))
    assert kinds(run(participant)) == ['Deployment', 'Report', 'Update']


@pytest.mark.parametrize(('spoil', 'reason'), [
    (lambda model: replace(model, checksum='0' * 64), 'checksum'),
    (lambda model: replace(model, schema='0' * 64), 'schema'),
    (lambda model: replace(model, config='{}'), 'exactly the parts'),
    (lambda model: replace(model, config=dump_config(MODEL, WindowSettings(ticks=9))),
     'ticks=9.*this area has.*ticks=12'),
    (lambda model: replace(model, config=dump_config(
        replace(MODEL, width=32), WindowSettings(ticks=12, imu_rows=4, horizon=8))),
     'must be float32'),
])
def test_a_bad_model_is_refused_by_name_and_the_good_one_stays(
    make: Make, shape: WindowSettings, walk: Walk, spoil: Callable, reason: str,
) -> None:
    participant = make()
    participant.inbox.put_windows(walk(AREA, 60))
    participant.inbox.put_model(global_model(shape, 1))
    participant.step(0.0)
    participant.inbox.put_model(spoil(global_model(shape, 2, seed=9)))
    problem, *others = run(participant)
    assert isinstance(problem, Problem)
    assert 'model of round 2' in problem.text
    assert re.search(reason, problem.text)
    assert kinds(others) == ['Report', 'Update']
    assert participant.problems == 1


def test_a_federation_may_change_the_model(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    participant = make()
    participant.inbox.put_windows(walk(AREA, 60))
    participant.inbox.put_model(global_model(shape))
    run(participant)
    other = replace(MODEL, width=32, fusor='attention')
    participant.inbox.put_model(global_model(shape, 0, model=other))
    events = run(participant)
    assert kinds(events) == ['Deployment', 'Report', 'Update']
    assert participant.trainer.model == other
    assert len(participant.trainer.kept) == 60


def test_a_restarted_area_goes_on_with_its_last_model(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    first = make()
    first.resume()
    first.inbox.put_model(global_model(shape, 6, seed=3))
    graph = next(event for event in run(first) if isinstance(event, Deployment)).graph
    second = make()
    (deployment,) = second.resume()
    assert isinstance(deployment, Deployment)
    assert (deployment.round, deployment.graph) == (6, graph)
    second.inbox.put_model(global_model(shape, 6, seed=3))
    second.inbox.put_windows(walk(AREA, 60))
    assert kinds(run(second)) == ['Report', 'Update']


def test_a_damaged_checkpoint_is_passed_over(
    make: Make, shape: WindowSettings, tmp_path: Path,
) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b'half a file')
    participant = make()
    (problem,) = participant.resume()
    assert isinstance(problem, Problem)
    assert 'is not used' in problem.text
    participant.inbox.put_model(global_model(shape))
    assert kinds(run(participant, 1)) == ['Deployment']


def test_a_folder_that_cannot_be_written_stops_nothing(
    make: Make, shape: WindowSettings, tmp_path: Path,
) -> None:
    (tmp_path / 'file').touch()
    participant = make(state_dir=str(tmp_path / 'file' / 'folder'))
    assert kinds(participant.resume()) == ['Problem']
    participant.inbox.put_model(global_model(shape))
    assert kinds(run(participant)) == ['Deployment', 'Problem']


def test_alone_an_area_trains_round_after_round_while_new_windows_arrive(
    make: Make, walk: Walk,
) -> None:
    participant = make(federated=False)
    assert kinds(participant.resume()) == ['Deployment']
    assert run(participant) == []
    participant.inbox.put_windows(walk(AREA, 60))
    assert kinds(run(participant)) == ['Report', 'Deployment']
    assert run(participant) == []
    participant.inbox.put_windows(walk(AREA, 16))
    report, deployment = run(participant)
    assert isinstance(report, Report)
    assert isinstance(deployment, Deployment)
    assert (report.round, deployment.round) == (1, 2)
    (resumed,) = make(federated=False).resume()
    assert resumed == deployment
