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

"""Federated client, step by step and without ROS."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import read_checkpoint, write_checkpoint
from utt_ros.federation.compression import ErrorFeedback, unpack_change
from utt_ros.federation.types import Deployment, GlobalModel, Report, Update
from utt_ros.federation.wire import pack, schema_of, unpack
from utt_ros.models.model_card import save_model
from utt_ros.models.saved_model import read_saved_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import UnifiedTwin, initial_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.client import (
    CHECKPOINT,
    ClientEvent,
    ClientProblem,
    FederatedClient,
)
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.types import Windows

Walk = Callable[..., Windows]
Make = Callable[..., FederatedClient]
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
AREA = AreaSettings()
STEPS = 3
BIG = '9' * 401


@pytest.fixture
def make(tmp_path: Path, shape: WindowSettings) -> Make:
    torch.set_num_threads(1)

    def start(area: AreaSettings = AREA, **settings: object) -> FederatedClient:
        chosen = TrainerSettings(**{  # type: ignore[arg-type]
            'local_steps': STEPS, 'min_windows': 50, 'state_dir': str(tmp_path), **settings})
        return FederatedClient(area, shape, MODEL, LearningSettings(batch=16), chosen)
    return start


def global_model(
    shape: WindowSettings, round_: int = 0, seed: int = 0, model: ModelSettings = MODEL,
) -> GlobalModel:
    packed = pack(initial_weights(model, shape, seed))
    return GlobalModel(
        'fed', round_, dump_config(model, shape), packed.schema, packed.checksum, packed.payload)


def run(client: FederatedClient, steps: int = STEPS + 3) -> list[ClientEvent]:
    return [event for _ in range(steps) for event in client.step(0.0)]


def kinds(events: list[ClientEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_model_is_deployed_evaluated_trained_and_its_update_sent_once(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    assert client.resume() == []
    model = global_model(shape, round_=4)
    client.inbox.put_model(model)
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_windows(walk(AREA, 20, first_s=110.0))
    deployment, report, update = run(client)
    assert isinstance(deployment, Deployment)
    assert (deployment.round, deployment.federation, deployment.config) == (
        4, 'fed', model.config)
    assert isinstance(report, Report)
    assert (report.round, report.windows, report.held_out) == (4, 60, 20)
    assert len(report.nmse) == 12
    assert sorted(report.gates) == ['camera', 'ftm', 'imu']
    assert isinstance(update, Update)
    assert (update.federation, update.round, update.windows) == ('fed', 4, 60)
    before = unpack(model.payload, model.checksum, 2**24)
    tensors = unpack(update.payload, update.checksum, 2**24)
    assert {name for name in tensors if not np.array_equal(tensors[name], before[name])}
    client.inbox.put_model(model)
    assert run(client) == []


def test_the_next_round_reports_the_loss_of_the_previous_one(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    client.inbox.put_windows(walk(AREA, 60))
    reports = []
    for round_ in range(2):
        client.inbox.put_model(global_model(shape, round_))
        reports += [event for event in run(client) if isinstance(event, Report)]
    assert np.isnan(reports[0].loss)
    assert reports[1].loss > 0
    assert reports[1].steps == STEPS


@pytest.fixture
def saved(tmp_path: Path, shape: WindowSettings) -> Path:
    """Write a model with sizes of its own."""
    (tmp_path / 'saved').mkdir()
    path = tmp_path / 'saved' / 'model.safetensors'
    save_model(path, UnifiedTwin(replace(MODEL, width=8, fusor='max'), shape), '', {}, {})
    return path


def test_an_area_alone_begins_with_the_given_model_until_it_has_state(
    make: Make, saved: Path, shape: WindowSettings, walk: Walk,
) -> None:
    client = make(federated=False, initial_model=str(saved))
    (deployment,) = client.resume()
    assert isinstance(deployment, Deployment)
    assert (deployment.round, deployment.federation) == (0, 'alone')
    weights, card = read_saved_model(saved)
    assert deployment.config == card.config
    assert client.current is not None
    assert all(np.array_equal(values, client.current.tensors[name])
               for name, values in weights.items())
    client.inbox.put_windows(walk(AREA, 60))
    run(client)
    saved.unlink()
    (resumed,) = make(federated=False, initial_model=str(saved)).resume()
    assert isinstance(resumed, Deployment)
    assert (resumed.round, resumed.config) == (1, card.config)


def test_a_given_model_that_does_not_fit_is_refused_at_start(
    make: Make, saved: Path, shape: WindowSettings,
) -> None:
    save_model(saved, UnifiedTwin(MODEL, replace(shape, ticks=20)), '', {}, {})
    with pytest.raises(ModelError, match=r'model\.safetensors: it is for .*ticks=20'):
        make(federated=False, initial_model=str(saved))
    assert make(initial_model=str(saved)).resume() == []  # a federation has its aggregator's


def test_training_waits_for_enough_windows(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    client.inbox.put_model(global_model(shape))
    client.inbox.put_windows(walk(AREA, 40))
    assert kinds(run(client)) == ['Deployment']
    client.inbox.put_windows(walk(AREA, 40))
    assert kinds(run(client)) == ['Report', 'Update']


def test_a_new_model_ends_the_training_of_the_old_one(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_model(global_model(shape, 0))
    run(client, STEPS)
    client.inbox.put_model(global_model(shape, 1))
    events = run(client)
    assert kinds(events) == ['Deployment', 'Report', 'Update']
    assert [event.round for event in events if isinstance(event, Update)] == [1]


def test_an_area_that_does_not_learn_only_deploys(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make(learn=False)
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_model(global_model(shape))
    assert kinds(run(client)) == ['Deployment']


def test_an_area_that_can_train_nothing_reports_it_and_sends_no_update(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    area = AreaSettings(modalities=('ftm',))
    client = make(area)
    client.inbox.put_windows(walk(area, 60))
    client.inbox.put_model(global_model(shape))
    events = run(client)
    assert kinds(events) == ['Deployment', 'Report', 'ClientProblem']
    assert client.problem == 'round 0: nothing could be trained'


def test_an_area_that_could_train_nothing_tries_again_with_new_windows(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    empty = walk(AreaSettings(modalities=('ftm',)), 60)
    client.inbox.put_windows(empty)
    client.inbox.put_model(global_model(shape))
    assert kinds(run(client)) == ['Deployment', 'Report', 'ClientProblem']
    client.inbox.put_windows(walk(AREA, 15))
    assert run(client) == []
    client.inbox.put_windows(walk(AREA, 40))
    assert kinds(run(client)) == ['Update']


def test_training_ends_with_its_round_and_the_model_is_still_evaluated(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_model(global_model(shape, 4))
    client.follow_round('fed', 3, completed=True)
    run(client, 2)
    client.follow_round('fed', 4, completed=True)
    events = run(client)
    assert kinds(events) == []
    client.inbox.put_model(global_model(shape, 5))
    client.step(0.0)
    client.follow_round('fed', 5, completed=True)
    assert kinds(run(client)) == ['Report']
    client.follow_round('fed', 5, completed=False)
    assert kinds(run(client)) == ['Update']
    client.inbox.put_model(global_model(shape, 4, seed=2))
    assert kinds(run(client)) == ['Deployment', 'Report', 'Update']


@pytest.mark.parametrize(('spoil', 'reason'), [
    (lambda model: replace(model, checksum='0' * 64), 'checksum'),
    (lambda model: replace(model, schema='0' * 64), 'schema'),
    (lambda model: replace(model, config='{}'), 'exactly the parts'),
    (lambda model: replace(model, config=dump_config(MODEL, WindowSettings(ticks=9))),
     'ticks=9.*this area has.*ticks=12'),
    (lambda model: replace(model, config=dump_config(
        replace(MODEL, width=32), WindowSettings(ticks=12, imu_rows=4, horizon=8))),
     'must be float32'),
    (lambda model: replace(model, config='[' * 8000), 'at most 32'),
    (lambda model: replace(model, config=model.config.replace('"period":0.1', f'"period":{BIG}')),
     'period is an integer of'),
    (lambda model: replace(model, config=model.config.replace('"gating"', '"nothing"')),
     "fusor is 'nothing'"),
])
def test_an_invalid_model_is_refused_with_a_reason_and_the_valid_one_stays(
    make: Make, shape: WindowSettings, walk: Walk, spoil: Callable, reason: str,
) -> None:
    client = make()
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_model(global_model(shape, 1))
    client.step(0.0)
    client.inbox.put_model(spoil(global_model(shape, 2, seed=9)))
    problem, *others = run(client)
    assert isinstance(problem, ClientProblem)
    assert 'model of round 2' in problem.text
    assert re.search(reason, problem.text)
    assert kinds(others) == ['Report', 'Update']
    assert client.problems == 1


def test_no_error_of_a_model_ends_the_client(
    make: Make, shape: WindowSettings, monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = make()
    monkeypatch.setattr(client.updates, 'open', lambda *_: (_ for _ in ()).throw(MemoryError('x')))
    client.inbox.put_model(global_model(shape, 2))
    (problem,) = run(client)
    assert 'model of round 2' in problem.text
    assert 'MemoryError' in problem.text


def test_client_joins_the_federation_of_the_first_model_that_it_uses(
    make: Make, shape: WindowSettings,
) -> None:
    client = make()
    client.inbox.put_model(replace(global_model(shape), checksum='0' * 64, federation='bad'))
    run(client)
    assert client.gate.federation == ''
    client.inbox.put_model(global_model(shape))
    run(client)
    with pytest.raises(ModelError, match="belongs to 'fed'"):
        client.gate.admit(replace(global_model(shape), federation='evil'))
    assert make(federation='pinned').gate.federation == 'pinned'


def test_a_federation_may_change_the_model(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_model(global_model(shape))
    run(client)
    other = replace(MODEL, width=32, fusor='attention')
    client.inbox.put_model(global_model(shape, 0, model=other))
    events = run(client)
    assert kinds(events) == ['Deployment', 'Report', 'Update']
    assert client.trainer.twin.settings == other
    assert client.trainer.window_count == 60


def test_a_restarted_area_continues_with_its_last_model(
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


def answer(
    client: FederatedClient, windows: Windows, model: GlobalModel | None = None,
) -> Update:
    """Return the update to a model, or to the one that the client has resumed."""
    if model is not None:
        client.inbox.put_model(model)
    client.inbox.put_windows(windows)
    (update,) = (event for event in run(client) if isinstance(event, Update))
    return update


def test_updates_are_compressed_where_the_model_says_so_and_what_they_left_out_follows(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    models = [replace(global_model(shape, round_), compression='ternary') for round_ in range(2)]
    before = unpack(models[0].payload, models[0].checksum, 2**24)
    update = answer(client, walk(AREA, 60), models[0])
    assert (update.compression, update.base) == ('ternary', models[0].checksum)
    assert len(update.payload) < len(models[0].payload) / 15
    sent = unpack_change(update.payload, update.checksum, 2**24, before, 'ternary')
    assert schema_of(sent) == update.schema
    trained = client.trainer.update()
    client.inbox.put_model(models[1])
    run(client, 1)
    assert client.current is not None
    assert sorted(client.current.residual) == sorted(sent)
    for name, left_out in client.current.residual.items():
        np.testing.assert_allclose(left_out, trained[name] - sent[name], atol=1e-6)


def test_a_trainer_that_is_killed_sends_the_same_update_with_what_it_left_out_before(
    make: Make, shape: WindowSettings, walk: Walk, tmp_path: Path,
) -> None:
    client, windows = make(), walk(AREA, 60)
    for round_ in range(2):
        answer(client, windows, replace(global_model(shape, round_), compression='sign'))
    updates = []
    for _ in range(2):  # killed after its update and before the next model
        again = make()
        again.resume()
        updates.append(answer(again, windows))
    assert updates[0] == updates[1]
    assert (updates[0].round, updates[0].compression) == (1, 'sign')
    kept = read_checkpoint(tmp_path / CHECKPOINT)
    assert kept.residual
    write_checkpoint(tmp_path / CHECKPOINT, replace(kept, residual={}), updates[0].base)
    forgetful = make()
    forgetful.resume()
    assert answer(forgetful, windows).payload != updates[0].payload


def test_a_change_follows_the_model_in_use_and_is_ignored_after_the_whole_one(
    make: Make, shape: WindowSettings, tmp_path: Path,
) -> None:
    client = make()
    first, second = global_model(shape, 0), global_model(shape, 1, seed=1)
    before, after = (unpack(item.payload, item.checksum, 2**24) for item in (first, second))
    packed = ErrorFeedback().pack(after, before, 'int8')
    change = replace(second, schema=packed.schema, checksum=packed.checksum,
                     payload=packed.payload, compression='int8', base=first.checksum)
    client.inbox.put_model(first)
    assert kinds(run(client, 1)) == ['Deployment']
    assert client.gate.base == first.checksum
    client.inbox.put_model(change)
    (deployment,) = run(client, 1)
    assert isinstance(deployment, Deployment)
    assert deployment.round == 1
    opened = unpack_change(packed.payload, packed.checksum, 2**24, before, 'int8')
    assert client.gate.base == pack(opened).checksum
    assert pack(read_checkpoint(tmp_path / CHECKPOINT).tensors) == pack(opened)
    client.inbox.put_model(change)
    assert run(client, 1) == []
    assert client.problems == 0


def test_what_was_left_out_in_another_federation_is_not_sent(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    model = replace(global_model(shape), compression='sign')
    answer(client, walk(AREA, 60), model)
    client.inbox.put_model(replace(model, federation='other'))
    run(client, 1)
    assert client.current is not None
    assert (client.current.federation, client.current.residual) == ('other', {})


@pytest.mark.parametrize(('announced', 'used'), [('int8', 'int8'), ('of a later release', 'none')])
def test_a_model_may_be_announced_again_with_another_compression(
    make: Make, shape: WindowSettings, walk: Walk, announced: str, used: str,
) -> None:
    client = make()
    model = replace(global_model(shape), compression='sign')
    client.inbox.put_model(model)
    run(client, 1)
    update = answer(client, walk(AREA, 60), replace(model, compression=announced))
    assert (update.compression, update.base) == (used, model.checksum * (used != 'none'))


def test_a_damaged_checkpoint_is_skipped(
    make: Make, shape: WindowSettings, tmp_path: Path,
) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b'half a file')
    client = make()
    (problem,) = client.resume()
    assert isinstance(problem, ClientProblem)
    assert 'is not used' in problem.text
    client.inbox.put_model(global_model(shape))
    assert kinds(run(client, 1)) == ['Deployment']


def test_a_folder_that_is_not_writable_does_not_stop_training(
    make: Make, shape: WindowSettings, tmp_path: Path,
) -> None:
    (tmp_path / 'file').touch()
    client = make(state_dir=str(tmp_path / 'file' / 'folder'))
    assert kinds(client.resume()) == ['ClientProblem']
    client.inbox.put_model(global_model(shape))
    assert kinds(run(client)) == ['Deployment', 'ClientProblem']


def test_alone_an_area_trains_round_after_round_while_new_windows_arrive(
    make: Make, walk: Walk,
) -> None:
    client = make(federated=False)
    assert kinds(client.resume()) == ['Deployment']
    assert run(client) == []
    client.inbox.put_windows(walk(AREA, 60))
    assert kinds(run(client)) == ['Report', 'Deployment']
    assert run(client) == []
    client.inbox.put_windows(walk(AREA, 16))
    report, deployment = run(client)
    assert isinstance(report, Report)
    assert isinstance(deployment, Deployment)
    assert (report.round, deployment.round) == (1, 2)
    (resumed,) = make(federated=False).resume()
    assert resumed == deployment


def test_a_paused_client_deploys_and_observes_and_trains_once_it_is_resumed(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make()
    client.paused = True
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_model(global_model(shape))
    assert kinds(run(client)) == ['Deployment']
    assert (client.note, client.trainer.window_count > 0) == ('training is paused', True)
    client.paused = False
    assert kinds(run(client)) == ['Report', 'Update']
    assert client.note == ''


def test_settings_that_change_apply_to_the_model_in_use(
    make: Make, shape: WindowSettings, walk: Walk,
) -> None:
    client = make(learn=False)
    client.inbox.put_windows(walk(AREA, 40))
    client.inbox.put_model(global_model(shape))
    assert kinds(run(client)) == ['Deployment']
    assert client.note == 'learn is false'
    client.settings = replace(client.settings, learn=True)
    assert run(client) == []  # 50 windows are needed
    client.settings = replace(client.settings, min_windows=10)
    assert kinds(run(client)) == ['Report', 'Update']


def test_newer_models_wait_for_a_pinned_one_and_the_newest_follows_it(
    make: Make, shape: WindowSettings,
) -> None:
    client = make()
    with pytest.raises(ModelError, match='there is no model yet'):
        client.pin(True)
    client.inbox.put_model(global_model(shape, 1))
    run(client, 1)
    client.pin(True)
    for round_ in (2, 3):
        client.inbox.put_model(global_model(shape, round_, seed=round_))
        assert run(client, 1) == []
    assert client.note == 'the model of round 1 is pinned: that of round 3 waits'
    client.pin(False)
    client.inbox.put_model(global_model(shape, 4, seed=4))  # newer than the one that waits
    (deployment,) = run(client, 3)
    assert isinstance(deployment, Deployment)
    assert (deployment.round, client.note) == (4, '')


def test_an_area_alone_does_not_train_past_a_pinned_model(make: Make, walk: Walk) -> None:
    client = make(federated=False)
    client.resume()
    client.pin(True)
    client.inbox.put_windows(walk(AREA, 60))
    assert run(client) == []
    client.pin(False)
    assert kinds(run(client)) == ['Report', 'Deployment']


def test_a_forced_checkpoint_holds_the_weights_of_an_area_alone_within_a_round(
    make: Make, walk: Walk, tmp_path: Path,
) -> None:
    client = make(federated=False)
    client.resume()
    client.inbox.put_windows(walk(AREA, 60))
    run(client, 3)  # a report and two of three steps
    assert client.save_checkpoint() == (
        f'the model of round 0 is written to {tmp_path / CHECKPOINT}')
    written = read_checkpoint(tmp_path / CHECKPOINT)
    assert any(not np.array_equal(values, client.current.tensors[name])
               for name, values in written.tensors.items())
    (resumed,) = make(federated=False).resume()
    assert isinstance(resumed, Deployment)
    assert resumed.round == 0


def test_a_forced_checkpoint_of_a_federation_holds_the_global_model(
    make: Make, shape: WindowSettings, walk: Walk, tmp_path: Path,
) -> None:
    client = make()
    client.inbox.put_windows(walk(AREA, 60))
    client.inbox.put_model(global_model(shape, 7))
    run(client, 3)
    (tmp_path / CHECKPOINT).unlink()
    client.save_checkpoint()
    written = read_checkpoint(tmp_path / CHECKPOINT)
    assert (written.federation, written.round) == ('fed', 7)
    for name, values in initial_weights(MODEL, shape, 0).items():
        np.testing.assert_array_equal(written.tensors[name], values)
