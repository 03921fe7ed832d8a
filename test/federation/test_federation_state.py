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

"""State of an aggregator at its start: resumed, new, or refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation import federation_state
from utt_ros.federation.checkpoints import CheckpointStore
from utt_ros.federation.federation_state import FederationState
from utt_ros.federation.server import new_federation
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.wire import Tensors

WEIGHTS = {'imu.w': np.ones(4, np.float32)}
CONFIG = '{"width": 8}'


class Child:
    """Stand-in of the child process; `weights` are ready when set."""

    weights: Tensors | None = None

    def __init__(self, config: str, seed: int, folder: Path) -> None:
        self.is_closed = False

    def poll(self) -> Tensors | None:
        return self.weights

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def settings(tmp_path: Path) -> AggregatorSettings:
    return AggregatorSettings(state_dir=str(tmp_path / 'state'))


def hold(settings: AggregatorSettings, config: str) -> str:
    store = CheckpointStore(settings.state_path, settings.keep)
    held = new_federation(store, config, WEIGHTS)
    store.close()
    return held.federation


def test_federation_of_the_folder_is_resumed(settings: AggregatorSettings) -> None:
    federation = hold(settings, '{ "width": 8 }')  # the same configuration in other words
    state = FederationState(settings, CONFIG, json.loads)
    begin = state.begin()
    assert begin is not None
    assert (begin.federation, begin.round, state.problems) == (federation, 0, [])
    state.close()


def test_new_folder_gets_a_federation_once_its_model_is_computed(
    settings: AggregatorSettings, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(federation_state, 'InitialModel', Child)
    monkeypatch.setattr(Child, 'weights', None)
    state = FederationState(settings, CONFIG, json.loads)
    assert state.begin() is None
    monkeypatch.setattr(Child, 'weights', WEIGHTS)
    begin = state.begin()
    assert begin is not None
    assert state.begin() is begin
    state.close()
    resumed = FederationState(settings, CONFIG, json.loads)
    held = resumed.begin()
    assert held is not None
    assert held.federation == begin.federation
    resumed.close()


def refuse(config: str) -> object:
    raise ModelError(f'{config} is of another release')


@pytest.mark.parametrize(('parse', 'reason'), [
    (json.loads, 'with the configuration {"width": 9}: the parameters are {"width": 8}'),
    (refuse, 'that this program cannot resume: {"width": 9} is of another release'),
])
def test_other_configuration_is_refused(
    settings: AggregatorSettings, parse: Callable[[str], object], reason: str,
) -> None:
    hold(settings, '{"width": 9}')
    with pytest.raises(SettingsError) as caught:
        FederationState(settings, CONFIG, parse)
    assert str(caught.value) == f'{settings.state_path} holds a federation {reason}'
