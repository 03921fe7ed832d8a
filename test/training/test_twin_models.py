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

"""Models of task twins: of the area or their own, pinned, released, rolled back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError, TwinError
from utt_ros.federation.types import GlobalModel
from utt_ros.federation.wire import pack
from utt_ros.models.model_card import load_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.task_twins.registry_file import twin_from_content
from utt_ros.task_twins.types import VERBS, TaskTwin
from utt_ros.training.client import FederatedClient
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.twin_models import TwinModels, model_writer, open_twin_models

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
AREA = AreaSettings(area='hall', modalities=('ftm', 'imu'))
TRANSFER = TaskTwin('', 'hall', 'trajectory', ('ftm',), operation='transfer')
Receive = Callable[[int], None]


@pytest.fixture
def models(tmp_path: Path, shape: WindowSettings) -> TwinModels:
    client = FederatedClient(
        AREA, shape, MODEL, LearningSettings(batch=16), TrainerSettings(state_dir=str(tmp_path)))
    return open_twin_models(AREA, str(tmp_path), client)


@pytest.fixture
def receive(models: TwinModels, shape: WindowSettings) -> Receive:
    """Have the area receive the model of a round, whose weights differ from those of others."""
    def put(round_: int) -> None:
        packed = pack(initial_weights(MODEL, shape, round_))
        models._client.inbox.put_model(GlobalModel(
            'fed', round_, dump_config(MODEL, shape), packed.schema, packed.checksum,
            packed.payload))
        models._client.step(0.0)
        models.follow()
    return put


def test_the_twins_of_a_trainer_lie_below_its_state(models: TwinModels, tmp_path: Path) -> None:
    assert [twin.id for twin in models.registry.twins] == ['hall_position', 'hall_tracking']
    assert models.registry.get('hall_position').created_ns > 10**18
    assert (tmp_path / 'twins/registry.json').exists()


def test_a_twin_that_follows_has_the_current_model(models: TwinModels, receive: Receive) -> None:
    twin = models.registry.register(TRANSFER)
    with pytest.raises(TwinError, match='the area has no model yet'):
        models.read(twin.id)
    for round_ in (1, 2):
        receive(round_)
        model = models.read(twin.id)
        assert (model.twin.model.federation, model.twin.model.round) == ('fed', round_)
        assert pack(model.weights).checksum == model.twin.model.checksum
        assert models.registry.get(twin.id) == model.twin


def test_a_pinned_twin_keeps_the_model_of_its_round(
    models: TwinModels, receive: Receive, tmp_path: Path,
) -> None:
    twin = models.registry.register(TRANSFER)
    receive(1)
    pinned, sentence = models.manage('pin', twin.id)
    assert sentence == f'{twin.id} is pinned to the model of round 1'
    first = models.read(twin.id)
    receive(2)
    assert models.read(twin.id).twin == pinned
    assert all(np.array_equal(values, first.weights[name])
               for name, values in models.read(twin.id).weights.items())
    assert models.manage('unpin', twin.id)[0].model.round == 2
    assert models.manage('rollback', twin.id)[0] == pinned


def test_a_twin_that_serves_again_after_a_rollback_has_the_newest_model(
    models: TwinModels, receive: Receive,
) -> None:
    first = models.registry.register(TRANSFER)
    second = models.registry.register(TRANSFER)
    receive(5)
    again, _ = models.manage('rollback', second.id)
    assert (again.id, again.status, again.model.round) == (first.id, 'serving', 5)


def test_the_file_of_a_twin_is_a_saved_model_with_its_record(
    models: TwinModels, receive: Receive,
) -> None:
    twin = replace(models.registry.register(TRANSFER), nmse={'depth_m': 0.5}, windows=12)
    receive(1)
    model = replace(models.read(models.registry.twins[-1].id), twin=twin)
    stored = models.registry.register(twin, model_writer(model))
    _, card = load_model(models.registry.path(stored))
    assert twin_from_content(card.training['task_twin']) == twin
    assert card.metrics == {'nmse_var depth_m': 0.5}
    assert pack(models.read(stored.id).weights).checksum == card.checksum


def test_a_damaged_model_file_is_refused_by_name(models: TwinModels, receive: Receive) -> None:
    twin = models.registry.register(TRANSFER)
    receive(1)
    pinned, _ = models.manage('pin', twin.id)
    models.registry.path(pinned).write_bytes(b'x')
    with pytest.raises(ModelError, match=r'hall_trajectory_2\.safetensors'):
        models.read(twin.id)


def test_every_verb_is_known_and_others_are_refused(models: TwinModels) -> None:
    assert models._verbs.keys() == set(VERBS)
    with pytest.raises(TwinError, match="verb 'kill' is unknown: it must be one of pause, resume"):
        models.manage('kill', 'hall_position')
    with pytest.raises(TwinError, match='hall_position is the native twin of a sensor'):
        models.registry.pin('hall_position', TRANSFER.model, lambda _: None)
