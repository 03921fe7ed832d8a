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

from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SettingsError
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


def accept(config: str, folder: Path) -> None:
    """Accept any configuration."""


def hold(settings: AggregatorSettings, config: str) -> str:
    store = CheckpointStore(settings.state_path, settings.keep)
    held = new_federation(store, config, WEIGHTS)
    store.close()
    return held.federation


def test_federation_of_the_folder_is_resumed(settings: AggregatorSettings) -> None:
    federation = hold(settings, CONFIG)
    state = FederationState(settings, CONFIG, accept)
    begin = state.begin()
    assert begin is not None
    assert (begin.federation, begin.round, state.problems) == (federation, 0, [])
    state.close()


def test_new_folder_gets_a_federation_once_its_model_is_computed(
    settings: AggregatorSettings, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(federation_state, 'InitialModel', Child)
    monkeypatch.setattr(Child, 'weights', None)
    state = FederationState(settings, CONFIG, accept)
    assert state.begin() is None
    monkeypatch.setattr(Child, 'weights', WEIGHTS)
    begin = state.begin()
    assert begin is not None
    assert state.begin() is begin
    state.close()
    resumed = FederationState(settings, CONFIG, accept)
    held = resumed.begin()
    assert held is not None
    assert held.federation == begin.federation
    resumed.close()


def test_folder_with_another_configuration_is_refused(settings: AggregatorSettings) -> None:
    hold(settings, '{"width": 9}')

    def refuse(config: str, folder: Path) -> None:
        raise SettingsError(f'{folder} holds {config}')

    with pytest.raises(SettingsError, match=r'state holds \{"width": 9\}'):
        FederationState(settings, CONFIG, refuse)


def test_new_folder_begins_with_the_model_of_a_file_and_is_resumed_with_it(
    settings: AggregatorSettings,
) -> None:
    reads: list[str] = []

    def read() -> tuple[Tensors, str]:
        reads.append('file')
        return WEIGHTS, '{"width": 9}'

    rounds = []
    for _ in range(2):
        state = FederationState(settings, CONFIG, accept, read)
        begin = state.begin()
        assert begin is not None
        rounds.append((begin.federation, begin.round, begin.config))
        state.close()
    assert rounds[0] == rounds[1]
    assert rounds[0][1:] == (0, '{"width": 9}')
    assert reads == ['file']
